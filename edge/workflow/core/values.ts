import type { Json } from '#protocol';
import type { PlannedTask, WorkflowCore } from './types.ts';

/** The JSON that was kept of a node: of a step part 0, of an array one part for each range. */
export type ReadPart = (node: number, part: number) => string;

/** A piece of a result: its text, or a file that holds the list of a range’s results, to stand there with its brackets or without. */
export type Piece = string | { readonly file: string; readonly bare: boolean };

/** The result of a node as JSON, in pieces; what lies in a file is named by it. */
export function* resultOf(core: WorkflowCore, id: number, read: ReadPart): Generator<string> {
  const file = core.nodes[id]?.file;
  if (file !== undefined) {
    yield JSON.stringify({ file });
    return;
  }
  for (const piece of contentOf(core, id, read)) {
    if (typeof piece !== 'string') throw new Error(`the result of node ${id} was not put together`);
    yield piece;
  }
}

/** The result of a node itself, of which only its parts may lie in files. */
export function* contentOf(core: WorkflowCore, id: number, read: ReadPart): Generator<Piece> {
  const planned = core.plan[id];
  const node = core.nodes[id];
  if (planned === undefined || node === undefined) throw new Error(`there is no node ${id}`);
  const { what, children } = planned;
  switch (what.kind) {
    case 'task':
      yield read(id, 0);
      return;
    case 'chain':
    case 'chord': {
      const last = children.at(-1);
      if (last !== undefined) yield* resultOf(core, last, read);
      return;
    }
    case 'group':
      yield '[';
      for (const [index, child] of children.entries()) {
        if (index > 0) yield ',';
        yield* resultOf(core, child, read);
      }
      yield ']';
      return;
    case 'array':
      yield '[';
      for (let part = 0; part < (node.array?.ranges ?? 0); part++) {
        if (part > 0) yield ',';
        yield pieceOf(read(id, part), what.array.size === null);
      }
      yield ']';
  }
}

function pieceOf(text: string, bare: boolean): Piece {
  const file = text.startsWith('[') ? null : fileOf(JSON.parse(text) as Json);
  if (file !== null) return { file, bare };
  return bare ? text.slice(1, -1) : text;
}

/** What stands in front of a planned task’s arguments; undefined for nothing. */
export function inputOf(
  { plan }: WorkflowCore,
  { node, call }: PlannedTask,
  valueOf: (node: number) => Json,
): Json | undefined {
  const planned = plan[node];
  if (call.kind === 'range' || planned === undefined) return undefined;
  if (call.kind === 'errback') {
    const { task_id, type, message, path } = call.error;
    return planned.linkError?.immutable === true ? undefined : { task_id, type, message, path };
  }
  const isImmutable = planned.what.kind === 'task' && planned.what.step.immutable === true;
  return call.input === null || isImmutable ? undefined : valueOf(call.input);
}

/** The path in `{file: path}`; null for everything else. */
export function fileOf(result: Json): string | null {
  const isObject = typeof result === 'object' && result !== null && !Array.isArray(result);
  return isObject && typeof result.file === 'string' ? result.file : null;
}

/** The pieces as text, with the files’ content in place of the files. */
export async function* withFiles(
  pieces: Iterable<Piece>,
  readFile: (path: string) => Promise<Uint8Array>,
): AsyncGenerator<string> {
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      yield piece;
    } else {
      const text = new TextDecoder().decode(await readFile(piece.file));
      yield piece.bare ? text.slice(1, -1) : text;
    }
  }
}
