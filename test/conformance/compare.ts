import type { Digests } from './engine/conform.ts';

/** "kernel, case" of each digest that is not the one expected, or that is there on one side alone. */
export function differences(computed: Digests, expected: Digests): string[] {
  const kernels = new Set([...Object.keys(expected), ...Object.keys(computed)]);
  return [...kernels].flatMap((kernel) => {
    const [left, right] = [computed[kernel] ?? {}, expected[kernel] ?? {}];
    const cases = new Set([...Object.keys(right), ...Object.keys(left)]);
    return [...cases].filter((name) => left[name] !== right[name]).map((name) => `${kernel}, ${name}`);
  });
}
