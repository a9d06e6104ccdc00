import { beforeEach, describe, expect, it } from 'vitest';
import type { KwargsInput } from '#catalog';
import { Rng } from '#kernels/rng';
import { decodeModel } from '../../../client/worker/tasks/models/model-file.ts';
import { readSafetensors, writeSafetensors } from '../../../kernels/runtime/index.ts';
import { MlpPredictor } from '../../../kernels/mlp/index.ts';
import { kernelModule } from '../kernels/load.ts';
import { faultOf, Workbench } from './context.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});

/** Rows (a, b, y) of a smooth function with a little noise. */
function rows(count: number, noise = 0.1): number[][] {
  const rng = new Rng(3);
  return Array.from({ length: count }, () => {
    const [a, b] = [rng.uniform(), rng.uniform()];
    return [a, b, 3 * a - b * b + noise * rng.normal()];
  });
}

type Training = Extract<KwargsInput<'train_surrogate'>, { kind?: 'mlp' | undefined }>;
const small = (changes: Partial<Training> = {}): Training => ({
  rows: rows(40),
  inputs: ['a', 'b'],
  targets: ['y'],
  hidden: [8],
  epochs: 20,
  members: 2,
  seed: 5,
  learning_rate: 0.01,
  ...changes,
});

/** The same without rows, for a file that the test names. */
function fromFile(): Omit<Training, 'rows'> {
  const { rows: inline, ...rest } = small();
  expect(inline).toBeDefined();
  return rest;
}

