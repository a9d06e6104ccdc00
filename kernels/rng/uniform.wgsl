/// Uniform on [0, 1) in f32 from the first of the two words that Rng.uniform takes: its number, cut off after 24 bits.
fn uniform_f32(a: u32) -> f32 {
  return f32(a >> 8u) * 0x1p-24f;
}
