/** Functions of rng.as.ts; `rng` is the address that `rngNew` gave. Numbers are those of `Rng`. */
export interface RngExports {
  rngNew(seed: number, stream: number, position: number): number;
  rngPosition(rng: number): number;
  /** Comes as a signed word: apply `>>> 0`. */
  rngUint32(rng: number): number;
  rngUniform(rng: number): number;
  rngNormal(rng: number): number;
  /** Comes as a signed word: apply `>>> 0`. */
  rngInteger(rng: number, n: number): number;
  rngFillNormal(rng: number, out: number, n: number): void;
  rngShuffle(rng: number, items: number, n: number): void;
}
