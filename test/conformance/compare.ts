import type { Digests } from './program/conform.ts';

/** "kernel, case" of each digest that is not the one expected, or that is there on one side alone. */
export function differences(computed: Digests, expected: Digests): string[] {
  const kernels = new Set([...Object.keys(expected), ...Object.keys(computed)]);
  return [...kernels].flatMap((kernel) => {
    const [left, right] = [computed[kernel] ?? {}, expected[kernel] ?? {}];
    const cases = new Set([...Object.keys(right), ...Object.keys(left)]);
    return [...cases].filter((name) => left[name] !== right[name]).map((name) => `${kernel}, ${name}`);
  });
}

/** Those digests that have the names of `wanted`. */
export function sameNames(digests: Digests, wanted: Digests): Digests {
  const pick = (kernel: string): Record<string, string> =>
    Object.fromEntries(Object.entries(digests[kernel] ?? {}).filter(([name]) => name in (wanted[kernel] ?? {})));
  return Object.fromEntries(Object.keys(wanted).map((kernel) => [kernel, pick(kernel)]));
}
