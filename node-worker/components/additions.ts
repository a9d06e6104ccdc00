import { nameSchema, TabgridError } from '#protocol';

/** What is added to a worker until a component takes it up. */
export class Additions<Value> {
  readonly #what: string;
  readonly #takenBy: string;
  readonly #byName = new Map<string, Value>();
  #isTaken = false;

  constructor(what: string, takenBy: string) {
    this.#what = what;
    this.#takenBy = takenBy;
  }

  add(name: string, value: Value): void {
    if (this.#isTaken) {
      const message = `${this.#what} ${name}: too late; a component that adds one says before: ['${this.#takenBy}']`;
      throw new TabgridError('invalid_request', message);
    }
    if (!nameSchema.safeParse(name).success || this.#byName.has(name)) {
      throw new TabgridError('invalid_request', `${this.#what} ${name}: expected a name that is not taken`);
    }
    this.#byName.set(name, value);
  }

  take(): ReadonlyMap<string, Value> {
    this.#isTaken = true;
    return this.#byName;
  }
}
