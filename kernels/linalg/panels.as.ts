// Matrix products on f32, four lanes at a time, in two layouts that make every inner loop read memory in order:
//
//   panels  [columns/8][rows][8]   eight columns side by side, row after row
//   quads   [rows/4][columns][4]   four rows side by side, column after column
//
// Columns are padded with zeros to a multiple of 8, rows to a multiple of 4. Each inner loop keeps a tile of 4×8 sums in
// registers: eight chains hide the latency of the additions, and one more row or column would spill (measured in V8;
// so would unrolling). A sum runs over its index upwards, one product at a time, whatever the tile: bits depend on shapes only.

/** Eight zeros, for sums that start from nothing. */
export const ZEROS: usize = memory.data(32, 16);

/**
 * C[N×8] = start + X[N×k]·Y[k×8].
 *
 * x: quads, `quadBytes` from one group of four rows to the next; y and c: one panel; start: eight numbers.
 */
export function multiplyPanel(x: usize, quadBytes: usize, rows: i32, k: i32, y: usize, start: usize, c: usize): void {
  const end = y + ((<usize>k) << 5);
  const left = v128.load(start);
  const right = v128.load(start, 16);
  for (let row = 0; row < rows; row += 4) {
    let c00 = left;
    let c01 = right;
    let c10 = left;
    let c11 = right;
    let c20 = left;
    let c21 = right;
    let c30 = left;
    let c31 = right;
    let p = x;
    let q = y;
    do {
      const y0 = v128.load(q);
      const y1 = v128.load(q, 16);
      let a = v128.load32_splat(p);
      c00 = f32x4.add(c00, f32x4.mul(a, y0));
      c01 = f32x4.add(c01, f32x4.mul(a, y1));
      a = v128.load32_splat(p, 4);
      c10 = f32x4.add(c10, f32x4.mul(a, y0));
      c11 = f32x4.add(c11, f32x4.mul(a, y1));
      a = v128.load32_splat(p, 8);
      c20 = f32x4.add(c20, f32x4.mul(a, y0));
      c21 = f32x4.add(c21, f32x4.mul(a, y1));
      a = v128.load32_splat(p, 12);
      c30 = f32x4.add(c30, f32x4.mul(a, y0));
      c31 = f32x4.add(c31, f32x4.mul(a, y1));
      p += 16;
      q += 32;
    } while (q < end);
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(c, c10, 32);
    v128.store(c, c11, 48);
    v128.store(c, c20, 64);
    v128.store(c, c21, 80);
    v128.store(c, c30, 96);
    v128.store(c, c31, 112);
    x += quadBytes;
    c += 128;
  }
}

/**
 * C[k×8] = Xᵀ[k×N]·Y[N×8], a sum over rows.
 *
 * x: panels, `panelBytes` from one to the next; y and c: one panel. k is rounded up to a multiple of 4.
 */
export function multiplyTransposedPanel(x: usize, panelBytes: usize, rows: i32, k: i32, y: usize, c: usize): void {
  const end = y + ((<usize>rows) << 5);
  for (let row = 0; row < k; row += 4) {
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    let p = x + <usize>(row >> 3) * panelBytes + ((<usize>(row & 4)) << 2);
    let q = y;
    do {
      const y0 = v128.load(q);
      const y1 = v128.load(q, 16);
      let a = v128.load32_splat(p);
      c00 = f32x4.add(c00, f32x4.mul(a, y0));
      c01 = f32x4.add(c01, f32x4.mul(a, y1));
      a = v128.load32_splat(p, 4);
      c10 = f32x4.add(c10, f32x4.mul(a, y0));
      c11 = f32x4.add(c11, f32x4.mul(a, y1));
      a = v128.load32_splat(p, 8);
      c20 = f32x4.add(c20, f32x4.mul(a, y0));
      c21 = f32x4.add(c21, f32x4.mul(a, y1));
      a = v128.load32_splat(p, 12);
      c30 = f32x4.add(c30, f32x4.mul(a, y0));
      c31 = f32x4.add(c31, f32x4.mul(a, y1));
      p += 32;
      q += 32;
    } while (q < end);
    v128.store(c, c00);
    v128.store(c, c01, 16);
    v128.store(c, c10, 32);
    v128.store(c, c11, 48);
    v128.store(c, c20, 64);
    v128.store(c, c21, 80);
    v128.store(c, c30, 96);
    v128.store(c, c31, 112);
    c += 128;
  }
}

/** out[8] = Σ over rows of the panel y. */
export function sumPanel(y: usize, rows: i32, out: usize): void {
  const end = y + ((<usize>rows) << 5);
  let left = f32x4.splat(0);
  let right = left;
  for (; y < end; y += 32) {
    left = f32x4.add(left, v128.load(y));
    right = f32x4.add(right, v128.load(y, 16));
  }
  v128.store(out, left);
  v128.store(out, right, 16);
}

/** Transposes 4×4: reads rows `from`, `from + fromBytes` …, writes them as columns. */
function transpose4(from: usize, fromBytes: usize, to: usize, toBytes: usize): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from + fromBytes);
  const r2 = v128.load(from + 2 * fromBytes);
  const r3 = v128.load(from + 3 * fromBytes);
  const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5));
  v128.store(to + toBytes, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7));
  v128.store(to + 2 * toBytes, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5));
  v128.store(to + 3 * toBytes, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7));
}

/** Copies one panel of N rows into quads; `quads` points at the panel's first column in the first group. */
export function panelToQuads(panel: usize, rows: i32, quads: usize, quadBytes: usize): void {
  for (let row = 0; row < rows; row += 4) {
    transpose4(panel, 32, quads, 16);
    transpose4(panel + 16, 32, quads + 64, 16);
    panel += 128;
    quads += quadBytes;
  }
}

/** Panels of W[rows×columns] → panels of Wᵀ[columns×rows]; both padded to multiples of 8. */
export function transposePanels(w: usize, rows: i32, columns: i32, transposed: usize): void {
  for (let column = 0; column < columns; column += 8) {
    for (let row = 0; row < rows; row += 8) {
      const from = w + ((<usize>(column * rows + row * 8)) << 2);
      const to = transposed + ((<usize>(row * columns + column * 8)) << 2);
      transpose4(from, 32, to, 32);
      transpose4(from + 16, 32, to + 128, 32);
      transpose4(from + 128, 32, to + 16, 32);
      transpose4(from + 144, 32, to + 144, 32);
    }
  }
}
