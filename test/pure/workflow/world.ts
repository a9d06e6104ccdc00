import { canvasNodeSchema, type CanvasNode, type Json, type WorkflowId } from '#protocol';
import { nextWriting } from '../../../edge/workflow/core/files.ts';
import { itemAt } from '../../../edge/workflow/core/items.ts';
import { maxInlineBytes } from '../../../edge/workflow/core/draft.ts';
import { planOf } from '../../../edge/workflow/core/plan.ts';
import { begin, step } from '../../../edge/workflow/core/step.ts';
import type {
  PlannedTask,
  PlanNode,
  Sources,
  Transition,
  WorkflowCommand,
  WorkflowCore,
  WorkflowEvent,
} from '../../../edge/workflow/core/types.ts';
import { resultOf } from '../../../edge/workflow/core/values.ts';

export const workflowId = 'w-01hzzzzzzzzzzzzzzzzzzzzzzz' as WorkflowId;

/** What a call comes to: its result, how many bytes it is said to have, or a failure. */
export type Call = { value: Json; bytes: number } | { failure: string };
export type Compute = (place: string, args: Json[]) => Call;

/** Each call tells what it was given. */
export const echo: Compute = (place, args) => {
  const value = { [place]: args };
  return { value, bytes: JSON.stringify(value).length };
};

export function parse(canvas: unknown): CanvasNode {
  return canvasNodeSchema.parse(canvas);
}

/** One workflow, whose tasks and files a test sees to. */
export class Course {
  state: WorkflowCore;
  readonly waiting: PlannedTask[] = [];
  /** Everything that was ever submitted, by ref. */
  readonly submitted: PlannedTask[] = [];
  readonly commands: WorkflowCommand[] = [];
  readonly #kept = new Map<string, string>();
  readonly #compute: Compute;
  #nowMs = 1000;

  constructor(canvas: unknown, compute: Compute = echo, sources: Sources = {}) {
    this.#compute = compute;
    const plan = Array.isArray(canvas) ? (canvas as PlanNode[]) : planOf(parse(canvas), sources);
    const first = begin({ workflowId, labels: plan[0]?.labels ?? [] }, plan, {
      nowMs: 0,
      shards: [0, 1, 2],
      owner: 'ada',
    });
    this.state = first.state;
    this.#carryOut(first, '');
  }

