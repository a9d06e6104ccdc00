// Deviates from pairs of words, for whoever wants to see how near a device is to what the others draw.
// include: rng/uniform.wgsl
// include: rng/normal.wgsl

@group(0) @binding(0) var<storage, read> pairs: array<vec2<u32>>;
/// A uniform and a normal one of each pair.
@group(0) @binding(1) var<storage, read_write> deviates: array<vec2<f32>>;

@compute @workgroup_size(64)
fn derive(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= arrayLength(&pairs)) {
    return;
  }
  let pair = pairs[id.x];
  deviates[id.x] = vec2<f32>(uniform_f32(pair.x), normal(pair.x, pair.y));
}
