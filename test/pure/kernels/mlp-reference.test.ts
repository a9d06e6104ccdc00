import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { initialParameters, layerShapes } from '../../../kernels/mlp/layers.ts';
import { fitScaling, standardise } from '../../../kernels/mlp/data.ts';
import { adamStep, forward, objective } from '../../../kernels/mlp/reference.ts';
import type { Activation } from '../../../kernels/mlp/index.ts';
import { smoothData } from './mlp-data.ts';

const golden = new URL('../golden/mlp/', import.meta.url);

interface Case {
  name: string;
  widths: number[];
  activation: Activation;
  alpha: number;
  rows: number;
  iterations: number;
  learning_rate: number;
  seed: number;
  initial: number[];
}

interface Expected {
  loss_curve: number[];
  parameters: number[];
  predictions: number[];
}

async function readGolden<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(new URL(name, golden), 'utf8')) as T;
}

const cases = await readGolden<Case[]>('cases.json');
const scikit = await readGolden<{ version: string; cases: Expected[] }>('scikit-learn.json');
const table = new Float32Array(new Uint8Array(await readFile(new URL('small.f32', golden))).buffer);
const pairs = cases.map((input, i) => ({ name: input.name, input, expected: scikit.cases[i]! }));

/** The first rows of the table, standardised, and 20 rows more on the same scale. */
function goldenRows(rows: number) {
  const inputs = Float64Array.from(table.subarray(0, 8 * (rows + 20)));
  const targets = Float64Array.from(table.subarray(4000, 4000 + rows + 20));
  const fitted = Uint32Array.from({ length: rows }, (_, row) => row);
  const outputs = fitScaling(targets, 1, fitted);
  const x = new Float64Array(inputs.length);
  const y = new Float64Array(targets.length);
  standardise(inputs, fitScaling(inputs, 8, fitted), x, 8);
  standardise(targets, outputs, y, 1);
  const all = Array.from({ length: rows + 20 }, (_, i) => ({
    x: x.subarray(8 * i, 8 * i + 8),
    y: y.subarray(i, i + 1),
  }));
  return { training: all.slice(0, rows), further: all.slice(rows), outputs };
}

describe('the reference', () => {
  it.each(pairs)('walks the way of scikit-learn: $name', ({ input, expected }) => {
    const { training, further, outputs } = goldenRows(input.rows);
    const theta = Float64Array.from(input.initial);
    const network = { widths: input.widths, activation: input.activation, theta };
    const adam = { m: new Float64Array(theta.length), v: new Float64Array(theta.length), t: 0 };
    for (let epoch = 0; epoch < input.iterations; epoch++) {
      const { loss, penalty, gradient } = objective(network, training, input.alpha / input.rows);
      expect((loss + penalty) / expected.loss_curve[epoch]!).toBeCloseTo(1, 7);
      adamStep(theta, gradient, adam, input.learning_rate);
    }
    theta.forEach((value, i) => {
      expect(value).toBeCloseTo(expected.parameters[i]!, 7);
    });
    further.forEach(({ x }, i) => {
      const prediction = outputs.mean[0]! + outputs.scale[0]! * forward(network, x).at(-1)![0]!;
      expect(prediction).toBeCloseTo(expected.predictions[i]!, 7);
    });
  });

  it.each(['relu', 'tanh'] as const)('has the gradient of its objective (finite differences, %s)', (activation) => {
    const widths = [3, 5, 4, 2];
    const data = smoothData(7, 3, 2, 1);
    const rows = Array.from({ length: 7 }, (_, i) => ({
      x: data.inputs.subarray(3 * i, 3 * i + 3),
      y: data.targets.subarray(2 * i, 2 * i + 2).map((y) => y / 100),
    }));
    const theta = Float64Array.from(initialParameters(widths, activation, 3), (w, i) => w + 0.01 * ((i % 7) - 3));
    const at = (i: number, change: number) => {
      const moved = theta.slice();
      moved[i]! += change;
      const { loss, penalty } = objective({ widths, activation, theta: moved }, rows, 0.1);
      return loss + penalty;
    };
    const { gradient } = objective({ widths, activation, theta }, rows, 0.1);
    const h = 1e-6;
    gradient.forEach((component, i) => {
      expect(component).toBeCloseTo((at(i, h) - at(i, -h)) / (2 * h), 6);
    });
  });
});

describe('initialParameters', () => {
  it.each(cases)('gives the weights that scikit-learn started from: $name', ({ widths, activation, seed, initial }) => {
    expect([...initialParameters(widths, activation, seed)]).toEqual(initial);
  });

  it('has the variances of He before ReLU and of Glorot before tanh and the output, and no bias', () => {
    const widths = [100, 200, 150, 3];
    for (const activation of ['relu', 'tanh'] as const) {
      const parameters = initialParameters(widths, activation, 1);
      for (const { inputs, outputs, weights, bias, isLast } of layerShapes(widths)) {
        const w = parameters.subarray(weights, bias);
        const variance = w.reduce((sum, value) => sum + value * value, 0) / w.length;
        const expected = activation === 'relu' && !isLast ? 2 / inputs : 2 / (inputs + outputs);
        expect(Math.abs(variance / expected - 1)).toBeLessThan(5 * Math.sqrt(2 / w.length));
        expect(parameters.subarray(bias, bias + outputs).every((b) => b === 0)).toBe(true);
      }
    }
  });
});
