import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { isSafetensors, readSafetensors, writeSafetensors } from '../../../kernels/runtime/index.ts';
import type { Tensor } from '../../../kernels/runtime/index.ts';

/** A file made by hand: any header, any bytes. */
function file(header: unknown, data = new Uint8Array(0), length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const tensor = (begin: number, end: number, change: object = {}): object => ({
  dtype: 'F32',
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
  ...change,
});

describe('safetensors', () => {
  const small = fc.array(fc.nat(4), { maxLength: 3 });
  const numbers = fc.oneof(
    small.chain((shape) => {
      const length = shape.reduce((product, n) => product * n, 1);
      const list = fc.float32Array({ minLength: length, maxLength: length });
      return list.map((data): Tensor => ({ shape, data }));
    }),
    fc.float64Array({ maxLength: 6 }).map((data): Tensor => ({ shape: [data.length], data })),
  );
  const names = fc.string({ maxLength: 20, unit: 'grapheme' }).filter((name) => name !== '__metadata__');

  it('come back as they were, whatever their names, shapes and numbers', () => {
    const files = fc.record({
      tensors: fc.array(fc.tuple(names, numbers), { maxLength: 6 }).map((list) => new Map(list)),
      metadata: fc.array(fc.tuple(fc.string(), fc.string())).map((list) => Object.fromEntries(list)),
    });
    fc.assert(
      fc.property(files, (given) => {
        const bytes = writeSafetensors(given);
        expect(isSafetensors(bytes)).toBe(true);
        const { tensors, metadata } = readSafetensors(bytes);
        expect(new Map([...tensors].sort())).toEqual(new Map([...given.tensors].sort()));
        expect(metadata).toEqual(given.metadata);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('have an aligned header and no gaps', () => {
    const tensors = new Map<string, Tensor>([
      ['a', { shape: [1], data: Float32Array.of(1.5) }],
      ['b', { shape: [2], data: Float64Array.of(2, 3) }],
    ]);
    const bytes = writeSafetensors({ tensors, metadata: { k: 'v' } });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      __metadata__: { k: 'v' },
      b: { dtype: 'F64', shape: [2], data_offsets: [0, 16] },
      a: { dtype: 'F32', shape: [1], data_offsets: [16, 20] },
    });
    expect(bytes.length).toBe(8 + length + 20);
    expect(new DataView(bytes.buffer).getFloat32(8 + length + 16, true)).toBe(1.5);
  });

  it('are told from JSON', () => {
    expect(isSafetensors(new TextEncoder().encode('{"a":1}   {'))).toBe(false);
    expect(isSafetensors(new Uint8Array(3))).toBe(false);
  });

  it('are not written under a name that means something else', () => {
    const tensors = new Map([['__metadata__', { shape: [1], data: Float32Array.of(1) }]]);
    expect(() => writeSafetensors({ tensors, metadata: {} })).toThrow(KernelInputError);
    const short = new Map([['a', { shape: [2], data: Float32Array.of(1) }]]);
    expect(() => writeSafetensors({ tensors: short, metadata: {} })).toThrow(KernelInputError);
  });
});

describe('a hostile file is refused', () => {
  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array, string]>([
    ['no bytes', new Uint8Array(0), 'safetensors'],
    ['half a length', new Uint8Array(7), 'safetensors'],
    ['a header longer than the file', file({}, eight, 1000n), 'safetensors.header'],
    ['a header of 2⁶³ bytes', file({}, eight, 2n ** 63n), 'safetensors.header'],
    ['a header that is no JSON', file('{"a":'), 'safetensors.header'],
    ['a header that is a list', file([]), 'safetensors.header'],
    ['a header that is no UTF-8', file({}, Uint8Array.of(0xff), 3n), 'safetensors.header'],
    [
      'a name twice',
      file(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        eight,
      ),
      'safetensors.header',
    ],
    [
      'a name twice, once in disguise',
      file(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0061":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
        eight,
      ),
      'safetensors.header',
    ],
    ['metadata named twice', file('{"__metadata__":{"k":"1","k":"2"}}'), 'safetensors.header'],
    ['a tensor that is none', file({ a: 5 }), 'safetensors.a'],
    ['another type', file({ a: tensor(0, 8, { dtype: 'BF16', shape: [4] }) }, eight), 'safetensors.a.dtype'],
    ['a shape below 0', file({ a: tensor(0, 8, { shape: [-1, -2] }) }, eight), 'safetensors.a.shape'],
    ['a shape in fractions', file({ a: tensor(0, 8, { shape: [0.5, 4] }) }, eight), 'safetensors.a.shape'],
    [
      'a shape that overflows',
      file({ a: tensor(0, 8, { shape: [2 ** 52, 2 ** 52] }) }, eight),
      'safetensors.a.data_offsets',
    ],
    ['bytes that do not fit the shape', file({ a: tensor(0, 8, { shape: [3] }) }, eight), 'safetensors.a.data_offsets'],
    ['one offset', file({ a: tensor(0, 8, { data_offsets: [8] }) }, eight), 'safetensors.a.data_offsets'],
    ['three offsets', file({ a: tensor(0, 8, { data_offsets: [0, 8, 9] }) }, eight), 'safetensors.a.data_offsets'],
    ['offsets the wrong way round', file({ a: tensor(8, 0, { shape: [2] }) }, eight), 'safetensors.a.data_offsets'],
    ['offsets beyond the end', file({ a: tensor(0, 8), b: tensor(8, 12) }, eight), 'safetensors.b.data_offsets'],
    ['offsets that overlap', file({ a: tensor(0, 8), b: tensor(4, 8) }, eight), 'safetensors.b.data_offsets'],
    ['two tensors in one place', file({ a: tensor(0, 8), b: tensor(0, 8) }, eight), 'safetensors.b.data_offsets'],
    ['a gap', file({ a: tensor(4, 8) }, eight), 'safetensors.a.data_offsets'],
    ['bytes of nothing at the end', file({ a: tensor(0, 4) }, eight), 'safetensors'],
    ['metadata of numbers', file({ __metadata__: { k: 1 } }), 'safetensors.__metadata__'],
    ['a name without end', file({ ['a'.repeat(300)]: tensor(0, 8) }, eight), 'safetensors'],
  ])('%s', (_, bytes, field) => {
    expect(() => readSafetensors(bytes)).toThrow(KernelInputError);
    expect(() => readSafetensors(bytes)).toThrow(new RegExp(`^${field.replaceAll('.', '\\.')}:`));
  });

  it('truncated anywhere', () => {
    const tensors = new Map([['a', { shape: [3], data: Float32Array.of(1, 2, 3) }]]);
    const whole = writeSafetensors({ tensors, metadata: { k: 'v' } });
    for (let length = 0; length < whole.length; length++) {
      expect(() => readSafetensors(whole.subarray(0, length))).toThrow(KernelInputError);
    }
  });

  it('with any byte of its header changed: an error of ours, or a file that reads', () => {
    const tensors = new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]]);
    const whole = writeSafetensors({ tensors, metadata: { k: 'v' } });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (place, value) => {
        const bytes = whole.slice();
        bytes[place] = value;
        try {
          readSafetensors(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(KernelInputError);
        }
      }),
      { seed: 6, numRuns: 2000 },
    );
  });
});
