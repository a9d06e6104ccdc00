// C = A·B by tiles of 32×64, one after the other by one workgroup of 128; each invocation holds 4×4 numbers of a tile.

const THREADS = 128u;
const TILE_ROWS = 32u;
const TILE_COLUMNS = 64u;
/// Columns of A and rows of B that are in workgroup memory at once.
const TILE_DEPTH = 32u;

// In vectors of 4; one more than a row of the tile has, so that neighbours in a column are in different banks.
const LEFT_STRIDE = 9u;
const RIGHT_STRIDE = 17u;

var<workgroup> left_tile: array<vec4<f32>, 288>;
var<workgroup> right_tile: array<vec4<f32>, 544>;

/// Where an operand's numbers are: (i, k) at start + outer·i + inner·k, k being the index that is summed over.
struct Operand {
  start: u32,
  outer: u32,
  inner: u32,
}

/// C (rows×columns) = A (rows×depth) · B (depth×columns). A is in `scratch`, B there or in `arenas`.
struct Product {
  a: Operand,
  b: Operand,
  b_in_arenas: bool,
  rows: u32,
  columns: u32,
  depth: u32,
}

/// The upper left corner of a tile.
struct Tile {
  row: u32,
  column: u32,
}

fn tile_count(product: Product) -> u32 {
  return ((product.rows + TILE_ROWS - 1u) / TILE_ROWS) * ((product.columns + TILE_COLUMNS - 1u) / TILE_COLUMNS);
}

fn tile_at(product: Product, index: u32) -> Tile {
  let across = (product.columns + TILE_COLUMNS - 1u) / TILE_COLUMNS;
  return Tile((index / across) * TILE_ROWS, (index % across) * TILE_COLUMNS);
}

fn operand_number(place: u32, in_arenas: bool, is_inside: bool) -> f32 {
  if (!is_inside) {
    return 0.0;
  }
  if (in_arenas) {
    return arenas[place];
  }
  return scratch[place];
}

/// Fills a workgroup tile with 4·`quads` numbers for each of `chunk` k; neighbours in memory go to neighbouring invocations.
fn load_tile(
  operand: Operand, in_arenas: bool, is_left: bool, quads: u32, size: u32, first: u32, k0: u32, chunk: u32, thread: u32,
) {
  let by_k = operand.inner == 1u;
  for (var n = thread; n < quads * TILE_DEPTH; n += THREADS) {
    let k = select(n / quads, n % TILE_DEPTH, by_k);
    let quad = select(n % quads, n / TILE_DEPTH, by_k);
    if (k < chunk) {
      let i = first + 4u * quad;
      var place = operand.start + operand.outer * i + operand.inner * (k0 + k);
      var numbers: vec4<f32>;
      for (var lane = 0u; lane < 4u; lane++) {
        numbers[lane] = operand_number(place, in_arenas, i + lane < size);
        place += operand.outer;
      }
      if (is_left) {
        left_tile[k * LEFT_STRIDE + quad] = numbers;
      } else {
        right_tile[k * RIGHT_STRIDE + quad] = numbers;
      }
    }
  }
}

/// First of the 4 rows, and of the 4 columns, of a tile that an invocation holds.
fn own_row(thread: u32) -> u32 {
  return 4u * (thread / 16u);
}

fn own_column(thread: u32) -> u32 {
  return 4u * (thread % 16u);
}

fn multiply(product: Product, tile: Tile, thread: u32) -> array<vec4<f32>, 4> {
  var row0: vec4<f32>;
  var row1: vec4<f32>;
  var row2: vec4<f32>;
  var row3: vec4<f32>;
  for (var k0 = 0u; k0 < product.depth; k0 += TILE_DEPTH) {
    let chunk = min(TILE_DEPTH, product.depth - k0);
    workgroupBarrier();
    load_tile(product.a, false, true, TILE_ROWS / 4u, product.rows, tile.row, k0, chunk, thread);
    load_tile(product.b, product.b_in_arenas, false, TILE_COLUMNS / 4u, product.columns, tile.column, k0, chunk, thread);
    workgroupBarrier();
    for (var k = 0u; k < chunk; k++) {
      let left = left_tile[k * LEFT_STRIDE + thread / 16u];
      let right = right_tile[k * RIGHT_STRIDE + thread % 16u];
      row0 += left.x * right;
      row1 += left.y * right;
      row2 += left.z * right;
      row3 += left.w * right;
    }
  }
  return array<vec4<f32>, 4>(row0, row1, row2, row3);
}
