import { canonicalise } from './canonical.ts';
import { requireRecord } from './checks.ts';
import { KernelInputError } from './errors.ts';
import { requireUniqueKeys } from './unique-keys.ts';

/**
 * safetensors (https://github.com/huggingface/safetensors): the length of the header (u64, little-endian), the header (JSON: for each tensor
 * `dtype`, `shape` and `data_offsets`; strings in `__metadata__`), then the tensors' bytes without gaps. Of its types, F32 and F64.
 */
export interface Tensor {
  /** Row-major; nothing for a single number. */
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const PREFIX_BYTES = 8;
/** The format's own bound. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_NAME_LENGTH = 256;
const METADATA = '__metadata__';
const FIELD = 'safetensors';

const dtypeOf = (data: Tensor['data']): 'F32' | 'F64' => (data instanceof Float64Array ? 'F64' : 'F32');
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

/** Packs tensors, the wider type first so that each is aligned. NaNs are made canonical in the copy. */
export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const header: [string, unknown][] = [[METADATA, metadata]];
  const byWidth = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  let end = 0;
  for (const [name, { shape, data }] of byWidth) {
    if (sizeOf(shape) !== data.length) throw new KernelInputError(name, `${sizeOf(shape)} numbers`, data);
    if (name === METADATA || name.length > MAX_NAME_LENGTH)
      throw new KernelInputError(FIELD, 'other names of tensors', name);
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(PREFIX_BYTES + length + end).fill(0x20, PREFIX_BYTES, PREFIX_BYTES + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, PREFIX_BYTES);
  let offset = PREFIX_BYTES + length;
  for (const [, { data }] of byWidth) {
    bytes.set(new Uint8Array(canonicalise(data.slice()).buffer), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/** Whether bytes look like this format rather than JSON, which has no zero bytes. */
export function isSafetensors(bytes: Uint8Array): boolean {
  return (
    bytes.length > PREFIX_BYTES && bytes[PREFIX_BYTES] === 0x7b && bytes.subarray(4, PREFIX_BYTES).every((b) => b === 0)
  );
}

function parseHeader(bytes: Uint8Array): { header: Record<string, unknown>; data: Uint8Array } {
  if (bytes.length < PREFIX_BYTES) throw new KernelInputError(FIELD, 'the bytes of a safetensors file', bytes);
  const length = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES).getBigUint64(0, true);
  const room = Math.min(bytes.length - PREFIX_BYTES, MAX_HEADER_BYTES);
  if (length > BigInt(room)) throw new KernelInputError(`${FIELD}.header`, `at most ${room} bytes`, String(length));
  const end = PREFIX_BYTES + Number(length);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(PREFIX_BYTES, end));
    header = JSON.parse(text);
  } catch {
    throw new KernelInputError(`${FIELD}.header`, 'JSON', bytes);
  }
  requireUniqueKeys(`${FIELD}.header`, text);
  return { header: requireRecord(`${FIELD}.header`, header), data: bytes.subarray(end) };
}

const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isLengths = (value: unknown): value is number[] => Array.isArray(value) && value.every(isLength);

interface Entry {
  readonly name: string;
  readonly width: 4 | 8;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function parseEntry(name: string, value: unknown): Entry {
  if (name.length > MAX_NAME_LENGTH) throw new KernelInputError(FIELD, 'shorter names of tensors', name);
  const field = `${FIELD}.${name}`;
  const { dtype, shape, data_offsets: offsets } = requireRecord(field, value);
  if (dtype !== 'F32' && dtype !== 'F64') throw new KernelInputError(`${field}.dtype`, 'F32 or F64', dtype);
  if (!isLengths(shape)) throw new KernelInputError(`${field}.shape`, 'a list of lengths', shape);
  if (!isLengths(offsets)) throw new KernelInputError(`${field}.data_offsets`, 'two offsets', offsets);
  const [begin, end, ...rest] = offsets;
  if (begin === undefined || end === undefined || rest.length > 0) {
    throw new KernelInputError(`${field}.data_offsets`, 'two offsets', offsets);
  }
  const width = dtype === 'F64' ? 8 : 4;
  if (end - begin !== width * sizeOf(shape)) {
    throw new KernelInputError(`${field}.data_offsets`, `${width * sizeOf(shape)} bytes for the shape`, end - begin);
  }
  return { name, width, shape, begin, end };
}

function parseMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  const entries = Object.entries(requireRecord(`${FIELD}.${METADATA}`, value)).map(([key, entry]) => {
    if (typeof entry !== 'string') throw new KernelInputError(`${FIELD}.${METADATA}`, 'strings', entry);
    return [key, entry] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Unpacks a file.
 *
 * @throws KernelInputError naming what does not fit: a header that is too long, no JSON, or names something twice; another type; offsets that
 *   overlap, leave gaps, do not fit the shape or the bytes that are there.
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { header, data } = parseHeader(bytes);
  const { [METADATA]: metadata, ...named } = header;
  const entries = Object.entries(named).map(([name, value]) => parseEntry(name, value));
  let next = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== next || end > data.length) {
      throw new KernelInputError(
        `${FIELD}.${name}.data_offsets`,
        `${next} to at most ${data.length}`,
        [begin, end].join(),
      );
    }
    next = end;
  }
  if (next !== data.length) throw new KernelInputError(FIELD, `${next} bytes of tensors`, data);
  const tensors = new Map<string, Tensor>();
  for (const { name, width, shape, begin, end } of entries) {
    const { buffer } = data.slice(begin, end);
    tensors.set(name, { shape, data: width === 8 ? new Float64Array(buffer) : new Float32Array(buffer) });
  }
  return { tensors, metadata: parseMetadata(metadata) };
}
