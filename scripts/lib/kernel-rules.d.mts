export function kernelFaults(binary: Uint8Array): string[];
