/** Functions of math.as.ts. All take and give doubles; the bits are the same on every engine. */
export interface MathExports {
  exp(x: number): number;
  expm1(x: number): number;
  log(x: number): number;
  log1p(x: number): number;
  log2(x: number): number;
  log10(x: number): number;
  pow(x: number, y: number): number;
  sin(x: number): number;
  cos(x: number): number;
  tanh(x: number): number;
  erf(x: number): number;
  erfc(x: number): number;
  normalPdf(x: number): number;
  normalCdf(x: number): number;
  logNormalCdf(x: number): number;
  normalQuantile(p: number): number;
}
