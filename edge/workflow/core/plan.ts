import { argumentsOfCall, findTaskType, needsOfCalls, type TaskType } from '#catalog';
import type { ArraySpec, CanvasNode, Step } from '#protocol';
import { omit } from '../../lib/omit.ts';
import { countOf, itemAt } from './items.ts';
import type { ArrayPlan, FileItems, PlanNode, Sources } from './types.ts';

/** Makes a plan of a canvas that has been checked: every part under a number, the whole under 0, parents before their children. */
export function planOf(canvas: CanvasNode, sources: Sources): PlanNode[] {
  const plan: (PlanNode & { children: number[] })[] = [];

  const add = (
    path: string,
    what: PlanNode['what'],
    around: { parent: number | null; labels: readonly string[] },
    {
      labels = [],
      link_error: linkError = null,
    }: { labels?: string[] | undefined; link_error?: Step | null | undefined },
  ): number => {
    const id = plan.length;
    const siblings = around.parent === null ? [] : (plan[around.parent]?.children ?? []);
    plan.push({
      parent: around.parent,
      position: siblings.length,
      path,
      children: [],
      labels: [...new Set([...around.labels, ...labels])],
      linkError,
      what,
    });
    siblings.push(id);
    return id;
  };

  const visit = (node: CanvasNode, path: string, parent: number | null): void => {
    const around = { parent, labels: parent === null ? [] : (plan[parent]?.labels ?? []) };
    if ('task' in node) {
      add(path, { kind: 'task', step: node }, around, node);
    } else if ('chain' in node) {
      const id = add(path, { kind: 'chain' }, around, node);
      node.chain.forEach((child, index) => visit(child, under(path, 'chain', index), id));
    } else if ('group' in node) {
      const id = add(path, { kind: 'group' }, around, node);
      node.group.forEach((child, index) => visit(child, under(path, 'group', index), id));
    } else if ('chord' in node) {
      const id = add(path, { kind: 'chord' }, around, node);
      const inside = { parent: id, labels: plan[id]?.labels ?? [] };
      const header = add(under(path, 'chord.header'), { kind: 'group' }, inside, {});
      node.chord.header.forEach((child, index) => visit(child, under(path, 'chord.header', index), header));
      visit(node.chord.body, under(path, 'chord.body'), id);
    } else {
      const { spec } = arrayOf(node);
      const array = arrayPlan(node, sources);
      const labels = [...(node.labels ?? []), ...(spec.labels ?? [])];
      add(path, { kind: 'array', array }, around, { labels, link_error: node.link_error });
    }
  };

  visit(canvas, '', null);
  return plan;
}

export function under(path: string, ...parts: (string | number)[]): string {
  return [path, ...parts].filter((part) => part !== '').join('.');
}

export type ArrayNode = Extract<CanvasNode, { map: unknown } | { starmap: unknown } | { chunks: unknown }>;

export function arrayOf(node: ArrayNode): {
  kind: 'map' | 'starmap' | 'chunks';
  spec: ArraySpec & { size?: number };
  star: boolean;
} {
  if ('map' in node) return { kind: 'map', spec: node.map, star: false };
  if ('starmap' in node) return { kind: 'starmap', spec: node.starmap, star: true };
  return { kind: 'chunks', spec: node.chunks, star: true };
}

function arrayPlan(node: ArrayNode, sources: Sources): ArrayPlan {
  const { spec, star } = arrayOf(node);
  const type = findTaskType(spec.task);
  if (type === undefined) throw new Error(`there is no task type ${spec.task}`);
  const items = itemsOf(spec, sources);
  const { kwargs = {}, size = null } = spec;
  const first = itemAt(items, 0);
  const calls = { star, kwargs };
  const times = first === undefined ? 1 : (type.items?.(argumentsOfCall(type, calls, first)) ?? 1);
  return {
    task: type.name,
    ...calls,
    items,
    count: countOf(items),
    size,
    needs: needsOfCalls(type, calls),
    options: {
      ...omit(spec, 'task', 'items', 'kwargs', 'size', 'labels'),
      ...limitsOf(spec, type, times),
    },
  };
}

/** Time limits of one item: those of the task type where the canvas says none. */
function limitsOf(
  spec: Pick<ArraySpec, 'soft_time_limit' | 'time_limit'>,
  type: TaskType,
  times: number,
): Pick<ArraySpec, 'soft_time_limit' | 'time_limit'> {
  const seconds = (given: number | undefined, typeMs: number | undefined): number | undefined => {
    const each = given ?? (typeMs === undefined ? undefined : typeMs / 1000);
    return each === undefined ? undefined : each * times;
  };
  return {
    soft_time_limit: seconds(spec.soft_time_limit, type.softTimeLimitMs),
    time_limit: seconds(spec.time_limit, type.timeLimitMs),
  };
}

function itemsOf({ items }: ArraySpec, sources: Sources): ArrayPlan['items'] {
  if (Array.isArray(items) || !('file' in items)) return items;
  const source: FileItems | undefined = sources[items.file];
  if (source === undefined) throw new Error(`${items.file} was not counted`);
  return source;
}

/** The node whose result is put in front of this one’s arguments; null at the beginning. */
export function inputOf(plan: readonly PlanNode[], id: number): number | null {
  const node = plan[id];
  if (node === undefined || node.parent === null) return null;
  const parent = plan[node.parent];
  if (parent === undefined) return null;
  if (parent.what.kind === 'group' || node.position === 0) return inputOf(plan, node.parent);
  return parent.children[node.position - 1] ?? null;
}

export function isLast(plan: readonly PlanNode[], id: number): boolean {
  const node = plan[id];
  if (node === undefined || node.parent === null) return true;
  return plan[node.parent]?.children.at(-1) === id;
}
