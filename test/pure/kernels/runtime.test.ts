import { describe, expect, it } from 'vitest';
import { KernelInputError, instantiate, kernelDigest, math } from '../../../kernels/index.ts';
import {
  canonicalise,
  decodeBase64,
  encodeBase64,
  readSnapshot,
  writeSnapshot,
} from '../../../kernels/runtime/index.ts';
import { kernelBytes, kernelModule } from './load.ts';

const module = await kernelModule();

describe('KernelInstance', () => {
  it('gives zeroed memory that is aligned for SIMD', () => {
    const instance = instantiate(module);
    for (const bytes of [1, 17, 4096, 1_000_000]) {
      const pointer = instance.alloc(bytes);
      expect(pointer % 16).toBe(0);
      expect(instance.u8(pointer, bytes).every((byte) => byte === 0)).toBe(true);
      instance.u8(pointer, bytes).fill(255);
    }
  });

  it('has memory of its own', () => {
    const one = instantiate(module);
    const other = instantiate(module);
    const pointer = one.alloc(8);
    expect(other.alloc(8)).toBe(pointer);
    one.f64(pointer, 1)[0] = 7;
    expect(other.f64(pointer, 1)[0]).toBe(0);
  });

  it('refuses more memory than there can be', () => {
    expect(() => instantiate(module).alloc(2 ** 40)).toThrow(KernelInputError);
  });
});

describe('kernelDigest', () => {
  it('is the sha-256 that the build wrote', async () => {
    const { default: built } = (await import('../../../kernels/build/digest.json', { with: { type: 'json' } })) as {
      default: { digest: string };
    };
    expect(kernelDigest(await kernelBytes())).toBe(built.digest);
  });
});

describe('math', () => {
  const functions = math(instantiate(module));

  it('agrees with the host to a few units in the last place', () => {
    for (let x = -20; x <= 20; x += 0.37) {
      for (const name of ['exp', 'expm1', 'sin', 'cos', 'tanh'] as const) {
        const host = Math[name](x);
        expect(Math.abs(functions[name](x) - host)).toBeLessThanOrEqual(1e-15 * Math.max(Math.abs(host), 1e-3));
      }
      for (const name of ['log', 'log1p', 'log2', 'log10'] as const) {
        const host = Math[name](Math.abs(x));
        expect(Math.abs(functions[name](Math.abs(x)) - host)).toBeLessThanOrEqual(1e-15 * Math.max(Math.abs(host), 1));
      }
      expect(functions.pow(Math.abs(x), 1.7) / Math.abs(x) ** 1.7).toBeCloseTo(1, 14);
    }
  });

  it('gives the values of Abramowitz and Stegun, tables 7.1 and 26.1', () => {
    expect(functions.erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(functions.erf(1)).toBeCloseTo(0.8427007929, 10);
    expect(functions.erf(1.98)).toBeCloseTo(0.9948920004, 10);
    expect(functions.erf(-0.5)).toBeCloseTo(-0.5204998778, 10);
    expect(functions.normalCdf(1)).toBeCloseTo(0.841344746068543, 15);
    expect(functions.normalCdf(2)).toBeCloseTo(0.97724986805182, 14);
    expect(functions.normalPdf(1)).toBeCloseTo(0.241970724519143, 15);
  });

  it('keeps relative accuracy in the tail of the normal distribution', () => {
    // −log10 Q(x) from Abramowitz and Stegun, table 26.2.
    const table = { 5: 6.54265, 10: 23.11805, 20: 88.5601, 30: 197.30921, 50: 544.96634, 100: 2173.87154 };
    for (const [x, digits] of Object.entries(table)) {
      expect(-functions.logNormalCdf(-Number(x)) / Math.LN10).toBeCloseTo(digits, 5);
    }
    expect(functions.erfc(5) / 1.5374597944280349e-12).toBeCloseTo(1, 12);
    expect(functions.logNormalCdf(-2.83)).toBeCloseTo(Math.log(functions.normalCdf(-2.83)), 12);
    expect(functions.logNormalCdf(9)).toBeCloseTo(0, 15);
  });

  it('gives limits at infinity and NaN for NaN', () => {
    expect(functions.erf(Infinity)).toBe(1);
    expect(functions.erfc(Infinity)).toBe(0);
    expect(functions.normalCdf(-Infinity)).toBe(0);
    expect(functions.logNormalCdf(-Infinity)).toBe(-Infinity);
    expect(functions.erf(NaN)).toBeNaN();
    expect(functions.normalCdf(NaN)).toBeNaN();
  });
});

describe('snapshots', () => {
  const snapshot = {
    kernel: 'test',
    version: 2,
    state: { epoch: 3, name: 'µ' },
    arrays: [Float32Array.of(1, -0, Infinity), Float64Array.of(Math.PI), new Uint32Array(0), Uint32Array.of(7)],
  };

  it('come back as they were', () => {
    expect(readSnapshot(writeSnapshot(snapshot), 'test', 2)).toEqual(snapshot);
  });

  it('come back from the middle of a larger buffer', () => {
    const bytes = writeSnapshot(snapshot);
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(readSnapshot(larger.subarray(3), 'test', 2)).toEqual(snapshot);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['other bytes', new Uint8Array(64).fill(7)],
    ['a header cut short', writeSnapshot(snapshot).subarray(0, 20)],
    ['arrays cut short', writeSnapshot(snapshot).subarray(0, -8)],
    ['something appended', new Uint8Array([...writeSnapshot(snapshot), 0])],
    ['another kernel', writeSnapshot({ ...snapshot, kernel: 'other' })],
    ['another version', writeSnapshot({ ...snapshot, version: 1 })],
  ])('refuse %s', (_, bytes) => {
    expect(() => readSnapshot(bytes, 'test', 2)).toThrow(KernelInputError);
  });

  it('do not show which processor made a NaN', () => {
    const other = new Uint32Array([0xffc00001, 0x7fc12345]);
    const bytes = writeSnapshot({ ...snapshot, arrays: [new Float32Array(other.buffer)] });
    expect(bytes).toEqual(writeSnapshot({ ...snapshot, arrays: [Float32Array.of(NaN, NaN)] }));
    expect([...new Uint32Array(canonicalise(new Float32Array(other.buffer)).buffer)]).toEqual([0x7fc00000, 0x7fc00000]);
  });
});

describe('base64', () => {
  it('agrees with the host for every length of the last group', () => {
    for (let length = 0; length < 10; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => 255 - 29 * i);
      expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(decodeBase64('weights', encodeBase64(bytes), length)).toEqual(bytes);
    }
  });

  it.each([12, '', 'AAAA', '****', 'AAAAAAA='])('refuses %s where four bytes are expected', (text) => {
    expect(() => decodeBase64('weights', text, 4)).toThrow(/^weights: expected base64 of 4 bytes/);
  });
});
