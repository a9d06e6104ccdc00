import { describe, expect, it } from 'vitest';
import { compileKernels } from '../../../kernels/index.ts';
import { compileKernels as compileSource } from '../../../scripts/lib/compile-kernels.mjs';
import { kernels } from '../cases/index.ts';
import { differences } from '../compare.ts';
import { kernelBytes, pinnedDigests } from '../pinned.ts';
import { allDigests, caseDigests } from '../program/conform.ts';
import { rewriteNans, type NanBits } from './rewrite.ts';

const positive: NanBits = { f32: 0x7fc12345, f64: 0x7ff8_1234_5678_9abcn };
const negative: NanBits = { f32: 0xffd0_0001, f64: 0xfffc_0000_0000_0001n };

const binary = await kernelBytes();
const pinned = await pinnedDigests();

async function meetsNan(module: WebAssembly.Module, kernel: string, name: string): Promise<boolean> {
  try {
    await caseDigests(module, kernel, name);
    return false;
  } catch {
    return true;
  }
}

describe('whatever bits a NaN has', () => {
  it.each([
    ['positive with a payload', positive],
    ['negative with a payload', negative],
  ])('the kernels give the pinned results (%s)', async (_, nan) => {
    const module = await compileKernels(rewriteNans(binary, nan));
    expect(differences(await allDigests(module), pinned)).toEqual([]);
  });

  it('it is met in these cases', async () => {
    const module = await compileKernels(rewriteNans(binary, 'trap'));
    const met: string[] = [];
    for (const [kernel, cases] of Object.entries(kernels)) {
      for (const name of Object.keys(cases)) if (await meetsNan(module, kernel, name)) met.push(`${kernel}, ${name}`);
    }
    expect(met).toEqual(
      expect.arrayContaining(['bbob, points that are not finite', 'math, at the edges', 'mlp, overflow']),
    );
  });
});

describe('the rewritten binary', () => {
  const source = `
    export function single(x: f32): u32 { return reinterpret<u32>(x - x); }
    export function double(x: f64): u64 { return reinterpret<u64>(x - x); }
    export function lane(x: f32): u32 { const v = f32x4.splat(x); return i32x4.extract_lane(f32x4.sub(v, v), 2); }
    export function wide(x: f64): u64 { const v = f64x2.splat(x); return i64x2.extract_lane(f64x2.sub(v, v), 1); }
    export function sum(x: f64, y: f64): f64 { return x + y; }`;

  interface Probe {
    single(x: number): number;
    double(x: number): bigint;
    lane(x: number): number;
    wide(x: number): bigint;
    sum(x: number, y: number): number;
  }

  const compiled = compileSource('probe.ts', (name) => (name === 'probe.ts' ? source : null));

  async function probe(nan: NanBits | 'trap'): Promise<Probe> {
    const { instance } = await WebAssembly.instantiate(rewriteNans((await compiled).binary, nan));
    return instance.exports as unknown as Probe;
  }

  it('has the wanted NaN where arithmetic gives one, in scalars and in vectors', async () => {
    const code = await probe(positive);
    expect([code.single(Infinity) >>> 0, code.lane(Infinity) >>> 0]).toEqual([positive.f32, positive.f32]);
    expect([code.double(Infinity), code.wide(Infinity)]).toEqual([positive.f64, positive.f64]);
    expect([code.single(3), code.double(3), code.sum(1, 2)]).toEqual([0, 0n, 3]);
  });

  it('traps there on demand', async () => {
    const code = await probe('trap');
    expect(code.sum(1, Infinity)).toBe(Infinity);
    for (const name of ['single', 'lane', 'double', 'wide'] as const) {
      expect(() => code[name](Infinity), name).toThrow(WebAssembly.RuntimeError);
    }
  });
});
