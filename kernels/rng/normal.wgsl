// Normal numbers in f32 from the words that Rng.normal takes, to a few units in the last place.

/// Φ⁻¹(p) for the p of the 52 bits in two words (their low six bits are dropped), by Wichura's PPND7 (Algorithm AS 241, Appl. Stat.
/// 37, 1988). The half above ½ mirrors the one below, so that p near 1 is as exact as p near 0.
fn normal(a: u32, b: u32) -> f32 {
  var high = a >> 6u;
  var low = b >> 6u;
  let above = high >= 0x2000000u;
  if (above) {
    high = 0x3ffffffu - high;
    low = 0x3ffffffu - low;
  }
  let rest = (f32(low) + 0.5) * 0x1p-52f;
  let q = f32(0x2000000u - high) * 0x1p-26f - rest;
  var x: f32;
  if (q <= 0.425) {
    let r = 0.180625 - q * q;
    let upper = ((5.9109374720e1 * r + 1.5929113202e2) * r + 5.0434271938e1) * r + 3.3871327179;
    let lower = ((6.7187563600e1 * r + 7.8757757664e1) * r + 1.7895169469e1) * r + 1.0;
    x = q * upper / lower;
  } else {
    let p = f32(high) * 0x1p-26f + rest;
    let r = sqrt(-log(p));
    if (r <= 5.0) {
      let s = r - 1.6;
      let upper = ((1.7023821103e-1 * s + 1.3067284816) * s + 2.7568153900) * s + 1.4234372777;
      x = upper / ((1.2021132975e-1 * s + 7.3700164250e-1) * s + 1.0);
    } else {
      let s = r - 5.0;
      let upper = ((1.7337203997e-2 * s + 4.2868294337e-1) * s + 3.0812263860) * s + 6.6579051150;
      x = upper / ((1.2258202635e-2 * s + 2.4197894225e-1) * s + 1.0);
    }
  }
  return select(-x, x, above);
}
