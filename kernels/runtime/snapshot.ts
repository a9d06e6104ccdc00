import { canonicalise } from './canonical.ts';
import { requireInteger, requireRecord } from './checks.ts';
import { KernelInputError } from './errors.ts';

/**
 * A snapshot: everything a kernel needs to go on elsewhere, as bytes.
 *
 * Layout, little-endian: "TGSN", header length (u32), header (JSON, UTF-8), zero padding to 8 bytes, then the arrays,
 * each padded to 8 bytes. The header holds `kernel`, `version`, `state` (plain data) and the type and length of each array.
 */
export interface Snapshot {
  /** Which kernel wrote it, such as "mlp". */
  readonly kernel: string;
  /** Version of the kernel's own layout. */
  readonly version: number;
  readonly state: Record<string, unknown>;
  readonly arrays: readonly (Float32Array | Float64Array | Uint32Array)[];
}

type ArrayKind = 'f32' | 'f64' | 'u32';

const MAGIC = 0x4e534754;
const PREFIX_BYTES = 8;
const padded = (bytes: number): number => Math.ceil(bytes / 8) * 8;
const elementBytes = (kind: ArrayKind): number => (kind === 'f64' ? 8 : 4);

function kindOf(array: Float32Array | Float64Array | Uint32Array): ArrayKind {
  if (array instanceof Float64Array) return 'f64';
  return array instanceof Float32Array ? 'f32' : 'u32';
}

/** Packs a snapshot. The arrays are copied; NaNs are made canonical in the copy. */
export function writeSnapshot(snapshot: Snapshot): Uint8Array {
  const arrays = snapshot.arrays.map((array) => [kindOf(array), array.length] as const);
  const { kernel, version, state } = snapshot;
  const header = new TextEncoder().encode(JSON.stringify({ kernel, version, state, arrays }));
  let offset = padded(PREFIX_BYTES + header.length);
  const bytes = new Uint8Array(snapshot.arrays.reduce((sum, array) => sum + padded(array.byteLength), offset));
  const prefix = new DataView(bytes.buffer);
  prefix.setUint32(0, MAGIC, true);
  prefix.setUint32(4, header.length, true);
  bytes.set(header, PREFIX_BYTES);
  for (const array of snapshot.arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
    if (array instanceof Float32Array) canonicalise(new Float32Array(bytes.buffer, offset, array.length));
    else if (array instanceof Float64Array) canonicalise(new Float64Array(bytes.buffer, offset, array.length));
    offset += padded(array.byteLength);
  }
  return bytes;
}

function parseHeader(bytes: Uint8Array): { header: Record<string, unknown>; length: number } {
  const refuse = (): never => {
    throw new KernelInputError('snapshot', 'the bytes of a snapshot', bytes);
  };
  if (bytes.byteLength < PREFIX_BYTES) return refuse();
  const prefix = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  const length = prefix.getUint32(4, true);
  if (prefix.getUint32(0, true) !== MAGIC || PREFIX_BYTES + length > bytes.byteLength) return refuse();
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + length));
    return { header: requireRecord('snapshot', JSON.parse(text)), length };
  } catch {
    return refuse();
  }
}

function readArray(kind: ArrayKind, length: number, bytes: Uint8Array, offset: number): Snapshot['arrays'][number] {
  const copy = bytes.slice(offset, offset + length * elementBytes(kind)).buffer;
  if (kind === 'f64') return new Float64Array(copy);
  return kind === 'f32' ? new Float32Array(copy) : new Uint32Array(copy);
}

/**
 * Unpacks what `writeSnapshot` packed. `state` is what the kernel stored and is for the kernel to check.
 *
 * @throws KernelInputError on foreign bytes, another kernel or version, or a length that does not fit.
 */
export function readSnapshot(bytes: Uint8Array, kernel: string, version: number): Snapshot {
  const { header, length } = parseHeader(bytes);
  if (header.kernel !== kernel) throw new KernelInputError('snapshot.kernel', kernel, header.kernel);
  if (header.version !== version) throw new KernelInputError('snapshot.version', String(version), header.version);
  if (!Array.isArray(header.arrays)) throw new KernelInputError('snapshot.arrays', 'a list', header.arrays);
  let offset = padded(PREFIX_BYTES + length);
  const arrays = header.arrays.map((entry: unknown, index) => {
    const [kind, count] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (kind !== 'f32' && kind !== 'f64' && kind !== 'u32') {
      throw new KernelInputError(`snapshot.arrays[${index}]`, 'f32, f64 or u32', kind);
    }
    const elements = requireInteger(`snapshot.arrays[${index}]`, count, { min: 0, max: bytes.byteLength });
    const end = offset + padded(elements * elementBytes(kind));
    if (end > bytes.byteLength) throw new KernelInputError('snapshot', `${end} bytes or more`, bytes);
    const array = readArray(kind, elements, bytes, offset);
    offset = end;
    return array;
  });
  if (offset !== bytes.byteLength) throw new KernelInputError('snapshot', `${offset} bytes`, bytes);
  return { kernel, version, state: requireRecord('snapshot.state', header.state), arrays };
}
