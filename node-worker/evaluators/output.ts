import { TabgridError } from '#protocol';
import type { CandidateValues } from '../../client/worker/index.ts';

/** A longer line is no answer but a mistake. */
const maxLineChars = 1024 * 1024;

/** Reads an evaluator’s standard output: progress lines on the way, the answer in the last line that is not empty. */
export class OutputReader {
  readonly #onFraction: (fraction: number) => void;
  readonly #decoder = new TextDecoder();
  #rest = '';
  #lastLine = '';

  constructor(onFraction: (fraction: number) => void) {
    this.#onFraction = onFraction;
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, maxLineChars + 1);
    for (const line of lines) this.#line(line);
  }

  /** @throws TabgridError `evaluator_failed` when the last line is not an answer. */
  end(): CandidateValues {
    this.#line(this.#rest);
    return valuesOf(this.#lastLine);
  }

  #line(line: string): void {
    const text = line.trim();
    if (text === '') return;
    const fraction = fractionOf(text);
    if (fraction === null) this.#lastLine = text.slice(0, maxLineChars + 1);
    else this.#onFraction(Math.min(1, Math.max(0, fraction)));
  }
}

/** `{"progress": 0.3}` and nothing else. */
function fractionOf(text: string): number | null {
  if (!text.startsWith('{') || text.length > 100) return null;
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return null;
  const { progress } = value as { progress?: unknown };
  return typeof progress === 'number' ? progress : null;
}

/**
 * The values in an evaluator’s answer: a number, which is called `y`, or an object of numbers by name, null where there is none.
 *
 * @throws TabgridError `evaluator_failed`
 */
export function valuesOf(text: string): CandidateValues {
  if (text === '') throw refuse('it printed nothing');
  if (text.length > maxLineChars) throw refuse(`its last line is longer than ${maxLineChars} characters`);
  const value = parse(text);
  if (value === undefined) throw refuse(`its last line is not JSON: ${text.slice(0, 200)}`);
  if (typeof value === 'number') return { y: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    throw refuse(`expected a number or an object of numbers in the last line, got ${text.slice(0, 200)}`);
  }
  for (const [name, one] of Object.entries(value)) {
    if (one !== null && typeof one !== 'number') {
      throw refuse(`${name}: expected a number or null, got ${JSON.stringify(one).slice(0, 200)}`);
    }
  }
  return value as CandidateValues;
}

/** JSON as Python and others write it too: NaN and Infinity are null. */
function parse(text: string): unknown {
  for (const candidate of [text, text.replace(/-?\b(?:NaN|Infinity)\b/g, 'null')]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // The second form may fit.
    }
  }
  return undefined;
}

function refuse(message: string): TabgridError {
  return new TabgridError('evaluator_failed', message);
}
