// The randomness behind COCO's instances: every location, rotation and height follows from it, so it has to be this
// generator. Park and Miller's minimal standard (multiplier 16807 modulo 2³¹ − 1, by Schrage's method) with a Bays–Durham
// table of 32 entries.

const MODULUS: i64 = 2147483647;
const MULTIPLIER: i64 = 16807;
const TABLE: i32 = 32;
const WARM_UP: i32 = 40;
/** Table index of a state: state divided by this, rounded down. */
const SLICE: i64 = 67108865;

const table = heap.alloc(8 * TABLE);

/** Writes n uniform numbers of (0, 1] at `out`. */
export function uniforms(out: usize, n: i32, seed: i64): void {
  let state = max<i64>(1, seed < 0 ? -seed : seed);
  for (let i = WARM_UP - 1; i >= 0; i--) {
    state = (MULTIPLIER * state) % MODULUS;
    if (i < TABLE) store<i64>(table + ((<usize>i) << 3), state);
  }
  let drawn = load<i64>(table);
  for (let i = 0; i < n; i++) {
    state = (MULTIPLIER * state) % MODULUS;
    const place = table + ((<usize>(drawn / SLICE)) << 3);
    drawn = load<i64>(place);
    store<i64>(place, state);
    const value = <f64>drawn / 2.147483647e9;
    store<f64>(out + ((<usize>i) << 3), value == 0.0 ? 1e-99 : value);
  }
}

/** Writes n standard normal numbers at `out` (Box–Muller, first all radii, then all angles). `spare`: 2n doubles. */
export function gaussians(out: usize, spare: usize, n: i32, seed: i64): void {
  uniforms(spare, 2 * n, seed);
  const angles = spare + ((<usize>n) << 3);
  for (let i: usize = 0; i < (<usize>n) << 3; i += 8) {
    const value = Math.sqrt(-2.0 * Math.log(load<f64>(spare + i))) * Math.cos(2.0 * Math.PI * load<f64>(angles + i));
    store<f64>(out + i, value == 0.0 ? 1e-99 : value);
  }
}

/**
 * Writes a random rotation of d dimensions, d×d row-major, at `out`: normal numbers column by column, made orthonormal by
 * Gram–Schmidt in that order. `spare`: 3d² doubles.
 */
export function rotation(out: usize, spare: usize, d: i32, seed: i64): void {
  const columns = spare;
  const length = (<usize>d) << 3;
  gaussians(columns, columns + length * <usize>d, d * d, seed);
  for (let i = 0; i < d; i++) {
    const column = columns + <usize>i * length;
    for (let j = 0; j < i; j++) {
      const earlier = columns + <usize>j * length;
      let along = 0.0;
      for (let k: usize = 0; k < length; k += 8) along += load<f64>(column + k) * load<f64>(earlier + k);
      for (let k: usize = 0; k < length; k += 8) {
        store<f64>(column + k, load<f64>(column + k) - along * load<f64>(earlier + k));
      }
    }
    let squared = 0.0;
    for (let k: usize = 0; k < length; k += 8) squared += load<f64>(column + k) * load<f64>(column + k);
    const norm = Math.sqrt(squared);
    for (let k = 0; k < d; k++) {
      const entry = column + ((<usize>k) << 3);
      store<f64>(entry, load<f64>(entry) / norm);
      store<f64>(out + ((<usize>k * <usize>d + <usize>i) << 3), load<f64>(entry));
    }
  }
}
