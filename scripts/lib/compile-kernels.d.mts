export function compileKernels(
  entry: string,
  readSource: (name: string, base: string) => string | null | Promise<string | null>,
): Promise<{ binary: Uint8Array; messages: string }>;
