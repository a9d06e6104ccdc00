// Test functions in their customary form, without instances. Sources: Surjanovic and Bingham, Virtual library of simulation
// experiments; Dixon and Szegő 1978 for Branin and Hartmann. Numbers are those of BUILTIN_NAMES in contract.ts.
import { get } from './transforms.as';

const TWO_PI: f64 = 2.0 * Math.PI;

function sphereAt(x: usize, d: i32): f64 {
  let sum = 0.0;
  for (let i = 0; i < d; i++) sum += get(x, i) * get(x, i);
  return sum;
}

/** Σ 10^(6·(i−1)/(d−1))·xᵢ² */
function ellipsoidAt(x: usize, d: i32): f64 {
  let sum = 0.0;
  for (let i = 0; i < d; i++) sum += Math.pow(1e6, d > 1 ? <f64>i / <f64>(d - 1) : 0.0) * get(x, i) * get(x, i);
  return sum;
}

function rosenbrockAt(x: usize, d: i32): f64 {
  let sum = 0.0;
  for (let i = 0; i < d - 1; i++) {
    const bend = get(x, i + 1) - get(x, i) * get(x, i);
    const rest = 1.0 - get(x, i);
    sum += 100.0 * bend * bend + rest * rest;
  }
  return sum;
}

function rastriginAt(x: usize, d: i32): f64 {
  let sum = 0.0;
  for (let i = 0; i < d; i++) sum += get(x, i) * get(x, i) + 10.0 * (1.0 - Math.cos(TWO_PI * get(x, i)));
  return sum;
}

function ackleyAt(x: usize, d: i32): f64 {
  let cosines = 0.0;
  for (let i = 0; i < d; i++) cosines += Math.cos(TWO_PI * get(x, i));
  const near = -20.0 * Math.exp(-0.2 * Math.sqrt(sphereAt(x, d) / <f64>d));
  return near - Math.exp(cosines / <f64>d) + 20.0 + Math.E;
}

function griewankAt(x: usize, d: i32): f64 {
  let product = 1.0;
  for (let i = 0; i < d; i++) product *= Math.cos(get(x, i) / Math.sqrt(<f64>(i + 1)));
  return sphereAt(x, d) / 4000.0 - product + 1.0;
}

function levyAt(x: usize, d: i32): f64 {
  const first = Math.sin(Math.PI * (1.0 + 0.25 * (get(x, 0) - 1.0)));
  let sum = first * first;
  for (let i = 0; i < d; i++) {
    const w = 0.25 * (get(x, i) - 1.0);
    const wave = Math.sin(i == d - 1 ? TWO_PI * (1.0 + w) : Math.PI * (1.0 + w) + 1.0);
    sum += w * w * (1.0 + (i == d - 1 ? 1.0 : 10.0) * wave * wave);
  }
  return sum;
}

function braninAt(x: usize): f64 {
  const t = get(x, 0);
  const bend = get(x, 1) - (5.1 / (4.0 * Math.PI * Math.PI)) * t * t + (5.0 / Math.PI) * t - 6.0;
  return bend * bend + 10.0 * (1.0 - 1.0 / (8.0 * Math.PI)) * Math.cos(t) + 10.0;
}

const heights = memory.data<f64>([1.0, 1.2, 3.0, 3.2]);
const narrow3 = memory.data<f64>([3.0, 10.0, 30.0, 0.1, 10.0, 35.0, 3.0, 10.0, 30.0, 0.1, 10.0, 35.0]);
const places3 = memory.data<f64>([
  0.3689, 0.117, 0.2673, 0.4699, 0.4387, 0.747, 0.1091, 0.8732, 0.5547, 0.0381, 0.5743, 0.8828,
]);
const narrow6 = memory.data<f64>([
  10.0, 3.0, 17.0, 3.5, 1.7, 8.0, 0.05, 10.0, 17.0, 0.1, 8.0, 14.0, 3.0, 3.5, 1.7, 10.0, 17.0, 8.0, 17.0, 8.0, 0.05,
  10.0, 0.1, 14.0,
]);
const places6 = memory.data<f64>([
  0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886, 0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991, 0.2348, 0.1451,
  0.3522, 0.2883, 0.3047, 0.665, 0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381,
]);

function hartmannAt(x: usize, d: i32, narrow: usize, places: usize): f64 {
  let sum = 0.0;
  for (let i = 0; i < 4; i++) {
    let distance = 0.0;
    for (let j = 0; j < d; j++) {
      const apart = get(x, j) - get(places, i * d + j);
      distance += get(narrow, i * d + j) * apart * apart;
    }
    sum -= get(heights, i) * Math.exp(-distance);
  }
  return sum;
}

function valueAt(id: i32, x: usize, d: i32): f64 {
  switch (id) {
    case 0:
      return sphereAt(x, d);
    case 1:
      return ellipsoidAt(x, d);
    case 2:
      return rosenbrockAt(x, d);
    case 3:
      return rastriginAt(x, d);
    case 4:
      return ackleyAt(x, d);
    case 5:
      return griewankAt(x, d);
    case 6:
      return levyAt(x, d);
    case 7:
      return braninAt(x);
    case 8:
      return hartmannAt(x, 3, narrow3, places3);
    default:
      return hartmannAt(x, 6, narrow6, places6);
  }
}

/** Values of `rows` points of d doubles at `x`, to `out`. */
export function bbobBuiltin(id: i32, x: usize, rows: i32, d: i32, out: usize): void {
  for (let row = 0; row < rows; row++) {
    store<f64>(out + ((<usize>row) << 3), valueAt(id, x + ((<usize>row * <usize>d) << 3), d));
  }
}
