import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What stands behind the name of an evaluator. */
export type EvaluatorDeclaration =
  /** A line for `sh`. */
  | { type: 'command'; command: string }
  /** A module whose export `evaluate(candidate)` gives the values. */
  | { type: 'module'; path: string }
  /** Answers a POST of the candidate with the values. */
  | { type: 'url'; url: string };

/** Reads what the command line gives as `name=declaration`. */
export function parseEvaluators(declared: Record<string, string>): Map<string, EvaluatorDeclaration> {
  return new Map(Object.entries(declared).map(([name, text]) => [name, parseEvaluator(text)]));
}

function parseEvaluator(text: string): EvaluatorDeclaration {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return { type: 'url', url: text };
  if (!text.startsWith('module:')) return { type: 'command', command: text };
  const path = text.slice('module:'.length);
  return { type: 'module', path: path.startsWith('file:') ? fileURLToPath(path) : resolve(path) };
}
