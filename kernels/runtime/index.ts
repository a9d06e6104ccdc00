export { KernelInputError } from './errors.ts';
export { KernelInstance, instantiate } from './instance.ts';
export type { CoreExports, Pointer } from './instance.ts';
export { requireChoice, requireFiniteArray, requireInteger, requireNumber, requireRecord } from './checks.ts';
export { canonicalise } from './canonical.ts';
export { decodeBase64, encodeBase64 } from './base64.ts';
export { readSnapshot, writeSnapshot } from './snapshot.ts';
export type { Snapshot } from './snapshot.ts';
