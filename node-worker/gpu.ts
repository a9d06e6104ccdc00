/** Dawn's GPU object. It must outlive every device that came from it, or Node ends with a segmentation fault. */
let dawn: GPU | undefined;

/**
 * WebGPU for Node: Dawn, from the optional package `webgpu`. Undefined where the package or a build for this machine is missing.
 * Dawn finds drivers through Vulkan, Metal or D3D12; `VK_ICD_FILENAMES` names a driver of one's own choice.
 */
export async function dawnGpu(): Promise<GPU | undefined> {
  if (dawn) return dawn;
  try {
    const { create } = await import('webgpu');
    dawn = create([]);
  } catch {
    return undefined;
  }
  return dawn;
}
