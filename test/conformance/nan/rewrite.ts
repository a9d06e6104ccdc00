import { readFunctions, readSections, type Reader } from '../../../scripts/lib/wasm.mjs';

/**
 * WebAssembly leaves open which NaN an operation gives: sign and payload differ between processors and engines. This
 * rewrites a binary so that one and the same processor shows whether that matters: behind every instruction that may give
 * a NaN it calls a function which puts another one in its place, or traps.
 */
export interface NanBits {
  /** Bits of the NaN in f32, quiet. */
  readonly f32: number;
  /** Bits of the NaN in f64, quiet. */
  readonly f64: bigint;
}

type Kind = 'f32' | 'f64' | 'f32x4' | 'f64x2';

const KINDS: readonly Kind[] = ['f32', 'f64', 'f32x4', 'f64x2'];

const range = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => prefix + (from + i).toString(16));

/**
 * Arithmetic, rounding and conversion between widths. What moves bits as they are (abs, neg, copysign, pmin, loads, selections)
 * stays as it is: it gives no NaN that was not there.
 */
const MAY_GIVE_NAN = new Map<string, Kind>([
  ...[...range('', 0x8d, 0x97), 'b6'].map((opcode) => [opcode, 'f32'] as const),
  ...[...range('', 0x9b, 0xa5), 'bb'].map((opcode) => [opcode, 'f64'] as const),
  ...[...range('fd ', 0x67, 0x6a), ...range('fd ', 0xe3, 0xe9), 'fd 5e'].map((opcode) => [opcode, 'f32x4'] as const),
  ...['fd 74', 'fd 75', 'fd 7a', 'fd 94', ...range('fd ', 0xef, 0xf5), 'fd 5f'].map(
    (opcode) => [opcode, 'f64x2'] as const,
  ),
]);

const [F32, F64, V128] = [0x7d, 0x7c, 0x7b];
const VALUE_TYPE: Readonly<Record<Kind, number>> = { f32: F32, f64: F64, f32x4: V128, f64x2: V128 };
const EQUAL: Readonly<Record<Kind, number[]>> = { f32: [0x5b], f64: [0x61], f32x4: [0xfd, 0x41], f64x2: [0xfd, 0x47] };
const UNEQUAL: Readonly<Record<Kind, number[]>> = {
  f32: [0x5c],
  f64: [0x62],
  f32x4: [0xfd, 0x42, 0xfd, 0x53], // and v128.any_true
  f64x2: [0xfd, 0x48, 0xfd, 0x53],
};
const X = [0x20, 0]; // local.get 0

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))];
}

function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function constant(kind: Kind, { f32, f64 }: NanBits): number[] {
  const [single, double] = [littleEndian(BigInt(f32), 4), littleEndian(f64, 8)];
  switch (kind) {
    case 'f32':
      return [0x43, ...single];
    case 'f64':
      return [0x44, ...double];
    case 'f32x4':
      return [0xfd, 0x0c, ...single, ...single, ...single, ...single];
    case 'f64x2':
      return [0xfd, 0x0c, ...double, ...double];
  }
}

/** x where it is a number, else the NaN; or a trap. */
function replacement(kind: Kind, nan: NanBits | 'trap'): number[] {
  if (nan === 'trap') return [0, ...X, ...X, ...UNEQUAL[kind], 0x04, 0x40, 0x00, 0x0b, ...X, 0x0b];
  const choose = VALUE_TYPE[kind] === V128 ? [0xfd, 0x52] : [0x1b]; // v128.bitselect, select
  return [0, ...X, ...constant(kind, nan), ...X, ...X, ...EQUAL[kind], ...choose, 0x0b];
}

const sized = (bytes: number[]): number[] => [...leb(bytes.length), ...bytes];

/** A list of the binary format with further entries. */
function extended(content: Reader, entries: readonly number[][]): { bytes: number[]; count: number } {
  const count = content.u32();
  return { count, bytes: [...leb(count + entries.length), ...content.rest(), ...entries.flat()] };
}

export function rewriteNans(binary: Uint8Array, nan: NanBits | 'trap'): Uint8Array<ArrayBuffer> {
  let [types, functions] = [0, 0];
  const output: number[] = [...binary.subarray(0, 8)];
  for (const { id, content } of readSections(binary)) {
    let bytes: number[];
    if (id === 1) {
      const signatures = KINDS.map((kind) => [0x60, 1, VALUE_TYPE[kind], 1, VALUE_TYPE[kind]]);
      ({ bytes, count: types } = extended(content, signatures));
    } else if (id === 3) {
      ({ bytes, count: functions } = extended(
        content,
        KINDS.map((_, i) => leb(types + i)),
      ));
    } else if (id === 10) {
      const calls = new Map(KINDS.map((kind, i) => [kind, [0x10, ...leb(functions + i)]]));
      const callAfter = (opcode: string): number[] => calls.get(MAY_GIVE_NAN.get(opcode) ?? 'f32') ?? [];
      const bodies = readFunctions(content).map(({ locals, instructions }) => [
        ...locals,
        ...instructions.flatMap((one) => [
          ...one.bytes,
          ...(MAY_GIVE_NAN.has(one.opcode) ? callAfter(one.opcode) : []),
        ]),
      ]);
      const all = [...bodies, ...KINDS.map((kind) => replacement(kind, nan))];
      bytes = [...leb(all.length), ...all.flatMap(sized)];
    } else {
      bytes = [...content.rest()];
    }
    for (const byte of [id, ...sized(bytes)]) output.push(byte);
  }
  return Uint8Array.from(output);
}
