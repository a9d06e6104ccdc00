/** A binary heap: the first by `isBefore` on top. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  top(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    let index = this.#items.length;
    for (let parent = (index - 1) >> 1; index > 0; parent = (index - 1) >> 1) {
      const above = this.#items[parent] as T;
      if (!this.#isBefore(item, above)) break;
      this.#items[index] = above;
      index = parent;
    }
    this.#items[index] = item;
  }

  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (this.#items.length > 0) this.#sink(last as T);
    return top;
  }

  #sink(item: T): void {
    const { length } = this.#items;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#isBefore(this.#items[child + 1] as T, this.#items[child] as T)) child++;
      const below = this.#items[child] as T;
      if (!this.#isBefore(below, item)) break;
      this.#items[index] = below;
      index = child;
    }
    this.#items[index] = item;
  }
}
