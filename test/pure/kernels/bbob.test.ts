import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { BBOB_TOLERANCE, BUILTIN_NAMES, bbob, builtin } from '../../../kernels/bbob/index.ts';
import { kernelModule } from './load.ts';

interface GoldenPoint {
  f: number;
  i: number;
  d: number;
  x: number[];
  y: number;
  fopt: number;
}

const module = await kernelModule();

async function golden(name: string): Promise<GoldenPoint[]> {
  const text = await readFile(new URL(`../golden/bbob/${name}.json`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { points: GoldenPoint[] }).points;
}

const functions = Array.from({ length: 24 }, (_, index) => index + 1);

function refusal(act: () => unknown): KernelInputError {
  try {
    act();
  } catch (error) {
    if (error instanceof KernelInputError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe.each(['coco-instance-1', 'python-2009-instances'])('against %s', async (name) => {
  const points = await golden(name);

  it.each(functions)('gives the values of f%i', (id) => {
    const own = points.filter((point) => point.f === id);
    expect(own).toHaveLength(12);
    for (const { i, d, x, y, fopt } of own) {
      const problem = bbob(module, { function: id, instance: i, dimension: d });
      expect(problem.fopt).toBe(fopt);
      expect(Math.abs(problem.evaluate(x) - y)).toBeLessThanOrEqual(BBOB_TOLERANCE * Math.abs(y));
    }
  });
});

describe('bbob', () => {
  it.each(functions)('has the least value of f%i at its optimum', (id) => {
    for (const instance of [1, 2, 15]) {
      const problem = bbob(module, { function: id, instance, dimension: 5 });
      expect(problem.evaluate(problem.xopt)).toBeCloseTo(problem.fopt, 9);
      const elsewhere = problem.xopt.map((x) => 0.8 * x + 0.1);
      expect(problem.evaluate(elsewhere)).toBeGreaterThan(problem.fopt);
    }
  });

  it('evaluates many points as it evaluates one', () => {
    const problem = bbob(module, { function: 24, instance: 3, dimension: 3 });
    const points = Float64Array.from({ length: 30 }, (_, i) => ((i * 7) % 11) - 5);
    const values = problem.evaluateMany(points, 10);
    expect([...values]).toEqual(
      Array.from({ length: 10 }, (_, k) => problem.evaluate(points.subarray(3 * k, 3 * k + 3))),
    );
    expect(problem.evaluateMany(new Float64Array(0), 0)).toHaveLength(0);
  });

  it('gives a point with a NaN the value NaN', () => {
    for (const id of functions) {
      const problem = bbob(module, { function: id, instance: 1, dimension: 2 });
      expect(problem.evaluate([NaN, 0])).toBeNaN();
      expect(problem.evaluate([0, 0])).not.toBeNaN();
    }
  });

  it('names the problem as COCO does', () => {
    const problem = bbob(module, { function: 7, instance: 11, dimension: 20 });
    expect(problem.name).toBe('bbob_f007_i11_d20');
    expect(problem.bounds.lower).toEqual(new Array(20).fill(-5));
  });

  it.each([
    ['function', { function: 25, instance: 1, dimension: 2 }],
    ['function', { function: 1.5, instance: 1, dimension: 2 }],
    ['instance', { function: 1, instance: 0, dimension: 2 }],
    ['dimension', { function: 1, instance: 1, dimension: 1 }],
  ])('refuses a wrong %s', (field, problem) => {
    expect(refusal(() => bbob(module, problem)).field).toBe(field);
  });

  it('refuses points of another dimension', () => {
    const problem = bbob(module, { function: 1, instance: 1, dimension: 2 });
    expect(refusal(() => problem.evaluate([1, 2, 3])).field).toBe('x');
    expect(refusal(() => problem.evaluateMany(new Float64Array(5), 2)).field).toBe('x');
    expect(refusal(() => problem.evaluateMany(new Float64Array(5), 2.5)).field).toBe('rows');
  });
});

describe('builtin', () => {
  it.each(BUILTIN_NAMES)('has the known optimum of %s', (name) => {
    const own = { branin: 2, hartmann3: 3, hartmann6: 6 } as Record<string, number>;
    const problem = builtin(module, name, own[name] ?? 7);
    expect(problem.evaluate(problem.xopt)).toBeCloseTo(problem.fopt, 9);
    const inside = problem.xopt.every((x, i) => x >= problem.bounds.lower[i]! && x <= problem.bounds.upper[i]!);
    expect(inside).toBe(true);
    const centre = problem.bounds.lower.map((low, i) => 0.4 * low + 0.6 * problem.bounds.upper[i]!);
    expect(problem.evaluate(centre)).toBeGreaterThan(problem.fopt);
  });

  it.each([
    ['sphere', [1, 2, 3], 14],
    ['ellipsoid', [1, 2, 3], 1 + 4e3 + 9e6],
    ['rosenbrock', [0, 0, 0], 2],
    ['rastrigin', [0.5, 0, 1], 21.25],
    ['ackley', [1, 1], 3.6253849384403627],
    ['griewank', [1, 1], 0.5897380911762422],
    ['levy', [2, -3], 2.1591554458830253],
    ['branin', [0, 0], 55.602112642270264],
    ['hartmann3', [0.5, 0.5, 0.5], -0.628022],
    ['hartmann6', [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], -0.505315],
  ])('knows a value of %s', (name, x, value) => {
    expect(builtin(module, name, x.length).evaluate(x)).toBeCloseTo(value, 6);
  });

  it('has one optimum of Branin at each of three places', () => {
    const problem = builtin(module, 'branin');
    for (const x of [
      [-Math.PI, 12.275],
      [Math.PI, 2.275],
      [3 * Math.PI, 2.475],
    ]) {
      expect(problem.evaluate(x)).toBeCloseTo(problem.fopt, 9);
    }
  });

  it('takes one variable where the function allows it', () => {
    expect(builtin(module, 'ellipsoid', 1).evaluate([3])).toBe(9);
  });

  it.each([
    ['name', () => builtin(module, 'parabola', 2)],
    ['dimension', () => builtin(module, 'sphere')],
    ['dimension', () => builtin(module, 'branin', 3)],
    ['dimension', () => builtin(module, 'sphere', 0)],
  ])('refuses a wrong %s', (field, act) => {
    expect(refusal(act).field).toBe(field);
  });
});
