import { TabgridError, type Json } from '#protocol';
import type { CandidateValues } from '../../client/worker/index.ts';
import type { EvaluatorDeclaration } from './declaration.ts';
import { evaluatorEnvironment } from './environment.ts';
import { evaluateByFunction } from './function.ts';
import { OutputReader } from './output.ts';
import { runGroup } from './process-group.ts';
import { evaluateByUrl } from './url.ts';

/** One candidate to evaluate. */
export interface Evaluation {
  name: string;
  candidate: Json;
  taskId: string;
  attempt: number;
  /** The candidate’s place in the task, from 0. */
  index: number;
  timeLimitMs: number;
  /** Aborted at the soft time limit, with its message. */
  softLimit: AbortSignal;
  signal: AbortSignal;
  onFraction: (fraction: number) => void;
}

export interface EvaluatorsOptions {
  declarations: ReadonlyMap<string, EvaluatorDeclaration>;
  /** Names of further environment variables that commands see. */
  extraEnvironment: readonly string[];
  killAfterMs: number;
}

/** Reads the candidate, calls the module’s `evaluate(candidate, report)` and prints its answer; `report(0.3)` tells progress. */
const moduleRunner = `
import { pathToFileURL } from 'node:url';
const { evaluate } = await import(pathToFileURL(process.argv[1]).href);
if (typeof evaluate !== 'function') throw new Error(process.argv[1] + ' has no export named evaluate');
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const report = (progress) => console.log(JSON.stringify({ progress }));
const values = await evaluate(JSON.parse(Buffer.concat(chunks).toString()), report);
process.stdout.write('\\n' + JSON.stringify(values) + '\\n');
`;

/** At a SIGTERM to the group the shell of a command awaits the program that it runs, and ends as that does; programs are not affected. */
const patient = `trap 'exit $?' TERM\n`;

/** The named evaluators of one worker. */
export class Evaluators {
  readonly #options: EvaluatorsOptions;

  constructor(options: EvaluatorsOptions) {
    this.#options = options;
  }

  get names(): string[] {
    return [...this.#options.declarations.keys()];
  }

  /** @throws TabgridError `evaluator_not_allowed`, `evaluator_failed`, `soft_time_limit_exceeded`, `time_limit_exceeded`; the signal’s reason on abort. */
  async evaluate(evaluation: Evaluation): Promise<CandidateValues> {
    const declaration = this.#options.declarations.get(evaluation.name);
    switch (declaration?.type) {
      case undefined:
        throw new TabgridError('evaluator_not_allowed', `This worker has no evaluator ${evaluation.name}.`);
      case 'command':
        return this.#run(['/bin/sh', '-c', `${patient}${declaration.command}`], evaluation);
      case 'module': {
        const node = [process.execPath, '--input-type=module', '-e', moduleRunner];
        return this.#run([...node, declaration.path], evaluation);
      }
      case 'url':
        return evaluateByUrl(declaration.url, evaluation);
      case 'function':
        return evaluateByFunction(declaration.evaluate, evaluation);
    }
  }

  async #run(argv: string[], evaluation: Evaluation): Promise<CandidateValues> {
    const output = new OutputReader(evaluation.onFraction);
    await runGroup({
      argv,
      environment: evaluatorEnvironment(process.env, this.#options.extraEnvironment, evaluation),
      stdin: `${JSON.stringify(evaluation.candidate)}\n`,
      onStdout: (chunk) => output.push(chunk),
      timeLimitMs: evaluation.timeLimitMs,
      softLimit: evaluation.softLimit,
      killAfterMs: this.#options.killAfterMs,
      signal: evaluation.signal,
    });
    try {
      return output.end();
    } catch (error) {
      // Asked to end, it ended without an answer.
      throw evaluation.softLimit.aborted ? (evaluation.softLimit.reason as Error) : error;
    }
  }
}
