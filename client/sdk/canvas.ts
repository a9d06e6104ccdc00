import type { FirstKeyword, KwargsInput, Result, SubmittableTask } from '#catalog';
import type { ArraySpec, CanvasNode, Json, JsonObject, Step } from '#protocol';
import type { Items } from './items.ts';
import { signature, type SubmitOptions, type TaskOptions } from './signature.ts';

/** Celery’s canvas as functions: what they return is the JSON that `POST /v1/workflows` takes. */

declare const flow: unique symbol;

interface Flow<Output, Input> {
  readonly output: Output;
  readonly takes: (input: Input) => void;
}

/**
 * A canvas that tells the compiler what comes of it, and what it takes from the part before it: `void` for nothing at all, `unknown` for anything, which
 * it does not look at. Nothing of that exists at run time.
 */
export type Canvas<Output = unknown, Input = never, Node extends CanvasNode = CanvasNode> = Node & {
  readonly [flow]?: Flow<Output, Input>;
};

/** What comes of a canvas. */
export type OutputOf<Part> = Part extends { readonly [flow]?: infer Kind } ? FlowOf<Kind>['output'] : unknown;
type InputOf<Part> = Part extends { readonly [flow]?: infer Kind } ? Parameters<FlowOf<Kind>['takes']>[0] : unknown;
/** Of plain JSON nothing is known. */
type FlowOf<Kind> =
  NonNullable<Kind> extends Flow<infer Output, infer Input> ? Flow<Output, Input> : Flow<unknown, unknown>;

type Outputs<Parts extends readonly CanvasNode[]> = { -readonly [At in keyof Parts]: OutputOf<Parts[At]> };
/** What all of them take. */
type CommonInput<Parts extends readonly CanvasNode[]> = [
  { [At in keyof Parts]: (input: InputOf<Parts[At]>) => void }[number],
] extends [(input: infer Input) => void]
  ? Input
  : never;

/** What is given, for whom takes it: of what nothing is known, anything is believed. */
type Handed<Given> = unknown extends Given
  ? never
  : Given extends readonly unknown[]
    ? { -readonly [At in keyof Given]: Handed<Given[At]> }
    : Given;

/** The same parts, each taking what the one before gives. */
type Linked<Parts extends readonly CanvasNode[], Given> = Parts extends readonly [
  infer Part extends CanvasNode,
  ...infer Others extends CanvasNode[],
]
  ? readonly [Canvas<OutputOf<Part>, Given>, ...Linked<Others, Handed<OutputOf<Part>>>]
  : readonly [];
type Last<Parts extends readonly CanvasNode[]> = Parts extends readonly [...CanvasNode[], infer Part]
  ? Part
  : CanvasNode;

type Without<Kwargs, Keyword extends string> = Kwargs extends unknown ? Omit<Kwargs, Keyword> : never;
type Member<Kwargs, Keyword extends string> = Keyword extends keyof Kwargs ? Kwargs[Keyword] : never;
/** What the first argument may be. */
type First<Name extends SubmittableTask> = Exclude<Member<KwargsInput<Name>, FirstKeyword<Name>>, undefined>;
/** All arguments, the first one among them. */
type Whole<Name extends SubmittableTask> = KwargsInput<Name> & Record<FirstKeyword<Name>, First<Name>>;
/** All arguments but the first. */
type Rest<Name extends SubmittableTask> = Without<KwargsInput<Name>, FirstKeyword<Name>>;
/** What a step without its first argument takes: that one, and nothing where it has a default, or where there is none. */
type Missing<Name extends SubmittableTask> =
  | First<Name>
  | (undefined extends Member<KwargsInput<Name>, FirstKeyword<Name>> ? void : never)
  | ([FirstKeyword<Name>] extends [never] ? void : never);

/** How the task of a step is to be run. */
export type StepOptions = Omit<SubmitOptions, 'idempotencyKey'>;

/**
 * A step: Celery’s `.s()`. In a chain, and as the body of a chord, the result before it becomes its first argument; then that one is left out here.
 */
export function s<Name extends SubmittableTask>(
  task: Name,
  kwargs: Whole<Name>,
  options?: StepOptions,
): Canvas<Result<Name>, void, Step>;
export function s<Name extends SubmittableTask>(
  task: Name,
  kwargs?: Rest<Name>,
  options?: StepOptions,
): Canvas<Result<Name>, Missing<Name>, Step>;
export function s(task: SubmittableTask, kwargs: object = {}, options: StepOptions = {}): Step {
  return signature(task, kwargs as never, options);
}

