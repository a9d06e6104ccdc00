import { beforeEach, describe, expect, it } from 'vitest';
import type { KwargsInput } from '#catalog';
import type { Json, JsonObject } from '#protocol';
import { Rng } from '#kernels/rng';
import { decodeModel } from '../../../client/worker/tasks/models/model-file.ts';
import { ForestPredictor } from '../../../kernels/forest/index.ts';
import { GP_LIMITS, GpPredictor } from '../../../kernels/gp/index.ts';
import { kernelModule } from '../kernels/load.ts';
import { faultOf, Workbench } from './context.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});

type Kind = 'forest' | 'gp';
const kinds: readonly Kind[] = ['forest', 'gp'];

/** Rows (a, b, y, z) of two smooth functions with a little noise. */
function rows(count: number, noise = 0.05): number[][] {
  const rng = new Rng(3);
  return Array.from({ length: count }, () => {
    const [a, b] = [rng.uniform(), rng.uniform()];
    return [a, b, 3 * a - b * b + noise * rng.normal(), 10 * b + noise * rng.normal()];
  });
}

type Training = Extract<KwargsInput<'train_surrogate'>, { kind: Kind }>;

function training(kind: Kind, changes: object = {}): Training {
  const own = kind === 'forest' ? { n_estimators: 12 } : { n_restarts_optimizer: 1 };
  return { kind, rows: rows(40), inputs: ['a', 'b'], targets: ['y', 'z'], seed: 5, ...own, ...changes };
}

/** What a file says of points, through a task. */
async function predictions(path: string | string[], count: number, std_scale?: number[]) {
  bench.put('/pool.csv', ['a,b', ...rows(count).map(([a, b]) => `${a},${b}`)].join('\n'));
  const { proposals } = await bench.run('score_candidates', {
    model_path: path,
    pool: '/pool.csv',
    inputs: ['a', 'b'],
    acquisition: { kind: 'mean' },
    goal: 'max',
    scalarizations: [{ goals: ['max', 'max'], weights: [0.5, 0.5], ideal: [3, 10], nadir: [-1, 0] }],
    count,
    ...(std_scale === undefined ? {} : { std_scale }),
  });
  return proposals.sort((a, b) => a.row - b.row);
}

