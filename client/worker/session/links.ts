import { Link, linkId } from './link.ts';
import type { LinkId, SessionEffect, SessionOptions } from './messages.ts';

/** A worker’s links: one to each shard of each of its edges. How many shards there are, an edge says in `welcome`. */
export class Links {
  readonly #options: SessionOptions;
  readonly #emit: (effect: SessionEffect) => void;
  readonly #byId = new Map<LinkId, Link>();
  /** By edge, as its newest welcome said. */
  readonly #shards = new Map<number, number>();

  constructor(options: SessionOptions, emit: (effect: SessionEffect) => void) {
    this.#options = options;
    this.#emit = emit;
  }

  add(edge: number, shard: number): Link {
    const link = new Link({ edge, shard }, this.#options, this.#emit);
    this.#byId.set(link.id, link);
    return link;
  }

  remove({ id }: Link): void {
    this.#byId.delete(id);
  }

  get(id: LinkId): Link | undefined {
    return this.#byId.get(id);
  }

  all(): Link[] {
    return [...this.#byId.values()];
  }

  online(): LinkId[] {
    const online: LinkId[] = [];
    for (const { id, state } of this.#byId.values()) if (state === 'online') online.push(id);
    return online;
  }

  get isAnyLive(): boolean {
    return this.all().some(({ isLive }) => isLive);
  }

  /** Connections made so far. */
  get welcomes(): number {
    return this.all().reduce((sum, { welcomes }) => sum + welcomes, 0);
  }

  /** As far as the farthest has come. */
  get phase(): 'connecting' | 'hello' | 'working' {
    let phase: 'connecting' | 'hello' = 'connecting';
    for (const { state } of this.#byId.values()) {
      if (state === 'online') return 'working';
      if (state === 'greeting') phase = 'hello';
    }
    return phase;
  }

  /** An edge has so many shards. @returns links that are new, and those that are not needed and not connected. */
  fit(edge: number, count: number): { added: Link[]; gone: Link[] } {
    this.#shards.set(edge, count);
    const missing = Array.from({ length: count }, (_, shard) => shard).filter(
      (shard) => !this.#byId.has(linkId({ edge, shard })),
    );
    return {
      added: missing.map((shard) => this.add(edge, shard)),
      gone: this.all().filter((link) => link.address.edge === edge && link.state !== 'online' && this.isGone(link)),
    };
  }

  /** Whether its shard is no more. The first one always is: it tells of the others. */
  isGone({ address: { edge, shard } }: Link): boolean {
    return shard > 0 && shard >= (this.#shards.get(edge) ?? shard + 1);
  }
}
