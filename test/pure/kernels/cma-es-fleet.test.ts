import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { BUILTIN_NAMES, builtin } from '../../../kernels/bbob/index.ts';
import { F32_FLOORS } from '../../../kernels/cma-es/fleet/contract.ts';
import { createFleet } from '../../../kernels/cma-es/fleet/index.ts';
import type { CmaFleet, FleetOptions, FleetRun } from '../../../kernels/cma-es/fleet/index.ts';
import { FleetLayout, SHADER_REASONS } from '../../../kernels/cma-es/fleet/layout.ts';
import { planFleet } from '../../../kernels/cma-es/fleet/plan.ts';
import { openSnapshot, packState, unpackState } from '../../../kernels/cma-es/fleet/state.ts';
import { unsupported } from '../../../kernels/cma-es/fleet/support.ts';
import { ALL_NAN_ITERATIONS, CmaEs } from '../../../kernels/cma-es/index.ts';
import type { CmaOptions } from '../../../kernels/cma-es/index.ts';
import { KernelInputError } from '../../../kernels/index.ts';
import { makeModel } from '../../../kernels/mlp/model.ts';
import type { MlpModel } from '../../../kernels/mlp/index.ts';
import type { Loss } from '../../../kernels/mlp/options.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();
const absent = { type: 'absent', reason: 'There is none.' } as const;

const start = (options: Partial<CmaOptions> = {}): CmaOptions => {
  return { dimension: 3, x0: [1, 2, 3], sigma0: 0.5, seed: 4, ...options };
};

const run = (options: Partial<CmaOptions> = {}): FleetRun => {
  return { objective: { kind: 'function', name: 'rosenbrock' }, options: start(options) };
};

function fleetOf(runs: readonly FleetRun[], ensemble?: readonly MlpModel[]): CmaFleet {
  return createFleet(module, absent, ensemble === undefined ? { runs } : { runs, ensemble });
}

async function finish(fleet: CmaFleet): Promise<CmaFleet> {
  while (!fleet.done) await fleet.step();
  return fleet;
}

function alone(options: CmaOptions): CmaEs {
  const es = CmaEs.create(module, { CMA_mirrors: false, ...options });
  const problem = builtin(module, 'rosenbrock', options.dimension);
  while (Object.keys(es.stop()).length === 0) es.tell(problem.evaluateMany(es.ask(), es.popsize));
  return es;
}

/** A model of `inputs` inputs whose weights are all `weight`. */
function model(inputs: number, weight: number, loss: Loss = 'squared_error'): MlpModel {
  const outputs = loss === 'gaussian_nll' ? 2 : 1;
  const scaling = (n: number) => ({ mean: new Float64Array(n), scale: new Float64Array(n).fill(1) });
  const training = { rows: 1, validationRows: 0, epochs: 1, bestEpoch: 1, trainLoss: 0, validationLoss: null };
  const parts = { activation: 'tanh', loss, layers: [inputs, outputs], training } as const;
  const weights = new Float32Array((inputs + 1) * outputs).fill(weight);
  return makeModel({ ...parts, layers: [...parts.layers] }, scaling(inputs), scaling(1), weights);
}

