import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { instantiate, math } from '../../../kernels/index.ts';
import { fitScaling, standardise } from '../../../kernels/mlp/data.ts';
import { scheduleFactor } from '../../../kernels/mlp/index.ts';
import type { Activation, Loss, Schedule, Solver } from '../../../kernels/mlp/index.ts';
import { makeModel } from '../../../kernels/mlp/model.ts';
import { MlpPredictor } from '../../../kernels/mlp/predictor.ts';
import { adamStep, decay, forward, objective } from '../../../kernels/mlp/reference.ts';
import { checkSchedule } from '../../../kernels/mlp/schedule.ts';
import { kernelModule } from './load.ts';

interface Golden {
  rows: number;
  labels: number[];
  learning_rate: number;
  weight_decay: number;
  gelu: { z: number[]; value: number[]; slope: number[] };
  training: {
    name: string;
    loss: Loss;
    activation: Activation;
    solver: Solver;
    widths: number[];
    initial: number[];
    losses: number[];
    gradient: number[];
    parameters: number[];
  }[];
  schedules: { schedule: Schedule; steps: number; epochs: number; factors: number[] }[];
}

const folder = new URL('../golden/mlp/', import.meta.url);
const golden = JSON.parse(await readFile(new URL('torch.json', folder), 'utf8')) as Golden;
const table = new Float32Array(new Uint8Array(await readFile(new URL('small.f32', folder))).buffer);
const module = await kernelModule();

/** The first columns of the table, standardised. */
function standardised(from: number, columns: number): Float64Array {
  const values = Float64Array.from(table.subarray(from, from + columns * golden.rows));
  const rows = Uint32Array.from({ length: golden.rows }, (_, row) => row);
  const out = new Float64Array(values.length);
  standardise(values, fitScaling(values, columns, rows), out, columns);
  return out;
}

describe('GELU', () => {
  const { z, value, slope } = golden.gelu;
  // One unit with weight 1 in, and weight 1 out.
  const widths = [1, 1, 1];
  const theta = Float64Array.of(1, 0, 1, 0);

  it('is PyTorch’s in the reference, and so is its slope', () => {
    const network = { widths, activation: 'gelu', theta } as const;
    z.forEach((x, i) => {
      expect(forward(network, [x]).at(-1)![0]).toBeCloseTo(value[i]!, 12);
      // ∂½(ŷ − y)²/∂b₁ with y = ŷ − 1 is g′.
      const row = { x: Float64Array.of(x), y: Float64Array.of(value[i]! - 1) };
      expect(objective(network, [row], 0).gradient[1]).toBeCloseTo(slope[i]!, 11);
    });
  });

  it('is PyTorch’s to seven digits in the binary', () => {
    const unit = { mean: new Float64Array(1), scale: Float64Array.of(1) };
    const training = { rows: 1, validationRows: 0, epochs: 1, bestEpoch: 1, trainLoss: 0, validationLoss: null };
    const shape = { activation: 'gelu', loss: 'squared_error', layers: widths, training } as const;
    const model = makeModel({ ...shape, layers: [...widths] }, unit, unit, Float32Array.from(theta));
    const { mean } = new MlpPredictor(module, [model]).predict(Float64Array.from(z), z.length);
    mean.forEach((y, i) => {
      expect(Math.abs(y - value[i]!)).toBeLessThan(3e-7 * Math.max(1, Math.abs(value[i]!)));
    });
  });
});

describe('the reference walks the way of PyTorch', () => {
  const x = standardised(0, 8);
  const y = standardised(4000, 1);

  it.each(golden.training)('$name', ({ loss, activation, solver, widths, initial, losses, gradient, parameters }) => {
    const targets = loss === 'log_loss' ? Float64Array.from(golden.labels) : y;
    const rows = golden.labels.map((_, i) => ({ x: x.subarray(8 * i, 8 * i + 8), y: targets.subarray(i, i + 1) }));
    const theta = Float64Array.from(initial);
    const network = { widths, activation, theta };
    const adam = { m: new Float64Array(theta.length), v: new Float64Array(theta.length), t: 0 };
    const { learning_rate: alpha, weight_decay: lambda } = golden;
    expect(objective(network, rows, 0, { loss, beta: 0 }).gradient.length).toBe(gradient.length);
    objective(network, rows, 0, { loss, beta: 0 }).gradient.forEach((component, i) => {
      expect(component).toBeCloseTo(gradient[i]!, 8);
    });
    for (const expected of losses) {
      const now = objective(network, rows, solver === 'adam' ? lambda : 0, { loss, beta: 0 });
      expect(now.loss).toBeCloseTo(expected, 7);
      if (solver === 'adamw') decay(network, alpha * lambda);
      adamStep(theta, now.gradient, adam, alpha);
    }
    theta.forEach((value, i) => {
      expect(value).toBeCloseTo(parameters[i]!, 6);
    });
  });
});

describe('a schedule', () => {
  const functions = math(instantiate(module));

  it.each(golden.schedules)('has the rates of PyTorch: $schedule', ({ schedule, steps, epochs, factors }) => {
    const checked = checkSchedule(schedule);
    factors.forEach((factor, t) => {
      expect(scheduleFactor(checked, functions, t, steps, epochs)).toBeCloseTo(factor, 12);
    });
  });

  it('rises to the full rate in equal steps, and may last longer than the training', () => {
    const schedule = checkSchedule({ kind: 'constant', warmup: 2 });
    const rates = Array.from({ length: 6 }, (_, t) => scheduleFactor(schedule, functions, t, 2, 3));
    expect(rates).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    const late = checkSchedule({ kind: 'cosine', warmup: 10 });
    expect(scheduleFactor(late, functions, 5, 2, 3)).toBe(0.3);
  });
});
