/** The consumer group that every stream has. */
export const consumerGroup = 'workers';

/**
 * Names of everything that is kept in Redis. The braces keep all of it in one slot of a cluster, because scripts touch several keys.
 *
 * `candidates:<evaluator>` stream of candidates to evaluate; `task:<attempt>` hash of an adopted attempt; `values:<attempt>` its answers
 * by index; `fractions:<attempt>` how far running candidates have come; `outbox` stream of attempts to write back; `group` the group’s name.
 */
export class RedisKeys {
  readonly #base: string;

  constructor(prefix: string) {
    this.#base = `{${prefix}}`;
  }

  get group(): string {
    return `${this.#base}:group`;
  }

  get outbox(): string {
    return `${this.#base}:outbox`;
  }

  candidates(evaluator: string): string {
    return `${this.#base}:candidates:${evaluator}`;
  }

  task(attempt: string): string {
    return `${this.#base}:task:${attempt}`;
  }

  values(attempt: string): string {
    return `${this.#base}:values:${attempt}`;
  }

  fractions(attempt: string): string {
    return `${this.#base}:fractions:${attempt}`;
  }
}