describe.each(kinds)('train_surrogate with the kind %s', (kind) => {
  it('writes a file that predicts every target', async () => {
    const result = await bench.run('train_surrogate', training(kind, { model_path: '/m.json' }));
    expect(result).toMatchObject({
      model_path: '/m.json',
      members: kind === 'forest' ? 12 : 1,
      epochs_run: [],
      train_loss: null,
    });
    expect(result.validation!.r2).toBeGreaterThan(0.7);
    expect(result.calibration!.std_scale).toHaveLength(2);
    const all = await predictions('/m.json', 20);
    const truth = rows(20);
    all.forEach(({ prediction: { mean, std } }, row) => {
      expect(Math.abs(mean[0]! - truth[row]![2]!)).toBeLessThan(1.2);
      expect(Math.abs(mean[1]! - truth[row]![3]!)).toBeLessThan(3);
      expect(std.every((spread) => spread > 0)).toBe(true);
    });
  });

  it('says the same by the task as by the kernel, calibrated', async () => {
    await bench.run('train_surrogate', training(kind, { model_path: '/m.json' }));
    const { content, stdScale } = decodeModel(bench.read('/m.json'));
    const [first] = await predictions('/m.json', 1);
    const x = Float64Array.from(first!.inputs);
    const kernels = await kernelModule();
    const each =
      content.kind === 'forest'
        ? content.forests.map((model) => new ForestPredictor(kernels, model).predict(x, 1))
        : content.kind === 'gp'
          ? [0, 1].map((k) => {
              const { mean, std } = new GpPredictor(kernels, content.process).predict(x, 1, true);
              return { mean: mean.subarray(k, k + 1), std: std.subarray(k, k + 1) };
            })
          : [];
    expect(first!.prediction.mean).toEqual(each.map(({ mean }) => mean[0]));
    expect(first!.prediction.std).toEqual(each.map(({ std }, k) => std[0]! * stdScale[k]!));
    const [wide] = await predictions('/m.json', 1, [2, 3]);
    expect(wide!.prediction.std[1]).toBeCloseTo(3 * first!.prediction.std[1]!, 10);
  });

  it('is decided by its arguments', async () => {
    const first = await bench.run('train_surrogate', training(kind));
    expect((await bench.run('train_surrogate', training(kind))).sha256).toBe(first.sha256);
    expect((await bench.run('train_surrogate', training(kind, { seed: 6 }))).sha256).not.toBe(first.sha256);
  });

  it('goes on from any of its snapshots to the same bytes', async () => {
    bench.takesSnapshots = true;
    const whole = await bench.run('train_surrogate', training(kind));
    const snapshots = bench.snapshots.slice();
    expect(snapshots.length).toBeGreaterThan(20);
    expect(bench.progress.length).toBe(snapshots.length);
    for (const snapshot of snapshots) {
      expect((await bench.run('train_surrogate', training(kind), snapshot)).sha256).toBe(whole.sha256);
    }
  });

  it('begins anew from a snapshot of something else', async () => {
    const { sha256 } = await bench.run('train_surrogate', training(kind));
    bench.takesSnapshots = true;
    await bench.run('train_surrogate', training(kind === 'gp' ? 'forest' : 'gp'));
    const foreign = bench.snapshots.slice(0, 2);
    for (const snapshot of [...foreign, new Uint8Array(16)]) {
      expect((await bench.run('train_surrogate', training(kind), snapshot)).sha256).toBe(sha256);
    }
  });

  it('learns from a single row, which it then repeats', async () => {
    const { validation } = await bench.run(
      'train_surrogate',
      training(kind, { rows: [[0.5, 0.5, 2, 7]], model_path: '/m.json' }),
    );
    expect(validation).toBeNull();
    const [first] = await predictions('/m.json', 1);
    expect(first!.prediction.mean[0]).toBeCloseTo(2, 6);
    expect(first!.prediction.mean[1]).toBeCloseTo(7, 6);
  });

  it('is searched around the rows that it learnt from, where no bounds are given', async () => {
    const shifted = rows(40).map(([a = 0, b = 0, y = 0]) => [a + 100, b - 50, y]);
    await bench.run('train_surrogate', training(kind, { rows: shifted, targets: ['y'], model_path: '/m.json' }));
    const { x } = await bench.run('run_cmaes_optimization', {
      objective: { model_path: '/m.json', acquisition: { kind: 'ucb' } },
      dimension: 2,
      max_evaluations: 300,
    });
    expect(Math.abs(x[0]! - 100.5)).toBeLessThan(1);
    expect(Math.abs(x[1]! + 49.5)).toBeLessThan(1);
  });

  it('lets Thompson sampling ask members, each proposal another one', async () => {
    await bench.run(
      'train_surrogate',
      training(kind, { targets: ['y'], rows: rows(40).map((row) => row.slice(0, 3)), model_path: '/m.json' }),
    );
    bench.put('/pool.csv', ['a,b', ...rows(30).map(([a, b]) => `${a},${b}`)].join('\n'));
    const { proposals } = await bench.run('score_candidates', {
      ...{ model_path: '/m.json', pool: '/pool.csv', inputs: ['a', 'b'], goal: 'max', count: 2, seed: 1 },
      acquisition: { kind: 'thompson' },
    });
    const byMean = proposals.map(({ score, prediction }) => score - prediction.mean[0]!);
    expect(byMean[0]).not.toBe(0);
    expect(byMean[0]).not.toBe(byMean[1]);
  });

  it('stands in for a laboratory', async () => {
    await bench.run('train_surrogate', training(kind, { model_path: '/m.json' }));
    const { values } = await bench.run('evaluate_candidates', {
      candidates: [[0.5, 0.9]],
      inputs: ['a', 'b'],
      evaluator: { kind: 'model', model_path: '/m.json' },
    });
    expect(Math.abs(values[0]!.z! - 9)).toBeLessThan(2);
  });

  it.each(['hidden', 'activation', 'epochs', 'members', 'patience', 'learning_rate', 'loss'])(
    'refuses the option %s, which is not its own',
    async (name) => {
      await expect(bench.run('train_surrogate', training(kind, { [name]: 1 }))).rejects.toThrow(
        `kwargs.${name}: unknown key`,
      );
    },
  );

  it('refuses a path of a safetensors file', async () => {
    await expect(bench.run('train_surrogate', training(kind, { model_path: '/m.safetensors' }))).rejects.toThrow(
      'kwargs.model_path: expected no .safetensors file',
    );
  });
});

