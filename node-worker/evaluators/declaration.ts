import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json } from '#protocol';

/**
 * Evaluates one candidate in this process: the answer is an object of numbers, or one number, which is called `y`. It must not keep the
 * thread for long, because the heartbeat lives there too.
 */
export type EvaluateFunction = (
  candidate: Json,
  evaluation: { signal: AbortSignal; report: (fraction: number) => void },
) => unknown;

/** What stands behind the name of an evaluator. */
export type EvaluatorDeclaration =
  /** A line for `sh`. */
  | { type: 'command'; command: string }
  /** A module whose export `evaluate(candidate)` gives the values. */
  | { type: 'module'; path: string }
  /** Answers a POST of the candidate with the values. */
  | { type: 'url'; url: string }
  /** A component of the worker brought it. */
  | { type: 'function'; evaluate: EvaluateFunction };

/** Reads what the command line gives as `name=declaration`. */
export function parseEvaluators(declared: Record<string, string>): Map<string, EvaluatorDeclaration> {
  return new Map(Object.entries(declared).map(([name, text]) => [name, parseEvaluator(text)]));
}

/** @param text as in `--evaluator name='text'` */
export function parseEvaluator(text: string): EvaluatorDeclaration {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return { type: 'url', url: text };
  if (!text.startsWith('module:')) return { type: 'command', command: text };
  const path = text.slice('module:'.length);
  return { type: 'module', path: path.startsWith('file:') ? fileURLToPath(path) : resolve(path) };
}
