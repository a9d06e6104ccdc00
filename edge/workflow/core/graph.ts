import { finalStates, type WorkflowState } from '#protocol';
import { itemsOpen } from './arrays.ts';
import type { NodeState, PlanNode, WorkflowCore } from './types.ts';

/** A workflow as a drawing for Graphviz: an arrow means that a result is waited for, a dashed one leads to what a failure does. */
export function graphOf(core: WorkflowCore): string {
  const lines: string[] = [];
  const draw = (name: string, attributes: Record<string, string>): void => {
    const list = Object.entries(attributes).map(([key, value]) => `${key}=${quoted(value)}`);
    lines.push(`  ${name} [${list.join(', ')}];`);
  };
  const arrow = (from: string, to: string, attributes = ''): void =>
    void lines.push(`  ${from} -> ${to}${attributes};`);

  /** Draws a part. @returns where it begins and the one place where it ends. */
  const visit = (id: number): { first: string[]; last: string } => {
    const planned = core.plan[id];
    const node = core.nodes[id];
    if (planned === undefined || node === undefined) throw new Error(`there is no node ${id}`);
    const ends = part(id, planned, node);
    if (planned.linkError !== null) {
      const state = node.errback === undefined ? 'waiting' : node.errback.state;
      draw(`e${id}`, { label: `${planned.linkError.task}\n${words[state]}`, ...look[state], style: 'filled,dashed' });
      arrow(ends.last, `e${id}`, ' [style=dashed]');
    }
    return ends;
  };

  const part = (id: number, { what, children }: PlanNode, node: NodeState): { first: string[]; last: string } => {
    if (what.kind === 'task' || what.kind === 'array') {
      const shown = shownPhase(core.state, node);
      draw(`n${id}`, { label: labelOf(what, node, shown), ...look[shown] });
      return { first: [`n${id}`], last: `n${id}` };
    }
    const ends = children.map(visit);
    if (what.kind === 'group') {
      draw(`j${id}`, { label: '', shape: 'point' });
      for (const { last } of ends) arrow(last, `j${id}`);
      const first = ends.flatMap((end) => end.first);
      return { first: first.length === 0 ? [`j${id}`] : first, last: `j${id}` };
    }
    ends.forEach(({ first }, index) => {
      const before = ends[index - 1];
      if (before !== undefined) for (const to of first) arrow(before.last, to);
    });
    return { first: ends[0]?.first ?? [], last: ends.at(-1)?.last ?? '' };
  };

  // What was refused before it began has no parts.
  if (core.plan.length > 0) visit(0);
  const head = `digraph ${quoted(core.workflowId)} {\n  rankdir=LR;\n  node [shape=box, style=filled];`;
  return `${head}\n${lines.join('\n')}\n}\n`;
}

type Shown = 'waiting' | 'running' | 'succeeded' | 'failed' | 'revoked' | 'skipped';

const words: Record<Shown, string> = {
  waiting: 'PENDING',
  running: 'STARTED',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
  revoked: 'REVOKED',
  skipped: 'not run',
};

const look: Record<Shown, { fillcolor: string }> = {
  waiting: { fillcolor: 'white' },
  running: { fillcolor: 'lightblue' },
  succeeded: { fillcolor: 'palegreen' },
  failed: { fillcolor: 'salmon' },
  revoked: { fillcolor: 'lightgray' },
  skipped: { fillcolor: 'white' },
};

function shownPhase(state: WorkflowState, { phase }: NodeState): Shown {
  if (phase === 'writing') return 'running';
  const isOver = finalStates.some((final) => final === state);
  return phase === 'waiting' && isOver ? 'skipped' : phase;
}

function labelOf(what: Extract<PlanNode['what'], { kind: 'task' | 'array' }>, node: NodeState, shown: Shown): string {
  if (what.kind === 'task') return `${what.step.task}\n${words[shown]}`;
  const { task, count } = what.array;
  const done = node.array?.done.items ?? 0;
  const running = node.array === undefined || node.phase !== 'running' ? 0 : itemsOpen(node.array);
  return `${task} × ${count}\n${done} done, ${running} running`;
}

/** A string of the DOT language; a line break becomes its escape. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}
