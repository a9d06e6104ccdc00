import { ZEROS, multiplyPanel, multiplyTransposedPanel, panelToQuads } from './panels.as';
export { multiplyPanel, multiplyTransposedPanel } from './panels.as';

function padTo(value: i32, multiple: i32): i32 {
  return ((value + multiple - 1) / multiple) * multiple;
}

/** Row-major M[rows×columns] → panels, padded with zeros. */
function packPanels(m: usize, rows: i32, columns: i32, paddedRows: i32, panels: usize): void {
  for (let column = 0; column < columns; column++) {
    const panel = panels + ((<usize>((column & ~7) * paddedRows + (column & 7))) << 2);
    for (let row = 0; row < rows; row++) {
      store<f32>(panel + ((<usize>row) << 5), load<f32>(m + ((<usize>(row * columns + column)) << 2)));
    }
  }
}

function unpackPanels(panels: usize, rows: i32, columns: i32, paddedRows: i32, m: usize): void {
  for (let column = 0; column < columns; column++) {
    const panel = panels + ((<usize>((column & ~7) * paddedRows + (column & 7))) << 2);
    for (let row = 0; row < rows; row++) {
      store<f32>(m + ((<usize>(row * columns + column)) << 2), load<f32>(panel + ((<usize>row) << 5)));
    }
  }
}

function zeroed(bytes: i32): usize {
  const pointer = heap.alloc(bytes);
  memory.fill(pointer, 0, bytes);
  return pointer;
}

/** C[m×n] = A[m×k]·B[k×n], all row-major f32. Packs its operands; takes memory at every call. */
export function gemm(a: usize, b: usize, c: usize, m: i32, k: i32, n: i32): void {
  const rows = padTo(m, 4);
  const inner = padTo(k, 8);
  const columns = padTo(n, 8);
  const panels = zeroed(rows * inner * 4);
  const quads = zeroed(rows * inner * 4);
  const factor = zeroed(inner * columns * 4);
  const product = zeroed(rows * columns * 4);
  packPanels(a, m, k, rows, panels);
  packPanels(b, k, n, inner, factor);
  const quadBytes = (<usize>inner) << 4;
  for (let column = 0; column < inner; column += 8) {
    panelToQuads(panels + ((<usize>(column * rows)) << 2), rows, quads + ((<usize>column) << 4), quadBytes);
  }
  for (let column = 0; column < columns; column += 8) {
    const panel = product + ((<usize>(column * rows)) << 2);
    multiplyPanel(quads, quadBytes, rows, k, factor + ((<usize>(column * inner)) << 2), ZEROS, panel);
  }
  unpackPanels(product, m, n, rows, c);
}

/** C[k×n] = Aᵀ[k×m]·B[m×n] for row-major f32 A[m×k] and B. Packs its operands; takes memory at every call. */
export function gemmTransposed(a: usize, b: usize, c: usize, m: i32, k: i32, n: i32): void {
  const inner = padTo(k, 8);
  const columns = padTo(n, 8);
  const left = zeroed(m * inner * 4);
  const right = zeroed(m * columns * 4);
  const product = zeroed(inner * columns * 4);
  packPanels(a, m, k, m, left);
  packPanels(b, m, n, m, right);
  for (let column = 0; column < columns; column += 8) {
    const panel = right + ((<usize>(column * m)) << 2);
    multiplyTransposedPanel(left, (<usize>m) << 5, m, k, panel, product + ((<usize>(column * inner)) << 2));
  }
  unpackPanels(product, k, n, inner, c);
}
