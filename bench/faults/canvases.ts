import type { Rng } from '#kernels/rng';
import type { CanvasNode, Json, Step, WorkflowState } from '#protocol';
import { evaluation, valueOf } from './samples.ts';

/** A workflow, and what must come of it whatever happens. */
export interface Canvas {
  readonly node: CanvasNode;
  readonly state: WorkflowState;
  readonly result: Json;
  /** How many calls succeed. */
  readonly succeeded: number;
  /** By label: how many tasks carry it, whose number tells how often a join has fired. */
  readonly labelled: Readonly<Record<string, number>>;
}

const evaluator = { kind: 'builtin', name: 'plain' };

/** A canvas of each kind in turn. @param n its number, which its labels and its results tell */
export function canvas(n: number, rng: Rng): Canvas {
  const kind = kinds[n % kinds.length] ?? chains;
  return kind(n, rng);
}

const kinds = [chains, groups, chords, nested, maps, chunked, failing];

/** Takes nothing from the part before it. @param label of the tasks that come of it */
function step(a: number, b: number, label?: string): Step {
  return { ...evaluation('plain', a, b), immutable: true, ...(label === undefined ? {} : { labels: [label] }) };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k);
}

function succeeding(node: CanvasNode, result: Json, succeeded: number, labelled: Canvas['labelled'] = {}): Canvas {
  return { node, state: 'SUCCESS', result, succeeded, labelled };
}

function chains(n: number): Canvas {
  const last = `chain-${n}`;
  const node = { chain: [step(n, 1), { ...evaluation('slow', n, 4), immutable: true }, step(n, 3, last)] };
  return succeeding(node, valueOf(n, 3), 3, { [last]: 1 });
}

function groups(n: number, rng: Rng): Canvas {
  const parts = numbers(3 + rng.integer(6));
  const flaky: Step = { ...evaluation('flaky', n, 2), max_retries: 10, retry_backoff: false };
  const node = { group: [flaky, ...parts.map((k) => step(n, k))] };
  return succeeding(node, [valueOf(n, 2), ...parts.map((k) => valueOf(n, k))], parts.length + 1);
}

function chords(n: number, rng: Rng): Canvas {
  const parts = numbers(2 + rng.integer(8));
  const body = `body-${n}`;
  const node = { chord: { header: parts.map((k) => step(n, k)), body: step(n, 100, body) } };
  return succeeding(node, valueOf(n, 100), parts.length + 1, { [body]: 1 });
}

function nested(n: number): Canvas {
  const [body, after] = [`inner-${n}`, `after-${n}`];
  const chord = { chord: { header: [step(n, 1), { chain: [step(n, 2), step(n, 3)] }], body: step(n, 4, body) } };
  const node = {
    chain: [step(n, 0), { group: [chord, step(n, 5)] }, { group: [step(n, 6, after), step(n, 7, after)] }],
  };
  return succeeding(node, [valueOf(n, 6), valueOf(n, 7)], 8, { [body]: 1, [after]: 2 });
}

function maps(n: number, rng: Rng): Canvas {
  const items = numbers(20 + rng.integer(60));
  const node = { map: { task: 'evaluate_candidates', items: items.map((k) => [[n, k]]), kwargs: { evaluator } } };
  return succeeding(
    node,
    items.map((k) => valueOf(n, k)),
    items.length,
  );
}

function chunked(n: number, rng: Rng): Canvas {
  const [size, items] = [7, numbers(30 + rng.integer(60))];
  const [body, label] = [`joined-${n}`, `chunk-${n}`];
  const calls = items.map((k) => ({ candidates: [[n, k]] }));
  const array = { chunks: { task: 'evaluate_candidates', items: calls, kwargs: { evaluator }, size, labels: [label] } };
  const node = { group: [array, { chain: [array, step(n, 9, body)] }] };
  const chunks = numbers(Math.ceil(items.length / size)).map((c) => items.slice(c * size, (c + 1) * size));
  const results = chunks.map((chunk) => chunk.map((k) => valueOf(n, k)));
  return succeeding(node, [results, valueOf(n, 9)], 2 * items.length + 1, { [label]: 2 * chunks.length, [body]: 1 });
}

/** The body never runs; who is told of the failure, is told once. */
function failing(n: number): Canvas {
  const [body, told] = [`never-${n}`, `told-${n}`];
  const dead: Step = { ...evaluation('dead', n, 0), max_retries: 1, retry_backoff: false };
  const node = { chord: { header: [step(n, 1), dead], body: step(n, 2, body) }, link_error: step(n, 3, told) };
  return { node, state: 'FAILURE', result: null, succeeded: 1, labelled: { [body]: 0, [told]: 1 } };
}