function refusal(options: FleetOptions): KernelInputError {
  try {
    createFleet(module, absent, options);
  } catch (error) {
    if (error instanceof KernelInputError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('a fleet in WASM', () => {
  it('says why, and gives the bytes of each run alone', async () => {
    const seeds = [1, 2, 3];
    const fleet = await finish(fleetOf(seeds.map((seed) => run({ seed, popsize: 5 + seed }))));
    expect(fleet.backend).toBe('wasm');
    expect(fleet.reason).toBe('There is none.');
    seeds.forEach((seed, place) => {
      const es = alone(start({ seed, popsize: 5 + seed }));
      expect(fleet.snapshot(place)).toEqual(es.snapshot());
      expect(fleet.result(place)).toMatchObject({ ...es.best, evaluations: es.evaluations, stop: es.stop() });
      expect(fleet.evaluate(place, es.best.x)).toBe(es.best.fun);
    });
  });

  it('goes on from snapshots taken in the middle as if nothing had happened', async () => {
    const fleet = fleetOf([run(), run({ seed: 9 })]);
    await fleet.step();
    const carried = [0, 1].map((place): FleetRun => {
      return { objective: { kind: 'function', name: 'rosenbrock' }, snapshot: fleet.snapshot(place) };
    });
    const moved = await finish(fleetOf(carried));
    await finish(fleet);
    for (const place of [0, 1]) expect(moved.snapshot(place)).toEqual(fleet.snapshot(place));
  });

  it('minimises the negative score of an ensemble', async () => {
    const ensemble = [model(2, 1), model(2, 3)];
    const options = { dimension: 2, x0: [0, 0], sigma0: 0.3, seed: 1, bounds: { lower: -1, upper: 1 } };
    const objectives = [
      { kind: 'acquisition', acquisition: { kind: 'ucb', goal: 'max', kappa: 2 } },
      { kind: 'acquisition', acquisition: { kind: 'thompson', goal: 'min' }, member: 1 },
    ] as const;
    const fleet = await finish(
      fleetOf(
        objectives.map((objective) => ({ objective, options })),
        ensemble,
      ),
    );
    // Linear models w·(x₁ + x₂ + 1): at (1, 1) their mean is 6 and their deviation 3; the second one's least value is −3.
    expect(fleet.result(0).fun).toBeCloseTo(-12, 6);
    expect(fleet.result(1).fun).toBeCloseTo(-3, 6);
  });

  it('keeps runs whose snapshots have stopped as they are', async () => {
    const es = alone(start());
    const fleet = fleetOf([{ objective: { kind: 'function', name: 'rosenbrock' }, snapshot: es.snapshot() }]);
    expect(fleet.done).toBe(true);
    await fleet.step();
    expect(fleet.snapshot(0)).toEqual(es.snapshot());
  });
});

describe('bad fleets', () => {
  const acquisition = { kind: 'acquisition', acquisition: { kind: 'mean', goal: 'max' } } as const;
  it.each<[string, FleetOptions]>([
    ['runs', { runs: [] }],
    ['runs[1].sigma0', { runs: [run(), run({ sigma0: 0 })] }],
    ['runs[1].dimension', { runs: [run(), run({ dimension: 2, x0: [1, 2] })] }],
    ['runs[0].snapshot', { runs: [{ objective: { kind: 'function', name: 'sphere' }, snapshot: new Uint8Array(3) }] }],
    ['runs[0].dimension', { runs: [{ objective: { kind: 'function', name: 'hartmann6' }, options: start() }] }],
    ['runs[0].name', { runs: [{ objective: { kind: 'function', name: 'cone' as 'sphere' }, options: start() }] }],
    ['ensemble', { runs: [{ objective: acquisition, options: start() }] }],
    ['ensemble', { runs: [{ objective: acquisition, options: start() }], ensemble: [model(2, 1)] }],
    [
      'runs[0].objective.member',
      {
        runs: [{ objective: { ...acquisition, acquisition: { kind: 'thompson', goal: 'min' } }, options: start() }],
        ensemble: [model(3, 1)],
      },
    ],
  ])('are refused by the name of %s', (field, options) => {
    expect(refusal(options).field).toBe(field);
  });

  it('have no run beyond the last', () => {
    expect(() => fleetOf([run()]).result(1)).toThrow(KernelInputError);
  });
});

describe('what the GPU takes', () => {
  const shape = { dimension: 3, popsize: 10, recent: 40, width: 0, members: 0 };
  const limitsWith = (maxBufferSize: number) =>
    ({ maxBufferSize, maxStorageBufferBindingSize: 1 << 27 }) as Parameters<typeof unsupported>[2];
  const limits = limitsWith(1 << 28);
  const obstacle = (options: FleetOptions, own = limits): string | undefined =>
    unsupported(planFleet(module, options), new FleetLayout(shape), own);

  it('is every plain option', () => {
    const cov = [
      [2, 1, 0],
      [1, 2, 0],
      [0, 0, 1],
    ];
    const plain = { bounds: { lower: -5, upper: 5 }, CMA_stds: [1, 2, 1], ftarget: 1, CMA_diagonal: false, cov };
    expect(obstacle({ runs: [run({ ...plain, minstd: 0.1, BoundaryHandler: 'BoundTransform' })] })).toBeUndefined();
    expect(obstacle({ runs: [run({ BoundaryHandler: 'BoundPenalty' })] })).toBeUndefined();
  });

  it.each<[string, Partial<CmaOptions>]>([
    ['BoundaryHandler', { BoundaryHandler: 'BoundPenalty', bounds: { lower: 0, upper: 5 } }],
    ['fixed_variables', { fixed_variables: { 1: 2 } }],
    ['integer_variables', { integer_variables: [0] }],
    ['CMA_diagonal', { CMA_diagonal: 3 }],
    ['CMA_mirrors', { CMA_mirrors: true }],
    ['CMA_elitist', { CMA_elitist: true }],
    ['lr_adapt', { lr_adapt: true }],
  ])('is not %s', (name, options) => {
    const reason = `The GPU does not know what ${name} asks for in run 1.`;
    expect(obstacle({ runs: [run(), run(options)] })).toBe(reason);
  });

  it('is told in words otherwise', () => {
    const objective = { kind: 'acquisition', acquisition: { kind: 'mean', goal: 'max' } } as const;
    const noisy = { runs: [{ objective, options: start() }], ensemble: [model(3, 1, 'gaussian_nll')] };
    expect(obstacle(noisy)).toBe('The GPU knows no models with the loss gaussian_nll.');
    const small = obstacle({ runs: [run()] }, limitsWith(100));
    expect(small).toMatch(/^The fleet needs buffers of \d+ bytes/);
    const es = CmaEs.create(module, start({ CMA_mirrors: 0 }));
    es.inject([[1, 1, 1]]);
    const guests = { objective: { kind: 'function', name: 'sphere' }, snapshot: es.snapshot() } as const;
    expect(obstacle({ runs: [guests] })).toBe('The GPU takes no injected points, and run 0 has some.');
  });
});

describe('a run as a GPU keeps it', () => {
  it('is the run again, rounded', () => {
    const es = CmaEs.create(module, start({ popsize: 8 }));
    const problem = builtin(module, 'rosenbrock', 3);
    for (let g = 0; g < 40; g++) es.tell(problem.evaluateMany(es.ask(), es.popsize));
    const [planned] = planFleet(module, {
      runs: [{ objective: { kind: 'function', name: 'rosenbrock' }, snapshot: es.snapshot() }],
    }).runs;
    if (planned === undefined) throw new Error('no run');
    const layout = new FleetLayout({ dimension: 3, popsize: 8, recent: 21, width: 0, members: 0 });
    const record = {
      numbers: new Float32Array(layout.stride('NUMBER')),
      counters: new Uint32Array(layout.stride('COUNTER')),
    };
    const opened = openSnapshot(es.snapshot(), planned.resolved);
    packState(opened, layout, record);
    const context = { layout, termination: opened.termination, best: es.best, reasons: {} };
    const again = CmaEs.resume(module, unpackState(record, opened, context));
    expect(again.best).toEqual(es.best);
    expect([again.iterations, again.evaluations]).toEqual([es.iterations, es.evaluations]);
    const ours = again.ask();
    es.ask().forEach((value, i) => expect(ours[i]).toBeCloseTo(value, 5));
  });
});

describe('the shader', () => {
  it('has the numbers that TypeScript has', async () => {
    const text = await readFile(new URL('../../../kernels/cma-es/fleet/layout.wgsl', import.meta.url), 'utf8');
    const constant = (name: string): number => {
      const [, value = ''] = new RegExp(`const ${name}: \\w+ = (\\S+?)[uf]?;`).exec(text) ?? [];
      const [, base, power] = /^0x(\w+)p(-?\d+)$/.exec(value) ?? [];
      return base === undefined ? Number(value) : parseInt(base, 16) * 2 ** Number(power);
    };
    SHADER_REASONS.forEach((reason, bit) => expect(constant(`R_${reason.toUpperCase()}`)).toBe(1 << bit));
    expect(constant('ALL_NAN_ITERATIONS')).toBe(ALL_NAN_ITERATIONS);
    expect(constant('X_FLOOR')).toBe(F32_FLOORS.x);
    expect(constant('F_FLOOR')).toBe(F32_FLOORS.fun);
    expect(constant('F_HIST_FLOOR')).toBe(F32_FLOORS.funhist);
    expect(constant('FLOOR')).toBe(F32_FLOORS.condition);
  });

  it('has a case for every test function', async () => {
    const text = await readFile(new URL('../../../kernels/cma-es/fleet/functions.wgsl', import.meta.url), 'utf8');
    BUILTIN_NAMES.forEach((name, number) => {
      const isLast = number === BUILTIN_NAMES.length - 1;
      expect(text).toContain(`${isLast ? 'default' : `case ${number}u`}: { return ${name}_at(x); }`);
    });
  });
});
