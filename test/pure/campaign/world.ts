import { campaignSpecSchema, type CampaignId, type CampaignSpec, type Json, type JsonObject } from '#protocol';
import { Rng } from '#kernels/rng';
import { readFiles } from '../../../edge/campaign/core/load.ts';
import type { TaskEnd } from '../../../edge/campaign/core/rehearse.ts';
import { begin, step } from '../../../edge/campaign/core/step.ts';
import type { CampaignCommand, CampaignCore, CampaignEvent, PlannedTask } from '../../../edge/campaign/core/types.ts';

export const id = 'c-01000000000000000000000000' as CampaignId;

export function spec(changes: object = {}): CampaignSpec {
  return campaignSpecSchema.parse({
    name: 'test',
    space: { pool: '/pool.csv' },
    objectives: [{ name: 'y', goal: 'max' }],
    evaluator: { kind: 'table', path: '/pool.csv' },
    surrogate: { members: 3 },
    initial: 2,
    batch_size: 2,
    budget: 8,
    seed: 1,
    ...changes,
  });
}

export const box = {
  inputs: [
    { name: 'a', type: 'float', min: -1, max: 3 },
    { name: 'b', type: 'integer', min: 0, max: 4 },
  ],
};

/** 24 designs, each in the file twice. */
export const poolCsv = [
  'a,b,y',
  ...Array.from({ length: 48 }, (_, i) => `${(i % 24) % 6},${Math.floor((i % 24) / 6)},0`),
].join('\n');

/** What a candidate comes to: a function of it alone. */
export function outcome({ a, b }: { a: number; b: number }): number {
  return 10 - (a - 1) * (a - 1) - (b - 2) * (b - 2);
}

/** Results that are functions of the arguments alone, in place of kernels. */
export function compute({ task, kwargs }: PlannedTask): TaskEnd {
  const success = (result: Json): TaskEnd => ({ state: 'SUCCESS', result, error: null });
  const prediction = { mean: [5, 5], std: [1, 1] };
  const rng = new Rng(typeof kwargs.seed === 'number' ? kwargs.seed : 0);
  switch (task) {
    case 'train_surrogate':
      return success({
        model_path: kwargs.model_path ?? '',
        sha256: '',
        members: kwargs.members ?? 1,
        epochs_run: [1],
        train_loss: 0,
        validation: null,
      });
    case 'score_candidates': {
      const tried = new Set(kwargs.exclude as number[]);
      const rows = Uint32Array.from({ length: 24 }, (_, row) => row).filter((row) => !tried.has(row));
      rng.shuffle(rows);
      const proposals = Array.from(rows.subarray(0, kwargs.count as number), (row) => {
        return { row, inputs: [row % 6, Math.floor(row / 6)], score: 1, mean: 5, std: 1, prediction };
      });
      return success({ proposals });
    }
    case 'run_cmaes_optimization': {
      const [lower, upper] = kwargs.bounds as [number[], number[]];
      const x = lower.map((low, k) => low + rng.uniform() * (upper[k]! - low));
      x[1] = Math.round(x[1]!);
      return success({ x, fun: rng.uniform(), evaluations: 1, iterations: 1, restarts: 0, stop: {}, prediction });
    }
    default: {
      const candidates = kwargs.candidates as { a: number; b: number }[];
      const values = candidates.map((one) => ({ y: outcome(one), z: one.a }));
      return success({ values, failed: [] });
    }
  }
}

/** A campaign whose tasks the test carries out as it likes. */
export class Course {
  state: CampaignCore;
  /** Tasks that have been submitted and not been answered. */
  readonly waiting: PlannedTask[] = [];
  readonly commands: CampaignCommand[] = [];
  nowMs = 0;

  constructor(of: CampaignSpec) {
    const { state, commands } = begin(id, of, 0);
    this.state = state;
    this.commands.push(...commands);
  }

  /** With its files read. */
  static loaded(of: CampaignSpec, dataset: string | null = null): Course {
    const course = new Course(of);
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const pool = 'pool' in of.space ? bytes(poolCsv) : null;
    course.apply(readFiles(of, { pool, dataset: dataset === null ? null : bytes(dataset) }));
    return course;
  }

  apply(event: CampaignEvent): CampaignCommand[] {
    const { state, commands } = step(this.state, event, this.nowMs);
    this.state = state;
    this.commands.push(...commands);
    for (const command of commands) {
      if (command.type === 'submit') this.waiting.push(...command.tasks);
      if (command.type === 'revoke_all') this.waiting.length = 0;
    }
    return [...commands];
  }

  finish(task: PlannedTask, end: TaskEnd = compute(task)): CampaignCommand[] {
    const place = this.waiting.indexOf(task);
    if (place >= 0) this.waiting.splice(place, 1);
    return this.apply({ type: 'task_finished', ref: task.ref, ...end });
  }

  /** Answers tasks in order until `until` holds or none waits. */
  run(until: (course: Course) => boolean = () => false, answer: (task: PlannedTask) => TaskEnd = compute): this {
    for (let task = this.waiting[0]; task !== undefined && !until(this); task = this.waiting[0]) {
      this.finish(task, answer(task));
    }
    return this;
  }

  /** What must not depend on the course of events. */
  get result(): Json {
    const { candidates, iterations, phase, models } = this.state;
    return JSON.parse(
      JSON.stringify({ candidates, phase, models, iterations: iterations.map((one) => ({ ...one, seconds: 0 })) }),
    ) as Json;
  }

  kwargs(ref: string): JsonObject {
    const submitted = this.commands.flatMap((command) => (command.type === 'submit' ? command.tasks : []));
    const found = submitted.find((task) => task.ref === ref);
    if (found === undefined) throw new Error(`${ref} is not among ${submitted.map((task) => task.ref).join(', ')}`);
    return found.kwargs;
  }

  get reason(): string | null {
    return this.state.phase.type === 'finished' ? this.state.phase.reason : null;
  }
}
