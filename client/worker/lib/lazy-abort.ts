/** An `AbortController` that makes its signal when somebody asks for it: hosts take longer for one than for a brief task, and most never look. */
export class LazyAbortController {
  #controller: AbortController | null = null;
  #reason: Error | null = null;

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The first reason stays. */
  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(reason);
  }

  throwIfAborted(): void {
    if (this.#reason !== null) throw this.#reason;
  }
}
