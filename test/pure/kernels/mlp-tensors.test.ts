import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { MlpPredictor, MlpTrainer, readMlpSafetensors, writeMlpSafetensors } from '../../../kernels/mlp/index.ts';
import type { MlpModel, MlpOptions, TrainingSet } from '../../../kernels/mlp/index.ts';
import { readSafetensors, writeSafetensors } from '../../../kernels/runtime/index.ts';
import { kernelModule } from './load.ts';
import { classData, defaults, smoothData } from './mlp-data.ts';

const module = await kernelModule();

function train(set: TrainingSet, options: Partial<MlpOptions> = {}): MlpModel {
  const trainer = MlpTrainer.create(module, set, { ...defaults, epochs: 2, ...options });
  while (!trainer.done) trainer.step();
  return trainer.finish();
}

const data = smoothData(20, 3, 2, 1);
const models = [train(data), train(data, { hidden: [5], activation: 'tanh' }), train(data, { hidden: [] })];

/** Reads without any of our code: names to shape and numbers. */
function independentReader(bytes: Uint8Array): Record<string, { shape: number[]; numbers: number[] }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, 8 + length))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const named = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return Object.fromEntries(
    named.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const width = dtype === 'F64' ? 8 : 4;
        const numbers = Array.from({ length: (end - begin) / width }, (_, i) => {
          const place = 8 + length + begin + width * i;
          return dtype === 'F64' ? view.getFloat64(place, true) : view.getFloat32(place, true);
        });
        return [name, { shape, numbers }];
      },
    ),
  );
}

describe('models as safetensors', () => {
  it('come back as they were, alone and as an ensemble, with what else the file says', () => {
    const noisy = train(data, { loss: 'gaussian_nll', activation: 'gelu', patience: 1 });
    const classes = train(classData(20, 3, 4, 1), { loss: 'log_loss' });
    for (const list of [[models[0]!], models, [noisy, noisy], [classes]]) {
      const bytes = writeMlpSafetensors(list, { unit: '°C' });
      expect(readMlpSafetensors(bytes)).toEqual({ models: list, metadata: { unit: '°C' } });
    }
  });

  it('come back for every shape', () => {
    const width = fc.integer({ min: 1, max: 9 });
    const shapes = fc.record({ dimension: width, outputs: width, hidden: fc.array(width, { maxLength: 3 }) });
    fc.assert(
      fc.property(shapes, ({ dimension, outputs, hidden }) => {
        const model = train(smoothData(6, dimension, outputs, 1), { hidden, epochs: 1 });
        expect(readMlpSafetensors(writeMlpSafetensors([model])).models).toEqual([model]);
      }),
      { seed: 2, numRuns: 40 },
    );
  });

  it('have PyTorch’s names and shapes', () => {
    const names = (list: MlpModel[]): string[] =>
      Object.entries(independentReader(writeMlpSafetensors(list))).map(
        ([name, { shape }]) => `${name} ${shape.join('×')}`,
      );
    expect(names([models[1]!])).toEqual([
      'inputs.mean 3',
      'inputs.scale 3',
      'outputs.mean 2',
      'outputs.scale 2',
      'layers.0.weight 5×3',
      'layers.0.bias 5',
      'layers.1.weight 2×5',
      'layers.1.bias 2',
    ]);
    expect(names(models)).toContain('members.1.layers.0.weight 5×3');
  });

  it('tell a reader that knows nothing else how to predict', () => {
    const file = independentReader(writeMlpSafetensors([models[1]!]));
    const get = (name: string): number[] => file[name]!.numbers;
    /** torch.nn.Linear: x·Wᵀ + b. */
    const linear = (x: number[], l: number): number[] =>
      get(`layers.${l}.bias`).map((b, j) =>
        x.reduce((sum, value, i) => sum + value * get(`layers.${l}.weight`)[j * x.length + i]!, b),
      );
    const x = [0.3, -0.2, 0.9];
    const z = x.map((value, i) => (value - get('inputs.mean')[i]!) / get('inputs.scale')[i]!);
    const outputs = linear(linear(z, 0).map(Math.tanh), 1);
    const { mean } = new MlpPredictor(module, [models[1]!]).predict(Float64Array.from(x), 1);
    mean.forEach((value, k) => {
      expect((get('outputs.mean')[k]! + get('outputs.scale')[k]! * outputs[k]!) / value).toBeCloseTo(1, 5);
    });
  });
});

describe('a file of models is refused', () => {
  const file = readSafetensors(writeMlpSafetensors([models[1]!]));
  const rest = JSON.parse(file.metadata.tabgrid_mlp!) as { version: number; members: [Record<string, unknown>] };
  const withTensors = (
    change: (tensors: Map<string, (typeof file)['tensors'] extends ReadonlyMap<string, infer T> ? T : never>) => void,
  ) => {
    const tensors = new Map(file.tensors);
    change(tensors);
    return writeSafetensors({ ...file, tensors });
  };
  const withRest = (value: unknown): Uint8Array =>
    writeSafetensors({ ...file, metadata: { tabgrid_mlp: JSON.stringify(value) } });
  const member = (change: object): unknown => ({ ...rest, members: [{ ...rest.members[0], ...change }] });

  it.each<[string, Uint8Array, string]>([
    ['that is not ours', writeSafetensors({ ...file, metadata: {} }), '__metadata__.tabgrid_mlp'],
    ['of another version', withRest({ ...rest, version: 2 }), '__metadata__.tabgrid_mlp.version'],
    ['without members', withRest({ ...rest, members: [] }), '__metadata__.tabgrid_mlp.members'],
    ['with a member that is none', withRest({ ...rest, members: [7] }), '__metadata__.tabgrid_mlp.members[0]'],
    ['with other layers', withRest(member({ layers: [3, 6, 2] })), 'layers.0.weight'],
    ['with layers that are none', withRest(member({ layers: [3] })), 'layers'],
    ['with another activation', withRest(member({ activation: 'elu' })), 'activation'],
    ['without a tensor', withTensors((tensors) => tensors.delete('layers.1.bias')), 'layers.1.bias'],
    [
      'with a further tensor',
      withTensors((tensors) => tensors.set('x', { shape: [1], data: Float32Array.of(1) })),
      'x',
    ],
    [
      'with a weight that is lying down',
      withTensors((tensors) => tensors.set('layers.0.weight', { ...tensors.get('layers.0.weight')!, shape: [3, 5] })),
      'layers.0.weight',
    ],
    [
      'with means of another type',
      withTensors((tensors) => tensors.set('inputs.mean', { shape: [3], data: new Float32Array(3) })),
      'inputs.mean',
    ],
    [
      'with weights that are no numbers',
      withTensors((tensors) => tensors.set('layers.0.bias', { shape: [5], data: new Float32Array(5).fill(NaN) })),
      'weights[15]',
    ],
    [
      'with a scale of 0',
      withTensors((tensors) => tensors.set('outputs.scale', { shape: [2], data: new Float64Array(2) })),
      'outputs.scale[0]',
    ],
  ])('%s', (_, bytes, field) => {
    expect(() => readMlpSafetensors(bytes)).toThrow(KernelInputError);
    expect(() => readMlpSafetensors(bytes)).toThrow(new RegExp(`^${field.replace(/[.[\]]/g, '\\$&')}:`));
  });

  it('before it is written, without models', () => {
    expect(() => writeMlpSafetensors([])).toThrow(/^models:/);
  });
});
