import { Philox } from './philox.as';
import { normal } from './normal.as';
import { fillNormals } from './normals.as';
import { shuffle } from './shuffle.as';
export { normalQuantile } from './normal.as';

/** A generator at `position` words into the stream. */
export function rngNew(seed: f64, stream: f64, position: f64): usize {
  const rng = changetype<Philox>(heap.alloc(offsetof<Philox>()));
  rng.seed(seed, stream);
  rng.seek(<u64>position);
  return changetype<usize>(rng);
}

export function rngPosition(pointer: usize): f64 {
  return <f64>changetype<Philox>(pointer).position;
}

export function rngUint32(pointer: usize): u32 {
  return changetype<Philox>(pointer).uint32();
}

export function rngUniform(pointer: usize): f64 {
  return changetype<Philox>(pointer).uniform();
}

export function rngNormal(pointer: usize): f64 {
  return normal(changetype<Philox>(pointer));
}

export function rngInteger(pointer: usize, n: u32): u32 {
  return changetype<Philox>(pointer).integer(n);
}

/** Fills n doubles at `out` with standard normal deviates. */
export function rngFillNormal(pointer: usize, out: usize, n: i32): void {
  fillNormals(changetype<Philox>(pointer), out, n);
}

export function rngShuffle(pointer: usize, items: usize, n: i32): void {
  shuffle(changetype<Philox>(pointer), items, n);
}
