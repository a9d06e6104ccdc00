import { Philox } from '../rng/philox.as';
import { fourBlocks } from '../rng/philox-simd.as';
import { Network } from './network.as';

/** Epoch e (from 0) drops units of hidden layer l (from 0) by stream 2³²·(1 + l) + e of the seed. */
const STREAMS_PER_LAYER: f64 = 4294967296.0;

/** Keeps four numbers whose random words are not below the bound, scaled; the others become 0. */
function keep4(place: usize, words: v128, bound: v128, scale: v128): void {
  const kept = f32x4.mul(v128.load(place), scale);
  v128.store(place, v128.and(kept, i32x4.ge_u(words, bound)));
}

/**
 * Drops units of one panel (columns `column` … + 7 of hidden layer `index`) and their slopes. The word of a unit has the position
 * p·H + j in its stream, where p is the place of the row in the epoch's order, H the layer's width padded to a multiple of 8, and j
 * the unit: neither batches nor the order of computation matter.
 */
export function dropPanel(network: Network, index: i32, column: i32, panel: usize, slopes: usize, rows: i32): void {
  const rng = changetype<Philox>(network.rng);
  rng.seed(network.seed, STREAMS_PER_LAYER * <f64>(1 + index) + network.epoch);
  const words = network.dropWords;
  const blocks = <u64>(network.layer(index).paddedOutputs >> 2);
  const bound = i32x4.splat(network.dropBelow);
  const scale = f32x4.splat(network.keepScale);
  let block = <u64>network.place * blocks + <u64>(column >> 2);
  // Rows come in fours; two of them take four blocks, whose words lie as the units of the panel do.
  for (let i = 0; i < rows; i += 2, block += 2 * blocks) {
    fourBlocks(rng, block, block + blocks, words);
    for (let offset: usize = 0; offset < 64; offset += 16, panel += 16, slopes += 16) {
      const random = v128.load(words + offset);
      keep4(panel, random, bound, scale);
      keep4(slopes, random, bound, scale);
    }
  }
}
