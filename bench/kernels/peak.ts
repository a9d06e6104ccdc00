import asc from 'assemblyscript/asc';
import { cpuSeconds } from './clock.ts';

const CHAINS = [0, 1, 2, 3, 4, 5, 6];

/** Seven chains of multiplications and seven of additions: they hide their latencies, and fit into 16 registers. */
const source = `
export function chains(n: i32, one: f32, zero: f32): f32 {
  ${CHAINS.map((i) => `let p${i} = f32x4.splat(one), s${i} = f32x4.splat(zero);`).join('\n  ')}
  for (let i = 0; i < n; i++) {
    ${CHAINS.map((i) => `p${i} = f32x4.mul(p${i}, p${i}); s${i} = f32x4.add(s${i}, s${i});`).join('\n    ')}
  }
  return ${CHAINS.map((i) => `f32x4.extract_lane(f32x4.add(p${i}, s${i}), 0)`).join(' + ')};
}`;

export type Chains = (n: number, one: number, zero: number) => number;

/** Compiles the loop; it is no part of the kernels' binary. */
export async function compileChains(): Promise<Chains> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const { error } = await asc.main(['peak.ts', '-O3', '--enable', 'simd', '--runtime', 'stub', '-o', 'peak.wasm'], {
    readFile: (name) => (name === 'peak.ts' ? source : null),
    writeFile: (_, content) => {
      binary = Uint8Array.from(content as Uint8Array);
    },
    listFiles: () => [],
  });
  if (binary === undefined) throw new Error('The loop does not compile.', { cause: error });
  const { instance } = await WebAssembly.instantiate(binary);
  return instance.exports.chains as unknown as Chains;
}

/** What one core can do at best with 128-bit multiplications and additions, in GFLOP/s: the best of `repeats`. */
export function peakGflops(chains: Chains, repeats: number): number {
  const iterations = 500_000;
  const flop = iterations * CHAINS.length * 2 * 4;
  chains(iterations, 1, 0);
  const rates = Array.from({ length: repeats }, () => {
    const begin = cpuSeconds();
    chains(iterations, 1, 0);
    return flop / (cpuSeconds() - begin) / 1e9;
  });
  return Math.max(...rates);
}
