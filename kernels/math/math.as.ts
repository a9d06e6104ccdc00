// Mathematics for strategy code in TypeScript. AssemblyScript's Math is compiled in, so every engine gives the same bits.
export { erf, erfc, normalPdf, normalCdf, logNormalCdf } from './erf.as';

export function exp(x: f64): f64 {
  return Math.exp(x);
}
export function expm1(x: f64): f64 {
  return Math.expm1(x);
}
export function log(x: f64): f64 {
  return Math.log(x);
}
export function log1p(x: f64): f64 {
  return Math.log1p(x);
}
export function log2(x: f64): f64 {
  return Math.log2(x);
}
export function log10(x: f64): f64 {
  return Math.log10(x);
}
export function pow(x: f64, y: f64): f64 {
  return Math.pow(x, y);
}
export function sin(x: f64): f64 {
  return Math.sin(x);
}
export function cos(x: f64): f64 {
  return Math.cos(x);
}
export function tanh(x: f64): f64 {
  return Math.tanh(x);
}
