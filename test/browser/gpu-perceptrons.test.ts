import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GROUP_TOLERANCE } from '#kernels/mlp/group';
import type { MemberReport, Placement } from '#kernels/mlp/group';
import { GpuPlaces, places } from './support/gpu.ts';

interface Prediction {
  mean: number[];
  std: number[];
}

interface Found {
  adapter: string;
  compared: {
    placements: Placement[];
    reports: MemberReport[];
    expectedReports: MemberReport[];
    bestEpochs: number[];
    epochs: number[];
    prediction: Prediction & { placement: Placement };
    wantedPrediction: Prediction;
  };
  moved: { stay: MemberReport[]; toWasm: MemberReport[]; toGpu: MemberReport[] };
  widened: { placements: Placement[]; reports: MemberReport[]; wanted: MemberReport[] };
  mixed: { placements: Placement[]; faults: (string | null)[]; refused: string | null; epochs: number[] };
  lost: {
    stay: MemberReport[];
    reports: MemberReport[];
    placements: Placement[];
    prediction: { placement: Placement; mean: number[]; wanted: number[] };
  };
}

let gpu: GpuPlaces;

beforeAll(async () => {
  gpu = await GpuPlaces.open();
});

afterAll(async () => {
  await gpu.close();
});

const SMALL_LOSS = 0.01;

function expectClose(found: number | undefined, wanted: number | undefined, tolerance: number): void {
  if (found === undefined || wanted === undefined) expect(found).toBe(wanted);
  else expect(Math.abs(found - wanted) / Math.max(Math.abs(wanted), SMALL_LOSS)).toBeLessThanOrEqual(tolerance);
}

/** The same members in the same epochs with losses within the contract's tolerance. */
function expectSameTraining(found: MemberReport[], wanted: MemberReport[]): void {
  const name = ({ member, epoch }: MemberReport): string => `epoch ${epoch} of member ${member}`;
  expect(found.map(name)).toEqual(wanted.map(name));
  found.forEach((report, i) => {
    const tolerance = report.epoch === 1 ? GROUP_TOLERANCE.firstLoss : GROUP_TOLERANCE.loss;
    expectClose(report.trainLoss, wanted[i]?.trainLoss, tolerance);
    expectClose(report.validationLoss, wanted[i]?.validationLoss, tolerance);
  });
}

/** Numbers within the tolerance of predictions, relative to how far those wanted are spread. */
function expectSamePredictions(found: number[], wanted: number[]): void {
  const scale = Math.max(...wanted) - Math.min(...wanted);
  expect(found).toHaveLength(wanted.length);
  const worst = Math.max(...found.map((value, i) => Math.abs(value - (wanted[i] ?? NaN))));
  expect(worst).toBeLessThanOrEqual(GROUP_TOLERANCE.output * scale);
}

describe.each(places)('perceptrons on a GPU in a %s', (place) => {
  let found: Found;

  beforeAll(async () => {
    found = (await gpu.run(place, 'perceptrons')) as Found;
  });

  it('learn as 64 in WASM do, whatever their options', () => {
    const { placements, reports, expectedReports } = found.compared;
    expect(placements).toEqual(Array.from({ length: 64 }, () => ({ backend: 'webgpu', reason: found.adapter })));
    expectSameTraining(reports, expectedReports);
  });

  it('stop early by the same rule, with the best weights', () => {
    const { reports, bestEpochs, epochs } = found.compared;
    const impatient = Array.from({ length: 16 }, (_, i) => 4 * i + 3);
    for (const member of impatient) {
      const losses = reports
        .filter((report) => report.member === member)
        .map(({ trainLoss, validationLoss }) => validationLoss ?? trainLoss);
      expect(losses).toHaveLength(epochs[member] ?? 0);
      expect(bestEpochs[member]).toBe(1 + losses.indexOf(Math.min(...losses)));
    }
    expect(impatient.some((member) => epochs[member] !== bestEpochs[member])).toBe(true);
  });

  it('predict as an ensemble in WASM does', () => {
    const { prediction, wantedPrediction } = found.compared;
    expect(prediction.placement.backend).toBe('webgpu');
    const column = (values: number[], k: number): number[] => values.filter((_, i) => i % 2 === k);
    for (const k of [0, 1]) {
      expectSamePredictions(column(prediction.mean, k), column(wantedPrediction.mean, k));
      expectSamePredictions(column(prediction.std, k), column(wantedPrediction.std, k));
    }
  });

  it('move to WASM and back in the middle', () => {
    const { stay, toWasm, toGpu } = found.moved;
    expectSameTraining(toWasm, stay);
    expectSameTraining(toGpu, stay);
  });

  it('learn alike when they are so wide that workgroups share them', () => {
    const { placements, reports, wanted } = found.widened;
    expect(placements.map(({ backend }) => backend)).toEqual(['webgpu', 'webgpu']);
    expectSameTraining(reports, wanted);
  });

  it('leave to WASM what the shaders lack, and say so', () => {
    const { placements, faults, refused, epochs } = found.mixed;
    expect(placements).toEqual([
      { backend: 'webgpu', reason: found.adapter },
      { backend: 'wasm', reason: 'The GPU version has no dropout.' },
      { backend: 'wasm', reason: 'The GPU version has no loss "gaussian_nll".' },
      { backend: 'webgpu', reason: found.adapter },
    ]);
    expect(epochs.slice(0, 3)).toEqual([4, 4, 4]);
    expect(faults.slice(0, 3)).toEqual([null, null, null]);
    expect(faults[3]).toMatch(/^learningRate: expected a step size .* at which training stays finite/);
    expect(refused).toContain('learningRate');
  });

  it('go on in WASM when the device is lost, and say so', () => {
    const { stay, reports, placements, prediction } = found.lost;
    expectSameTraining(reports, stay);
    for (const { backend, reason } of [...placements, prediction.placement]) {
      expect(backend).toBe('wasm');
      expect(reason).toMatch(/^The GPU device was lost: /);
    }
    expect(prediction.mean).toEqual(prediction.wanted);
  });
});
