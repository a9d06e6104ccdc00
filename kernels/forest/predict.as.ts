/**
 * One node: f64 threshold; u32 feature; u32 index of the right child. The left child is the next node. A leaf has itself
 * as right child and a threshold that is not a number, so that a walk stays in it.
 */
const NODE_BYTES: usize = 16;

/**
 * Lays out a tree from its preorder: features (u16; `dimension` for a leaf) and thresholds. The leaves' numbers, from
 * `firstLeaf` on, go to `leaves`, one u32 for each node. stack: one u32 for each node.
 */
export function forestLink(
  features: usize,
  thresholds: usize,
  count: i32,
  dimension: u32,
  firstLeaf: u32,
  nodes: usize,
  leaves: usize,
  stack: usize,
): void {
  let depth = 0;
  for (let i = 0; i < count; i++) {
    const node = nodes + <usize>i * NODE_BYTES;
    const feature = load<u16>(features + ((<usize>i) << 1));
    if (feature != dimension) {
      store<f64>(node, load<f64>(thresholds));
      store<u32>(node, feature, 8);
      thresholds += 8;
      store<u32>(stack + ((<usize>(depth++)) << 2), i);
      continue;
    }
    store<f64>(node, NaN);
    store<u32>(node, 0, 8);
    store<u32>(node, i, 12);
    store<u32>(leaves + ((<usize>i) << 2), firstLeaf++);
    if (depth > 0) store<u32>(nodes + <usize>load<u32>(stack + ((<usize>(--depth)) << 2)) * NODE_BYTES, i + 1, 12);
  }
}

@inline
function step(nodes: usize, i: u32, x: usize): u32 {
  const node = nodes + <usize>i * NODE_BYTES;
  const value = load<f64>(x + ((<usize>load<u32>(node, 8)) << 3));
  return select<u32>(i + 1, load<u32>(node, 12), value <= load<f64>(node));
}

/**
 * The leaves in which `rows` rows of x (rows×D) end. Four rows walk at the same time, for each waits for memory most of the
 * time.
 */
export function forestApply(nodes: usize, leaves: usize, x: usize, dimension: i32, rows: i32, out: usize): void {
  const rowBytes = (<usize>dimension) << 3;
  for (let row = 0; row < rows; row += 4) {
    const last = rows - 1 - row;
    const x0 = x + <usize>row * rowBytes;
    const x1 = x0 + <usize>min(last, 1) * rowBytes;
    const x2 = x0 + <usize>min(last, 2) * rowBytes;
    const x3 = x0 + <usize>min(last, 3) * rowBytes;
    let i0: u32 = 0;
    let i1: u32 = 0;
    let i2: u32 = 0;
    let i3: u32 = 0;
    for (;;) {
      const j0 = step(nodes, i0, x0);
      const j1 = step(nodes, i1, x1);
      const j2 = step(nodes, i2, x2);
      const j3 = step(nodes, i3, x3);
      if (((i0 ^ j0) | (i1 ^ j1) | (i2 ^ j2) | (i3 ^ j3)) == 0) break;
      i0 = j0;
      i1 = j1;
      i2 = j2;
      i3 = j3;
    }
    const place = out + ((<usize>row) << 2);
    store<u32>(place, load<u32>(leaves + ((<usize>i0) << 2)));
    if (last > 0) store<u32>(place, load<u32>(leaves + ((<usize>i1) << 2)), 4);
    if (last > 1) store<u32>(place, load<u32>(leaves + ((<usize>i2) << 2)), 8);
    if (last > 2) store<u32>(place, load<u32>(leaves + ((<usize>i3) << 2)), 12);
  }
}

/**
 * Mean and population standard deviation over the trees of what their leaves say, K numbers for each leaf.
 * reached: trees×rows u32; mean and deviation: rows×K.
 */
export function forestSpread(
  reached: usize,
  trees: i32,
  rows: i32,
  values: usize,
  k: i32,
  mean: usize,
  deviation: usize,
): void {
  const numbers = <usize>rows * <usize>k;
  memory.fill(mean, 0, numbers << 3);
  memory.fill(deviation, 0, numbers << 3);
  for (let pass = 0; pass < 2; pass++) {
    let place = reached;
    for (let tree = 0; tree < trees; tree++) {
      for (let row = 0; row < rows; row++, place += 4) {
        const value = values + ((<usize>load<u32>(place) * <usize>k) << 3);
        const offset = (<usize>row * <usize>k) << 3;
        for (let j: usize = 0; j < (<usize>k) << 3; j += 8) {
          const average = load<f64>(mean + offset + j);
          if (pass == 0) {
            store<f64>(mean + offset + j, average + load<f64>(value + j));
          } else {
            const difference = load<f64>(value + j) - average;
            store<f64>(deviation + offset + j, load<f64>(deviation + offset + j) + difference * difference);
          }
        }
      }
    }
    for (let i: usize = 0; i < numbers << 3; i += 8) {
      if (pass == 0) store<f64>(mean + i, load<f64>(mean + i) / <f64>trees);
      else store<f64>(deviation + i, Math.sqrt(load<f64>(deviation + i) / <f64>trees));
    }
  }
}
