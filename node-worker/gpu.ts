import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

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

/**
 * The environment in which a new process finds SwiftShader, the Vulkan driver in software that Debian's Chromium brings; undefined
 * without that Chromium. Drivers are looked up once, when a process begins.
 */
export function softwareGpuEnvironment(): { VK_ICD_FILENAMES: string; LD_LIBRARY_PATH: string } | undefined {
  const driver = ['/usr/lib/chromium', '/usr/lib/chromium-browser']
    .map((folder) => `${folder}/vk_swiftshader_icd.json`)
    .find(existsSync);
  return driver === undefined ? undefined : { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: dirname(driver) };
}