describe('train_surrogate', () => {
  it('writes one file that holds all that predictions need', async () => {
    const result = await bench.run('train_surrogate', small({ model_path: '/models/m.json' }));
    expect(result).toMatchObject({ model_path: '/models/m.json', members: 2, epochs_run: [20, 20] });
    const file = bench.modelFile('/models/m.json');
    expect(file).toMatchObject({
      format: 'tabgrid-ensemble',
      version: 1,
      inputs: ['a', 'b'],
      targets: ['y'],
      training: { rows: 32, hidden: [8], epochs: 20, seed: 5 },
      validation: result.validation,
    });
    const { content } = decodeModel(bench.read('/models/m.json'));
    const members = content.kind === 'mlp' ? content.members : [];
    const { mean } = new MlpPredictor(await kernelModule(), members).predict(Float64Array.of(0.5, 0.5), 1);
    expect(mean[0]).toBeGreaterThan(0);
  });

  it('puts a model without a path under the task’s id', async () => {
    const { model_path: path } = await bench.run('train_surrogate', small());
    expect(path).toBe('/models/0-01000000000000000000000000.json');
  });

  it('reads a file, rows by name and rows by position alike', async () => {
    const table = rows(10);
    const csv = ['b,ignored,y,a', ...table.map(([a, b, y]) => `${b},x,${y},${a}`)].join('\n');
    const byName = table.map(([a, b, y]) => ({ b: b!, y: y!, a: a! }));
    const rest = fromFile();
    const results = [
      await bench.run('train_surrogate', { ...rest, dataset_path: bench.put('/d.csv', csv) }),
      await bench.run('train_surrogate', { ...rest, rows: byName }),
      await bench.run('train_surrogate', { ...rest, rows: table }),
    ];
    expect(new Set(results.map(({ sha256 }) => sha256)).size).toBe(1);
  });

  it('is decided by its arguments: members differ, seeds differ, repeats do not', async () => {
    const first = await bench.run('train_surrogate', small());
    const file = bench.modelFile(first.model_path);
    expect(file.members[0]!.weights).not.toBe(file.members[1]!.weights);
    expect((await bench.run('train_surrogate', small())).sha256).toBe(first.sha256);
    expect((await bench.run('train_surrogate', small({ seed: 6 }))).sha256).not.toBe(first.sha256);
  });

  it('goes on from any of its snapshots to the same bytes', async () => {
    bench.takesSnapshots = true;
    const whole = await bench.run('train_surrogate', small());
    expect(bench.snapshots).toHaveLength(40);
    for (const snapshot of bench.snapshots.slice()) {
      expect((await bench.run('train_surrogate', small(), snapshot)).sha256).toBe(whole.sha256);
    }
  });

  it('begins anew when a snapshot cannot be read', async () => {
    const { sha256 } = await bench.run('train_surrogate', small());
    expect((await bench.run('train_surrogate', small(), new Uint8Array(16))).sha256).toBe(sha256);
  });

  it('judges itself by rows that no member has seen', async () => {
    const { validation } = await bench.run('train_surrogate', small({ rows: rows(300), epochs: 100, members: 4 }));
    expect(validation!.r2).toBeGreaterThan(0.95);
    expect(validation!.rmse).toBeLessThan(0.25);
    expect(validation!.coverage_90).toBeGreaterThan(0.6);
    // Outcomes that are nothing but chance cannot be foretold, however well they are learnt by heart.
    const rng = new Rng(9);
    const chance = Array.from({ length: 60 }, () => [rng.uniform(), rng.uniform(), rng.normal()]);
    const learnt = await bench.run(
      'train_surrogate',
      small({ rows: chance, hidden: [64], epochs: 500, weight_decay: 0 }),
    );
    // Half the mean square of standardised errors: 0.5 is to know nothing.
    expect(learnt.train_loss).toBeLessThan(0.3);
    expect(learnt.validation!.r2).toBeLessThan(0.1);
  });

  it('stops early, each member by rows of its own', async () => {
    const patient = await bench.run('train_surrogate', small({ epochs: 3000, patience: 10, hidden: [32] }));
    expect(patient.epochs_run.every((epochs) => epochs < 3000)).toBe(true);
  });

  it('has nothing to say of itself without rows kept aside', async () => {
    const { validation } = await bench.run('train_surrogate', small({ validation_fraction: 0 }));
    expect(validation).toBeNull();
  });

  it('tells its progress', async () => {
    await bench.run('train_surrogate', small());
    expect(bench.progress).toHaveLength(40);
    expect(bench.progress[29]).toMatchObject({ fraction: 0.75, message: 'member 2 of 2, epoch 10 of 20' });
  });

  it('ends between steps when it is stopped or its time is over', async () => {
    let steps = 0;
    bench.betweenSteps = () => {
      if (++steps === 3) bench.soft.abort(new Error('soft limit'));
    };
    await expect(bench.run('train_surrogate', small())).rejects.toThrow('soft limit');
    expect(steps).toBe(3);
    const other = await Workbench.create();
    other.stop.abort(new Error('revoked'));
    await expect(other.run('train_surrogate', small())).rejects.toThrow('revoked');
    expect(other.files.size).toBe(0);
  });

  const modern: Partial<Training> = {
    activation: 'gelu',
    solver: 'adamw',
    schedule: { kind: 'step', step_size: 5, gamma: 0.5, warmup: 2 },
    dropout: 0.1,
    loss: 'gaussian_nll',
    beta: 0.5,
  };

  it.each(Object.entries(modern).filter(([name]) => name !== 'beta'))(
    'learns otherwise by another %s',
    async (name, value) => {
      const [plain, changed] = [
        await bench.run('train_surrogate', small()),
        await bench.run('train_surrogate', small({ [name]: value })),
      ];
      expect(changed.train_loss).not.toBe(plain.train_loss);
      expect(bench.modelFile(changed.model_path).training).toMatchObject({ [name]: value });
    },
  );

  it('goes on from any snapshot to the same bytes with every option', async () => {
    bench.takesSnapshots = true;
    const whole = await bench.run('train_surrogate', small({ ...modern, epochs: 6, patience: 4 }));
    for (const snapshot of bench.snapshots.slice()) {
      const { sha256 } = await bench.run('train_surrogate', small({ ...modern, epochs: 6, patience: 4 }), snapshot);
      expect(sha256).toBe(whole.sha256);
    }
  });

  it('tells with one member how far to trust it, where the noise is learnt', async () => {
    const training = small({ rows: rows(400, 0.4), epochs: 60, members: 1 });
    const deaf = await bench.run('train_surrogate', training);
    expect(deaf.validation!.nll).toBeNull();
    expect(deaf.calibration).toBeNull();
    const { validation, calibration } = await bench.run('train_surrogate', { ...training, loss: 'gaussian_nll' });
    expect(Math.abs(validation!.coverage_90! - 0.9)).toBeLessThan(0.1);
    // The noise is 0.4; an exact prediction of its distribution has a CRPS of 0.4/√π.
    expect(calibration!.crps).toBeGreaterThan(0.2);
    expect(calibration!.crps).toBeLessThan(0.3);
    expect(calibration!.std_scale[0]).toBeGreaterThan(0.7);
    expect(calibration!.std_scale[0]).toBeLessThan(1.4);
  });

  it('reports how its standard deviations are to be read, and keeps it in the file', async () => {
    const { model_path: path, calibration } = await bench.run(
      'train_surrogate',
      small({ rows: rows(300), members: 4 }),
    );
    const { std_scale: scale, coverage, conformal } = calibration!;
    expect(bench.modelFile(path).calibration).toEqual({ std_scale: scale, conformal: conformal.factors });
    for (const level of [50, 90, 95] as const) {
      expect(Math.abs(conformal.coverage[level] - level / 100)).toBeLessThan(0.2);
      expect(coverage[level]).toBeGreaterThan(0.3);
    }
    expect(conformal.factors[50][0]).toBeLessThan(conformal.factors[90][0]!);
    expect(conformal.factors[90][0]).toBeLessThanOrEqual(conformal.factors[95][0]!);
  });

  it('has no factor for intervals that its rows are too few for', async () => {
    const { calibration } = await bench.run('train_surrogate', small({ rows: rows(50) }));
    // Ten rows are kept aside: enough for 90 %, which takes nine, and not for 95 %, which takes nineteen.
    expect(calibration!.conformal.factors[90][0]).toBeGreaterThan(0);
    expect(calibration!.conformal.factors[95]).toEqual([null]);
  });

  it('writes safetensors where the path says so, with all that the JSON file has', async () => {
    const options = { ...modern, rows: rows(60) };
    await bench.run('train_surrogate', small({ ...options, model_path: '/m.json' }));
    await bench.run('train_surrogate', small({ ...options, model_path: '/m.safetensors' }));
    const [json, safetensors] = [bench.read('/m.json'), bench.read('/m.safetensors')];
    expect(decodeModel(safetensors)).toEqual(decodeModel(json));
    const { metadata, tensors } = readSafetensors(safetensors);
    const { members, ...rest } = bench.modelFile('/m.json');
    expect(JSON.parse(metadata.tabgrid_ensemble!)).toEqual(rest);
    expect(tensors.get('members.1.layers.0.weight')!.shape).toEqual([8, 2]);
    expect(members).toHaveLength(2);
    const evaluated = ['/m.json', '/m.safetensors'].map((path) =>
      bench.run('evaluate_candidates', {
        candidates: [[0.5, 0.5]],
        inputs: ['a', 'b'],
        evaluator: { kind: 'model', model_path: path },
      }),
    );
    const [first, second] = await Promise.all(evaluated);
    expect(second).toEqual(first);
  });

  it('refuses a model file that lost its description', async () => {
    await bench.run('train_surrogate', small({ model_path: '/m.safetensors' }));
    const { tensors, metadata } = readSafetensors(bench.read('/m.safetensors'));
    const { tabgrid_ensemble: description, ...rest } = metadata;
    expect(description).toBeDefined();
    expect(() => decodeModel(writeSafetensors({ tensors, metadata: rest }))).toThrow(
      '__metadata__.tabgrid_ensemble: expected JSON',
    );
    expect(() => decodeModel(bench.read('/m.safetensors').subarray(0, 100))).toThrow('safetensors.header: expected');
    expect(() => decodeModel(new Uint8Array(20))).toThrow('model: expected JSON');
  });

  it.each<[string, Partial<Training>]>([
    ['beta', { beta: 0.5 }],
    ['dropout', { dropout: 1 }],
    ['schedule', { schedule: { kind: 'constant', gamma: 0.5 } as never }],
    ['schedule.step_size', { schedule: { kind: 'step', step_size: 0 } }],
    ['activation', { activation: 'elu' as never }],
  ])('refuses a %s that does not fit', async (field, change) => {
    await expect(bench.run('train_surrogate', small(change))).rejects.toThrow(field);
  });

  it.each<[string, Partial<Training>, string]>([
    ['a column that is missing', { inputs: ['a', 'c'] }, 'column "c": expected one of the columns "a", "b", "y"'],
    ['a column named twice', { inputs: ['a', 'y'] }, 'targets: a column is named twice'],
  ])('refuses %s', async (_, changes, words) => {
    const rest = fromFile();
    bench.put('/d.csv', 'a,b,y\n1,2,3\n4,5,6\n');
    const fault = await faultOf(bench.run('train_surrogate', { ...rest, dataset_path: '/d.csv', ...changes }));
    expect(fault).toContain(words);
    expect(fault).toMatch(/^invalid_input /);
  });

  it('names the row and column of a cell that is no number', async () => {
    const rest = fromFile();
    bench.put('/d.csv', 'a,b,y\n1,2,3\n4,NaN,6\n');
    const fault = await faultOf(bench.run('train_surrogate', { ...rest, dataset_path: '/d.csv' }));
    expect(fault).toBe('invalid_input /d.csv: row 3, column "b": expected a finite number, got "NaN".');
  });

  it('refuses files without rows, missing files, and rows of another length', async () => {
    const rest = fromFile();
    bench.put('/d.csv', 'a,b,y\n');
    const run = (changes: object) => faultOf(bench.run('train_surrogate', { ...rest, ...changes }));
    expect(await run({ dataset_path: '/d.csv' })).toBe('invalid_input /d.csv: expected at least one row');
    expect(await run({ dataset_path: '/none.csv' })).toBe('file_not_found /none.csv does not exist');
    expect(await run({ rows: [[1, 2]] })).toBe(
      'invalid_input rows[0]: expected 3 numbers (inputs, then targets), got 2',
    );
    expect(await run({ rows: [{ a: 1, b: 2 }] })).toBe('invalid_input rows[0]: expected a number called "y"');
  });
});
