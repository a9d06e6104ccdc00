import { readWasm } from './wasm.mjs';

/** What may make two engines disagree: opcodes by a pattern on their names, and why. */
const forbidden = [
  { opcode: /^fd 1[0-2][0-9a-f]$/, why: 'is relaxed SIMD, whose results differ between processors' },
  { opcode: /^fe /, why: 'is atomic; with threads the order of sums depends on timing' },
];

/**
 * Everything in a kernel binary for which its results could depend on the engine, in sentences; empty when there is nothing.
 *
 * A call of the host (mathematics, clock, chance) is an import, and there are none.
 */
export function kernelFaults(binary) {
  const { imports, opcodes, hasSharedMemory } = readWasm(binary);
  return [
    ...imports.map((name) => `It imports ${name}; kernels import nothing.`),
    ...[...opcodes.keys()].flatMap((opcode) =>
      forbidden.filter((rule) => rule.opcode.test(opcode)).map(({ why }) => `Instruction ${opcode} ${why}.`),
    ),
    ...(hasSharedMemory ? ['Its memory is shared between threads.'] : []),
  ];
}