describe('train_surrogate', () => {
  it.each([
    [{ kind: 'tree' }, 'kwargs.kind'],
    [{ n_estimators: 10 }, 'kwargs.n_estimators: unknown key'],
    [{ kind: 'forest', covariance: 'rbf' }, 'kwargs.covariance: unknown key'],
    [{ kind: 'gp', max_depth: 3 }, 'kwargs.max_depth: unknown key'],
    [{ kind: 'gp', covariance: 'linear' }, 'kwargs.covariance'],
    [{ kind: 'forest', max_features: 0 }, 'kwargs.max_features'],
    [{ kind: 'forest', dataset_path: '/d.csv' }, 'kwargs.dataset_path: expected either'],
  ])('refuses %j', async (changes, words) => {
    const { rows: inline, inputs, targets } = training('gp');
    const kwargs = { rows: inline, inputs, targets, ...changes } as KwargsInput<'train_surrogate'>;
    await expect(bench.run('train_surrogate', kwargs)).rejects.toThrow(words);
  });

  it('says how many rows a process takes', async () => {
    const many = rows(GP_LIMITS.rows + 1);
    const fault = await faultOf(bench.run('train_surrogate', training('gp', { rows: many, validation_fraction: 0 })));
    expect(fault).toBe('invalid_input kind: gp learns from at most 2000 rows, and there are 2001');
  });

  it('has room for no more features than there are', async () => {
    expect(await faultOf(bench.run('train_surrogate', training('forest', { max_features: 3 })))).toContain(
      'maxFeatures',
    );
  });

  it.each([
    ['max_depth', 1],
    ['min_samples_split', 20],
    ['min_samples_leaf', 10],
    ['max_features', 1],
  ])('grows other trees with another %s', async (name, value) => {
    const plain = await bench.run('train_surrogate', training('forest'));
    const other = await bench.run('train_surrogate', training('forest', { [name]: value }));
    expect(other.validation!.rmse).not.toBe(plain.validation!.rmse);
    expect(JSON.parse(new TextDecoder().decode(bench.read(other.model_path)))).toMatchObject({
      training: { rows: 32, n_estimators: 12, [name]: value },
    });
  });

  it.each([
    ['covariance', 'rbf'],
    ['prior', 'dimension-scaled'],
  ])('fits another process with another %s', async (name, value) => {
    const plain = await bench.run('train_surrogate', training('gp'));
    const other = await bench.run('train_surrogate', training('gp', { [name]: value }));
    expect(other.validation!.rmse).not.toBe(plain.validation!.rmse);
  });
});

describe('several files', () => {
  it('of trees are one forest', async () => {
    const trained = (seed: number) =>
      bench.run(
        'train_surrogate',
        training('forest', { seed, n_estimators: 6, validation_fraction: 0, model_path: `/${seed}.json` }),
      );
    await Promise.all([1, 2].map(trained));
    const [one, two, both] = [
      await predictions('/1.json', 8),
      await predictions('/2.json', 8),
      await predictions(['/1.json', '/2.json'], 8),
    ];
    both.forEach(({ prediction: { mean, std } }, row) => {
      [0, 1].forEach((k) => {
        const [m1, m2] = [one[row]!.prediction.mean[k]!, two[row]!.prediction.mean[k]!];
        const [s1, s2] = [one[row]!.prediction.std[k]!, two[row]!.prediction.std[k]!];
        expect(mean[k]).toBeCloseTo((m1 + m2) / 2, 10);
        expect(std[k]! * std[k]!).toBeCloseTo((s1 * s1 + s2 * s2) / 2 + ((m1 - m2) / 2) ** 2, 10);
      });
    });
  });

  it('of several kinds, or of several processes, do not belong together', async () => {
    await bench.run('train_surrogate', training('forest', { model_path: '/f.json' }));
    await bench.run('train_surrogate', training('gp', { model_path: '/g.json' }));
    expect(await faultOf(predictions(['/f.json', '/g.json'], 1))).toContain('kind of file 2: expected forest');
    expect(await faultOf(predictions(['/g.json', '/g.json'], 1))).toContain('a Gaussian process has no parts');
  });
});

