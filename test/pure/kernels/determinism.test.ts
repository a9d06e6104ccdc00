import { describe, expect, it } from 'vitest';
import { kernelBytes } from './load.ts';
import { readWasm } from './wasm-reader.ts';

/** A module with one function whose body is `code`. */
function moduleWith(code: number[]): Uint8Array {
  const body = [0, ...code, 0x0b];
  const types = [1, 4, 1, 0x60, 0, 0];
  const functions = [3, 2, 1, 0];
  return Uint8Array.of(
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...types,
    ...functions,
    10,
    body.length + 2,
    1,
    body.length,
    ...body,
  );
}

/** Relaxed SIMD is fd 100 to fd 12f; its results may differ between processors. */
const isRelaxed = (opcode: string): boolean => /^fd 1[0-2][0-9a-f]$/.test(opcode);
/** Atomics are behind fe; with threads, the order of sums would depend on timing. */
const isAtomic = (opcode: string): boolean => opcode.startsWith('fe ');

describe('the kernel binary', async () => {
  const contents = readWasm(await kernelBytes());
  const opcodes = [...contents.opcodes.keys()];

  it('is read in full, SIMD and all', () => {
    expect(contents.functions).toBeGreaterThan(20);
    // f32x4.mul and f64.sqrt.
    expect(opcodes).toEqual(expect.arrayContaining(['fd e6', '9f']));
  });

  it('imports nothing: no host mathematics, no clock, no chance', () => {
    expect(contents.imports).toEqual([]);
  });

  it('has no relaxed SIMD', () => {
    expect(opcodes.filter(isRelaxed)).toEqual([]);
  });

  it('has neither atomics nor shared memory', () => {
    expect(opcodes.filter(isAtomic)).toEqual([]);
    expect(contents.hasSharedMemory).toBe(false);
  });
});

describe('the reader of binaries', () => {
  it('sees relaxed SIMD where there is some', () => {
    // f32x4.relaxed_madd is fd 105, in LEB128 fd 85 02.
    const { opcodes } = readWasm(moduleWith([0xfd, 0x85, 0x02]));
    expect([...opcodes.keys()].filter(isRelaxed)).toEqual(['fd 105']);
  });

  it('does not take immediates for instructions', () => {
    const constant = [0xfd, 0x0c, ...Array.from({ length: 16 }, (_, i) => (i % 2 ? 0x85 : 0xfd))];
    const { opcodes } = readWasm(moduleWith([...constant, 0x1a, 0x42, 0xfd, 0x85, 0x02, 0x1a]));
    expect([...opcodes.keys()].sort()).toEqual(['0b', '1a', '42', 'fd c']);
  });

  it('sees atomics and imports', () => {
    expect([...readWasm(moduleWith([0xfe, 0x03, 0x00])).opcodes.keys()]).toContain('fe 3');
    const imports = [2, 9, 1, 1, 0x61, 3, 0x6c, 0x6f, 0x67, 0, 0];
    const withImport = Uint8Array.of(...moduleWith([]).subarray(0, 14), ...imports, ...moduleWith([]).subarray(14));
    expect(readWasm(withImport).imports).toEqual(['a.log']);
  });

  it.each([
    ['other bytes', Uint8Array.of(1, 2, 3)],
    ['an unknown instruction', moduleWith([0xff, 0x00])],
    ['a body cut short', moduleWith([0x44, 0x00]).subarray(0, -1)],
  ])('refuses %s', (_, bytes) => {
    expect(() => readWasm(bytes)).toThrow(Error);
  });
});
