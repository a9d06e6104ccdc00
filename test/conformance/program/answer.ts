import { decodeBase64, encodeBase64 } from '../../../kernels/runtime/index.ts';
import { kernels } from '../cases/index.ts';
import { allDigests, runLeg } from './conform.ts';
import type { Digests } from './conform.ts';

/** One leg of a case that stops; see `runLeg`. Snapshots travel as base64. */
export interface Leg {
  readonly kernel: string;
  readonly name: string;
  readonly index: number;
  readonly snapshot: string | null;
}

/** What an engine is asked. */
export type Question = { readonly type: 'digests' } | ({ readonly type: 'leg' } & Leg);

export type Answer =
  | { readonly type: 'digests'; readonly digests: Digests }
  | { readonly type: 'snapshot'; readonly snapshot: string }
  | { readonly type: 'digest'; readonly digest: string }
  | { readonly type: 'error'; readonly message: string };

const bytesOf = (text: string): Uint8Array =>
  decodeBase64('snapshot', text, (text.length / 4) * 3 - (/=*$/.exec(text)?.[0].length ?? 0));

async function attempt(module: WebAssembly.Module, question: Question): Promise<Answer> {
  if (question.type === 'digests') return { type: 'digests', digests: await allDigests(module) };
  const { kernel, name, index, snapshot } = question;
  const work = kernels[kernel]?.[name];
  if (work === undefined || typeof work === 'function') throw new Error(`${kernel}, ${name} is no case that stops.`);
  const end = runLeg(module, work, index, snapshot === null ? undefined : bytesOf(snapshot));
  return typeof end === 'string' ? { type: 'digest', digest: end } : { type: 'snapshot', snapshot: encodeBase64(end) };
}

/** Never rejects: what goes wrong is an answer, too. */
export async function answer(module: WebAssembly.Module, question: Question): Promise<Answer> {
  try {
    return await attempt(module, question);
  } catch (error) {
    return { type: 'error', message: String(error) };
  }
}