  get result(): Json {
    return JSON.parse([...resultOf(this.state, 0, this.#read)].join('')) as Json;
  }

  /** Paths of the steps that were submitted. */
  get steps(): string[] {
    return this.#pathsOf('step');
  }

  get errbacks(): string[] {
    return this.#pathsOf('errback');
  }

  /** Stores the state and reads it back, as an eviction makes the object do. */
  crash(): void {
    this.state = JSON.parse(JSON.stringify(this.state)) as WorkflowCore;
  }

  apply(event: WorkflowEvent, text = ''): void {
    this.#carryOut(step(this.state, event, { nowMs: this.#nowMs++, shards: [0, 1, 2], owner: 'ada' }), text);
  }

  /** What the message of this task’s end does. */
  finish(task: PlannedTask, runtimeMs = 5): void {
    const index = this.waiting.indexOf(task);
    if (index >= 0) this.waiting.splice(index, 1);
    const end = this.#endOf(task);
    const text = 'failure' in end ? '' : JSON.stringify(end.value);
    this.apply(
      {
        type: 'task_finished',
        ref: task.ref,
        taskId: task.taskId,
        state: 'failure' in end ? 'FAILURE' : 'SUCCESS',
        bytes: 'failure' in end ? 0 : end.bytes,
        items: 'value' in end && Array.isArray(end.value) ? end.value.length : null,
        isFile: false,
        error: 'failure' in end ? { type: 'task_failed', message: end.failure } : null,
        runtimeMs,
      },
      text,
    );
  }

  /** Writes the file that waits to be written. */
  write(): boolean {
    const next = nextWriting(this.state);
    if (next !== null) this.apply({ type: 'written', ...next });
    return next !== null;
  }

  /** Does everything in order. */
  run(): this {
    while (this.write() || this.waiting.length > 0) {
      const [task] = this.waiting;
      if (task !== undefined) this.finish(task);
    }
    return this;
  }

  readonly #read = (node: number, part: number): string => this.#kept.get(`${node} ${part}`)!;

  #endOf({ node, call }: PlannedTask): Call {
    const { path, what } = this.state.plan[node]!;
    if (call.kind === 'errback') return this.#compute(`${path}!`, [call.error.message]);
    if (call.kind === 'range') {
      if (what.kind !== 'array') throw new Error('not an array');
      const ends = Array.from({ length: call.to - call.from }, (_, k) => {
        const index = call.from + k;
        return this.#compute(`${path}[${index}]`, [itemAt(what.array.items, index) ?? null]);
      });
      const values = ends.map((end) => ('failure' in end ? null : end.value));
      const failure = ends.find((end) => 'failure' in end);
      return failure ?? { value: values, bytes: JSON.stringify(values).length };
    }
    if (what.kind !== 'task') throw new Error('not a step');
    const input = call.input === null || what.step.immutable === true ? [] : [this.#valueOf(call.input)];
    return this.#compute(path, [...input, ...(what.step.args ?? [])]);
  }

  #valueOf(node: number): Json {
    return JSON.parse([...resultOf(this.state, node, this.#read)].join('')) as Json;
  }

  #pathsOf(kind: 'step' | 'errback'): string[] {
    const paths = this.submitted.flatMap(({ node, call }) => (call.kind === kind ? this.state.plan[node]!.path : []));
    return paths.sort();
  }

  #carryOut({ state, commands }: Transition, text: string): void {
    this.state = state;
    this.commands.push(...commands);
    for (const command of commands) {
      if (command.type === 'keep') this.#kept.set(`${command.node} ${command.part}`, text);
      if (command.type === 'submit') {
        this.submitted.push(command.task);
        this.waiting.push(command.task);
      }
    }
  }
}

/** What a canvas comes to when it is simply called: the result, or nothing, with all the calls that were made. */
export function evaluate(
  canvas: CanvasNode,
  compute: Compute,
): { value: Json | undefined; steps: string[]; errbacks: string[]; failures: string[] } {
  const steps: string[] = [];
  const errbacks: string[] = [];
  const failures: string[] = [];
  type Value = { value: Json; bytes: number };

  const settle = (value: Value | null, node: CanvasNode, path: string): Value | null => {
    if (value === null && node.link_error !== undefined) errbacks.push(path);
    return value;
  };
  const stored = ({ value, bytes }: Value, path: string): Value =>
    bytes <= maxInlineBytes
      ? { value, bytes }
      : { value: { file: `/results/workflows/${workflowId}/${path === '' ? 'result' : path}.json` }, bytes: 512 };
  const list = (values: (Value | null)[], path: string): Value | null => {
    if (values.some((value) => value === null)) return null;
    const known = values as Value[];
    const bytes = 2 + known.reduce((sum, value) => sum + value.bytes + 1, 0);
    return stored({ value: known.map(({ value }) => value), bytes }, path);
  };
  const call = (path: string, args: Json[]): Value | null => {
    const end = compute(path, args);
    if (!('failure' in end)) return end;
    failures.push(end.failure);
    return null;
  };
  const join = (...parts: (string | number)[]): string => parts.filter((part) => part !== '').join('.');

  const visit = (node: CanvasNode, path: string, input: Value | undefined): Value | null => {
    if ('task' in node) {
      steps.push(path);
      const front = input === undefined || node.immutable === true ? [] : [input.value];
      const value = call(path, [...front, ...(node.args ?? [])]);
      return settle(value === null ? null : stored(value, path), node, path);
    }
    if ('chain' in node) {
      let value: Value | null | undefined = input;
      for (const [index, child] of node.chain.entries()) {
        if (value !== null) value = visit(child, join(path, 'chain', index), value);
      }
      return settle(value ?? null, node, path);
    }
    if ('group' in node) {
      const values = node.group.map((child, index) => visit(child, join(path, 'group', index), input));
      return settle(list(values, path), node, path);
    }
    if ('chord' in node) {
      const { header, body } = node.chord;
      const values = header.map((child, index) => visit(child, join(path, 'chord.header', index), input));
      if (header.length === 0) failures.push('empty');
      const joined = header.length === 0 ? null : list(values, join(path, 'chord.header'));
      return settle(joined === null ? null : visit(body, join(path, 'chord.body'), joined), node, path);
    }
    const spec = 'map' in node ? node.map : 'starmap' in node ? node.starmap : node.chunks;
    const items = spec.items as Json[];
    const results = items.map((item, index) => call(`${path}[${index}]`, [item]));
    if (results.some((value) => value === null)) return settle(null, node, path);
    const values = (results as Value[]).map(({ value }) => value);
    const size = 'chunks' in node ? node.chunks.size : null;
    const value =
      size === null
        ? values
        : Array.from({ length: Math.ceil(values.length / size) }, (_, k) => values.slice(k * size, (k + 1) * size));
    return settle({ value, bytes: JSON.stringify(value).length }, node, path);
  };
  const value = visit(canvas, '', undefined)?.value;
  return { value, steps: steps.sort(), errbacks: errbacks.sort(), failures };
}
