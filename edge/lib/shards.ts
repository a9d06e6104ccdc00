import { fnv1a } from './hash.ts';

/** What a deployment says about its Broker shards. */
export interface ShardSettings {
  readonly shards: number;
  readonly drainingShards: readonly number[];
}

/** Shards that new tasks may go to. */
export function acceptingShards({ shards, drainingShards }: ShardSettings): number[] {
  return Array.from({ length: shards }, (_, shard) => shard).filter((shard) => !drainingShards.includes(shard));
}

/**
 * The shard in which a name is at home, by rendezvous hashing (Thaler and Ravishankar, 1996): each shard has a score for the name, the highest
 * wins. A shard that is added takes over only the names that are at home in it from then on, one that is drained gives up only its own.
 *
 * @param shards not empty
 */
export function homeShard(name: string, shards: readonly number[]): number {
  let best = { shard: shards[0] ?? 0, score: -1 };
  for (const shard of shards) {
    const score = scrambled(fnv1a(`${name} ${shard}`));
    if (score > best.score) best = { shard, score };
  }
  return best.shard;
}

/** Any of them. @param random in [0, 1) */
export function anyShard(random: number, shards: readonly number[]): number {
  return shards[Math.floor(random * shards.length)] ?? 0;
}

/** MurmurHash3’s finalizer: texts that differ in their last character alone get scores that have nothing to do with each other. */
function scrambled(hash: number): number {
  let value = hash;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
