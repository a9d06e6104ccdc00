// For `tabgrid worker --tasks`: `evaluate_candidates` that behaves as its evaluator is called. The sum of a candidate’s two numbers is its
// value. `flaky` fails as often as the second one says, `slow` takes as many steps of 50 ms, `dead` always fails.
import { setTimeout as sleep } from 'node:timers/promises';

const stepMs = 50;

async function takeLong(context, steps) {
  for (let step = context.snapshot?.[0] ?? 0; step < steps; step++) {
    await sleep(stepMs);
    context.progress({ fraction: step / steps });
    context.checkpoint(() => Uint8Array.of(step + 1));
    await context.yield();
  }
}

export const bodies = {
  evaluate_candidates: async (context, { candidates, evaluator: { name } }) => {
    const pairs = candidates.map((candidate) => Object.values(candidate));
    const [[, count]] = pairs;
    if (name === 'dead' || (name === 'flaky' && context.attempt <= count)) throw new Error(`${name} as it is`);
    if (name === 'slow') await takeLong(context, count);
    return { values: pairs.map(([a, b]) => ({ y: a + b })), failed: [] };
  },
};
