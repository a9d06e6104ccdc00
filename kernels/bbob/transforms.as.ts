// Transformations of Hansen, Finck, Ros, Auger: Real-parameter black-box optimization benchmarking 2009: noiseless
// functions definitions, INRIA RR-6829, section 0.2. Vectors are d doubles, changed in place unless a target is given.

@inline
export function get(vector: usize, i: i32): f64 {
  return load<f64>(vector + (<usize>i << 3));
}

@inline
export function put(vector: usize, i: i32, value: f64): void {
  store<f64>(vector + (<usize>i << 3), value);
}

/** (i − 1)/(D − 1) of the report, with i from 0. */
@inline
export function share(i: i32, d: i32): f64 {
  return <f64>i / <f64>(d - 1);
}

/** T_osz of one number. */
export function oscillated(x: f64): f64 {
  if (x == 0.0) return 0.0;
  const log = Math.log(Math.abs(x));
  const fast = x > 0.0 ? 10.0 : 5.5;
  const slow = x > 0.0 ? 7.9 : 3.1;
  const size = Math.exp(log + 0.049 * (Math.sin(fast * log) + Math.sin(slow * log)));
  return x > 0.0 ? size : -size;
}

/** T_osz */
export function oscillate(x: usize, d: i32): void {
  for (let i = 0; i < d; i++) put(x, i, oscillated(get(x, i)));
}

/** T_asy with exponent β */
export function skew(x: usize, beta: f64, d: i32): void {
  for (let i = 0; i < d; i++) {
    const value = get(x, i);
    if (value > 0.0) put(x, i, Math.pow(value, 1.0 + beta * share(i, d) * Math.sqrt(value)));
  }
}

/** to = M·from, with M d×d row-major */
export function apply(matrix: usize, from: usize, to: usize, d: i32): void {
  for (let i = 0; i < d; i++) {
    const row = matrix + ((<usize>i * <usize>d) << 3);
    let sum = 0.0;
    for (let j = 0; j < d; j++) sum += get(row, j) * get(from, j);
    put(to, i, sum);
  }
}

/** x ← factors ∘ x */
export function stretch(x: usize, factors: usize, d: i32): void {
  for (let i = 0; i < d; i++) put(x, i, get(x, i) * get(factors, i));
}

/** base^((i − 1)/(D − 1)): the diagonal of Λ^α for base √α. */
export function powers(out: usize, base: f64, d: i32): void {
  for (let i = 0; i < d; i++) put(out, i, Math.pow(base, share(i, d)));
}

/** f_pen: squared distance to the box [−5, 5]ᵈ. */
export function penalty(x: usize, d: i32): f64 {
  let sum = 0.0;
  for (let i = 0; i < d; i++) {
    const outside = Math.abs(get(x, i)) - 5.0;
    if (outside > 0.0) sum += outside * outside;
  }
  return sum;
}

/** To the nearest integer, halves upwards. */
@inline
export function rounded(x: f64): f64 {
  return Math.floor(x + 0.5);
}

/** Σ zᵢ² over i from `from` on. */
export function squares(z: usize, from: i32, d: i32): f64 {
  let sum = 0.0;
  for (let i = from; i < d; i++) sum += get(z, i) * get(z, i);
  return sum;
}