/** A step that takes nothing from the part before it: Celery’s `.si()`. */
export function si<Name extends SubmittableTask>(
  task: Name,
  kwargs: KwargsInput<Name>,
  options: StepOptions = {},
): Canvas<Result<Name>, unknown, Step> {
  return { ...signature(task, kwargs, options), immutable: true };
}

/** The same step, taking nothing from the part before it. */
export function immutable<Output>(step: Canvas<Output, void, Step>): Canvas<Output, unknown, Step> {
  return { ...step, immutable: true } as Canvas<Output, unknown, Step>;
}

/** One part after the other; each gets the result of the one before. Its result is the last one’s. */
export function chain<const Parts extends readonly [CanvasNode, ...CanvasNode[]]>(
  ...parts: Parts & Linked<Parts, InputOf<Parts[0]>>
): Canvas<OutputOf<Last<Parts>>, InputOf<Parts[0]>> {
  return { chain: [...parts] };
}

/** All parts at once. Its result is the list of theirs, in this order. */
export function group<const Parts extends readonly CanvasNode[]>(
  ...parts: Parts
): Canvas<Outputs<Parts>, CommonInput<Parts>> {
  return { group: [...parts] };
}

/** The parts of the header at once, and then the body, which gets the list of their results. Its result is the body’s. */
export function chord<const Header extends readonly CanvasNode[], Output>(
  header: Header,
  body: Canvas<Output, Handed<Outputs<Header>>>,
): Canvas<Output, CommonInput<Header>> {
  return { chord: { header: [...header], body } };
}

/** How the calls of an array are to be run; limits and retries are for one call. */
export interface ArrayOptions<Kwargs = JsonObject> extends TaskOptions {
  /** What all calls share. */
  kwargs?: Kwargs;
}

type MapOptions<Name extends SubmittableTask> =
  Partial<Rest<Name>> extends Rest<Name>
    ? [options?: ArrayOptions<Rest<Name>>]
    : [options: ArrayOptions<Rest<Name>> & { kwargs: Rest<Name> }];

/** One call for each item, which is its first argument. Its result is the list of results. */
export function map<Name extends SubmittableTask>(
  task: Name,
  items: Items<First<Name>>,
  ...[options]: MapOptions<Name>
): Canvas<Result<Name>[], unknown> {
  return { map: arraySpec(task, items, options) };
}

/** One call for each item, which is its arguments: an object of keyword arguments, or a list of positional ones. */
export type Arguments<Name extends SubmittableTask> = Partial<KwargsInput<Name>> | readonly Json[];

/** One call for each item, which is its arguments beside those that all share. Its result is the list of results. */
export function starmap<Name extends SubmittableTask>(
  task: Name,
  items: Items<Arguments<Name>>,
  options: ArrayOptions<Partial<KwargsInput<Name>>> = {},
): Canvas<Result<Name>[], unknown> {
  return { starmap: arraySpec(task, items, options) };
}

/** `starmap` in tasks of `size` items each. Its result is a list of lists. */
export function chunks<Name extends SubmittableTask>(
  task: Name,
  items: Items<Arguments<Name>>,
  size: number,
  options: ArrayOptions<Partial<KwargsInput<Name>>> = {},
): Canvas<Result<Name>[][], unknown> {
  return { chunks: { ...arraySpec(task, items, options), size } };
}

function arraySpec(task: SubmittableTask, items: object, options: ArrayOptions<object> = {}): ArraySpec {
  const { kwargs = {}, ...rest } = options;
  return { ...signature(task, kwargs as never, rest), items: items as ArraySpec['items'] };
}

/** What a step of `linkError` gets: which part failed, and why. */
export interface CanvasError {
  task_id: string | null;
  type: string;
  message: string;
  /** Where in the canvas, such as `chain.1.group.0`. */
  path: string;
}

/** The same canvas, with a step that runs once when it fails for good. It gets the error, unless it is immutable. */
export function linkError<Part extends CanvasNode>(part: Part, step: Canvas<unknown, CanvasError, Step>): Part {
  return { ...part, link_error: step };
}

/** The same canvas, every task of which has these labels too. */
export function withLabels<Part extends CanvasNode>(part: Part, ...labels: string[]): Part {
  return { ...part, labels: [...new Set([...(part.labels ?? []), ...labels])] };
}
