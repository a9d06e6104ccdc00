// The first words of many streams of one seed, for whoever wants to see that this device counts as the others do.
// include: rng/philox.wgsl

struct Request {
  /// The seed, low word first.
  key: vec2<u32>,
  /// Blocks of 4 words wanted of each stream.
  blocks: u32,
  streams: u32,
}

@group(0) @binding(0) var<uniform> request: Request;
/// streams × blocks.
@group(0) @binding(1) var<storage, read_write> words: array<vec4<u32>>;

@compute @workgroup_size(64)
fn fill(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= request.blocks * request.streams) {
    return;
  }
  let block = id.x % request.blocks;
  let stream = id.x / request.blocks;
  words[id.x] = philox4x32(vec4<u32>(block, 0u, stream, 0u), request.key);
}