describe('members of a process', () => {
  it('have the mean and the spread that it predicts, and go their own ways for each target', async () => {
    const { gpMembers, gpPredictor } = await import('../../../client/worker/tasks/models/gp.ts');
    await bench.run('train_surrogate', training('gp', { model_path: '/m.json' }));
    const { content } = decodeModel(bench.read('/m.json'));
    if (content.kind !== 'gp') throw new Error('expected a process');
    const predictor = gpPredictor(await kernelModule(), content.process, content.inputs);
    const { mean, std, members } = predictor.predict(Float64Array.of(0.3, 0.8, 0.1, 0.2), 2);
    expect(members()).toHaveLength(gpMembers);
    const deviations = members().map((member) => [...member].map((value, i) => (value - mean[i]!) / std[i]!));
    [0, 1, 2, 3].forEach((i) => {
      const z = deviations.map((deviation) => deviation[i]!);
      expect(z.reduce((sum, value) => sum + value, 0) / gpMembers).toBeCloseTo(0, 8);
      expect(z.reduce((sum, value) => sum + value * value, 0) / gpMembers).toBeCloseTo(1, 8);
    });
    const together = deviations.reduce((sum, deviation) => sum + deviation[0]! * deviation[1]!, 0) / gpMembers;
    expect(Math.abs(together)).toBeLessThan(0.3);
  });
});

describe('a model file from elsewhere', () => {
  const change = (path: string, edit: (file: JsonObject) => void): void => {
    const file = JSON.parse(new TextDecoder().decode(bench.read('/m.json'))) as JsonObject;
    edit(file);
    bench.put(path, JSON.stringify(file));
  };
  const inside = (value: Json | undefined): JsonObject => value as JsonObject;

  it.each<[Kind, string, (file: JsonObject) => void]>([
    ['gp', 'version: expected 1', (file) => void (file.version = 2)],
    ['gp', 'kind: expected one of forest, gp', (file) => void (file.kind = 'mlp')],
    ['gp', 'inputs: expected a list of column names', (file) => void (file.inputs = [1, 2])],
    [
      'gp',
      'process.dimension: expected 3',
      (file) => {
        file.inputs = ['a', 'b', 'c'];
        file.input_statistics = { mean: [0, 0, 0], scale: [1, 1, 1] };
      },
    ],
    ['gp', 'process.outputs: expected 1 targets', (file) => void (file.targets = ['y'])],
    ['gp', 'model: expected an object', (file) => void (file.process = null)],
    [
      'gp',
      'outputs[0].noiseVariance',
      (file) => {
        inside((inside(file.process).outputs as Json[])[0]).noiseVariance = -1;
      },
    ],
    ['gp', 'inputs: expected', (file) => void (inside(file.process).inputs = 'AAAA')],
    ['gp', 'rows: expected', (file) => void (inside(file.process).rows = 1e9)],
    ['forest', 'forests: expected 2 forests', (file) => void (file.forests = [])],
    ['forest', 'forests: expected 2 forests', (file) => void (file.forests = { length: 2 })],
    [
      'forest',
      'forests[0].dimension: expected 1',
      (file) => {
        file.inputs = ['a'];
        file.input_statistics = { mean: [0], scale: [1] };
      },
    ],
    ['forest', 'nodeCounts[0]: expected', (file) => void (inside((file.forests as Json[])[1]).nodeCounts = [-1])],
    ['forest', 'nodes: expected', (file) => void (inside((file.forests as Json[])[0]).nodes = 'AAAA')],
    ['forest', 'input_statistics: expected an object', (file) => void (file.input_statistics = 3)],
    [
      'forest',
      'input_statistics.scale: expected 2 numbers',
      (file) => {
        inside(file.input_statistics).scale = [1];
      },
    ],
    ['forest', 'calibration.std_scale: expected a list', (file) => void (file.calibration = {})],
  ])('of the kind %s is refused by name: %s', async (kind, words, edit) => {
    await bench.run('train_surrogate', training(kind, { model_path: '/m.json' }));
    change('/x.json', edit);
    const evaluated = bench.run('evaluate_candidates', {
      candidates: [[0, 0]],
      evaluator: { kind: 'model', model_path: '/x.json' },
    });
    expect(await faultOf(evaluated)).toContain(words);
    expect(await faultOf(evaluated)).toMatch(/^invalid_input \/x.json: /);
  });

  it('must have forests of equally many trees', async () => {
    await bench.run('train_surrogate', training('forest', { model_path: '/m.json' }));
    const other = await bench.run('train_surrogate', training('forest', { n_estimators: 3 }));
    const file = JSON.parse(new TextDecoder().decode(bench.read(other.model_path))) as JsonObject;
    change('/x.json', (model) => void ((model.forests as Json[])[1] = (file.forests as Json[])[1]!));
    expect(() => decodeModel(bench.read('/x.json'))).toThrow('forests[1].nodeCounts: expected 12 trees');
  });
});
