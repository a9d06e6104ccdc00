import type { Answer, Leg, Question } from '../program/answer.ts';
import type { Digests } from '../program/conform.ts';

/** How an engine is talked to. */
export interface Line {
  /** One question at a time. */
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

/** The snapshot at a leg's stop, in base64; or, from the last leg, the digest of the result. */
export type LegEnd = { readonly snapshot: string } | { readonly digest: string };

/** An engine that runs the conformance program. */
export class Engine {
  readonly name: string;
  readonly version: string;
  readonly #line: Line;

  constructor(name: string, version: string, line: Line) {
    this.name = name;
    this.version = version;
    this.#line = line;
  }

  async #ask(question: Question): Promise<Answer> {
    const answer = await this.#line.ask(question);
    if (answer.type === 'error') throw new Error(`${this.name}: ${answer.message}`);
    return answer;
  }

  /** Of all cases. */
  async digests(): Promise<Digests> {
    const answer = await this.#ask({ type: 'digests' });
    return answer.type === 'digests' ? answer.digests : this.#confused(answer);
  }

  async leg(leg: Leg): Promise<LegEnd> {
    const answer = await this.#ask({ type: 'leg', ...leg });
    return 'snapshot' in answer || 'digest' in answer ? answer : this.#confused(answer);
  }

  #confused(answer: Answer): never {
    throw new Error(`${this.name} gave ${answer.type} to another question.`);
  }

  close(): Promise<void> {
    return this.#line.close();
  }
}
