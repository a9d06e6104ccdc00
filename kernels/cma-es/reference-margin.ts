/**
 * The margin as the paper writes it: R. Hamano, S. Saito, M. Nomura, S. Shirakawa, CMA-ES with Margin, arXiv:2205.13482,
 * section 4.2, for one coordinate. χ²ppf(γ) with one degree of freedom is the square of the normal quantile at (1 + γ)/2,
 * which is found by halving. For tests, and for reading.
 */

/** √χ²ppf(γ): half the width of the interval around 0 with probability γ under N(0, 1). */
function halfWidth(gamma: number, cdf: (x: number) => number): number {
  let [low, high] = [0, 40];
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    // By the tail, which keeps its digits near γ = 1.
    if (2 * cdf(-middle) > 1 - gamma) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Mean and standard deviation of the coordinate after correction; whole numbers from `least` to `most`. */
export function marginOfNormal(
  m: number,
  std: number,
  least: number,
  most: number,
  alpha: number,
  cdf: (x: number) => number,
): { mean: number; std: number } {
  const cell = Math.min(most, Math.max(least, Math.round(m)));
  const l_low = cell - 1 / 2;
  const l_up = cell + 1 / 2;
  if (cell === least || cell === most) {
    const l_close = cell === least ? l_up : l_low;
    const CI = std * halfWidth(1 - 2 * alpha, cdf);
    return { mean: l_close + Math.sign(m - l_close) * Math.min(Math.abs(m - l_close), CI), std };
  }
  const p_low = cdf((l_low - m) / std);
  const p_up = cdf((m - l_up) / std);
  const p_mid = 1 - p_low - p_up;
  const p1_low = Math.max(alpha / 2, p_low);
  const p1_up = Math.max(alpha / 2, p_up);
  const share = (1 - p1_low - p1_up - p_mid) / (p1_low + p1_up + p_mid - (3 * alpha) / 2);
  const p2_low = p1_low + share * (p1_low - alpha / 2);
  const p2_up = p1_up + share * (p1_up - alpha / 2);
  // (m − ℓ_low)/std' = √χ²ppf(1 − 2·p_low), (ℓ_up − m)/std' = √χ²ppf(1 − 2·p_up).
  const q_low = halfWidth(1 - 2 * p2_low, cdf);
  const q_up = halfWidth(1 - 2 * p2_up, cdf);
  if (p2_low === p_low && p2_up === p_up) return { mean: m, std };
  return { mean: (l_low * q_up + l_up * q_low) / (q_low + q_up), std: (l_up - l_low) / (q_low + q_up) };
}
