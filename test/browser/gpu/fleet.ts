import type { BuiltinName } from '#kernels/bbob';
import { CmaEs } from '#kernels/cma-es';
import type { CmaOptions } from '#kernels/cma-es';
import { createFleet } from '#kernels/cma-es/fleet';
import type { CmaFleet, FleetRun } from '#kernels/cma-es/fleet';
import { openGpu } from '#kernels/gpu';
import type { AcquisitionOptions } from '#kernels/acquisition';
import type { GpuDevice } from '#kernels/gpu';
import { Rng } from '#kernels/rng';
import { absent, deviceOf, finish, played, randomEnsemble, report, runsOn } from './fleet-runs.ts';
import type { Scenario } from './scenario.ts';

const DIMENSION = 5;

/** 256 runs on three functions, on the device and in WASM. */
function searches(): FleetRun[] {
  return [
    ...runsOn('sphere', 64, DIMENSION, { ftarget: 1e-8 }),
    ...runsOn('rosenbrock', 64, DIMENSION, { ftarget: 1e-8 }),
    ...runsOn('rastrigin', 128, DIMENSION, { sigma0: 2, tolfun: 1e-4, bounds: { lower: -5.12, upper: 5.12 } }),
  ];
}

const open = (device: GpuDevice) => ({ type: 'open', device }) as const;

/** One step of a run on each function whose axes never turn: both sides then do the same with the same random numbers. */
async function walk(
  kernels: WebAssembly.Module,
  device: GpuDevice,
  names: readonly BuiltinName[],
  d: number,
  options: Partial<CmaOptions> = { bounds: { lower: -3.5, upper: 3.2 } },
) {
  const runs = names.flatMap((name) => runsOn(name, 2, d, { updatecovwait: 1000, ...options }));
  const onGpu = createFleet(kernels, open(device), { runs });
  await onGpu.step();
  const walks = await Promise.all(
    runs.map(async (run, i) => {
      const inWasm = createFleet(kernels, absent, { runs: [run] });
      await inWasm.step();
      const sides = [onGpu.snapshot(i), inWasm.snapshot(0)].map((bytes) => {
        const { mean, sigma, iterations } = CmaEs.resume(kernels, bytes);
        return { mean: [...mean], sigma, iterations };
      });
      return { name: names[i >> 1], sides };
    }),
  );
  onGpu.close();
  return walks;
}

/** Functions of any number of variables, and those of one. */
const ANY = ['sphere', 'ellipsoid', 'rosenbrock', 'rastrigin', 'ackley', 'griewank', 'levy'] as const;

/** From the device to WASM and back, between two steps. */
async function moves(kernels: WebAssembly.Module, device: GpuDevice) {
  const runs = runsOn('rosenbrock', 12, DIMENSION, { ftarget: 1e-8 });
  const first = createFleet(kernels, open(device), { runs });
  await first.step();
  const begun = report(first);
  const carry = (fleet: CmaFleet): FleetRun[] =>
    runs.map(({ objective }, i) => ({ objective, snapshot: fleet.snapshot(i) }));
  const inWasm = createFleet(kernels, absent, { runs: carry(first) });
  const carried = report(inWasm);
  await finish(inWasm);
  const again = createFleet(kernels, open(device), {
    runs: carry(createFleet(kernels, absent, { runs: carry(first) })),
  });
  await finish(again);
  const result = { begun, carried, inWasm: report(inWasm), again: report(again) };
  first.close();
  again.close();
  return result;
}

export const fleetSearch: Scenario = async (gpu, kernels) => {
  const device = await deviceOf(gpu);
  const onGpu = await played(kernels, open(device), searches());
  const inWasm = await played(kernels, absent, searches());
  const walks = await walk(kernels, device, ANY, DIMENSION);
  const moved = await moves(kernels, device);
  await device.close();
  return { onGpu, inWasm, walks, moved };
};

/** For functions that vary in the unit cube alone. */
const unitStart = (d: number): Partial<CmaOptions> => {
  return { x0: Array.from({ length: d }, () => 0.4), sigma0: 0.2, bounds: { lower: 0, upper: 1 } };
};

/** Functions that have their own numbers of variables, and the smallest and the largest spaces that a GPU takes. */
export const fleetDimensions: Scenario = async (gpu, kernels) => {
  const device = await deviceOf(gpu);
  const walks = [
    ...(await walk(kernels, device, ['branin'], 2)),
    ...(await walk(kernels, device, ['hartmann6'], 6, unitStart(6))),
  ];
  const smallest = await played(kernels, open(device), runsOn('sphere', 4, 1, { popsize: 6, ftarget: 1e-8 }));
  const large = runsOn('sphere', 2, 40, { ftarget: 0.03 });
  const largest = { onGpu: await played(kernels, open(device), large), inWasm: await played(kernels, absent, large) };
  await device.close();
  return { walks, smallest, largest };
};

const ACQUISITIONS: readonly (AcquisitionOptions & { member?: number })[] = [
  { kind: 'ei', goal: 'max', best: 4 },
  { kind: 'ei', goal: 'min', best: -60 },
  { kind: 'pi', goal: 'max', best: 5, xi: 0.1 },
  { kind: 'ucb', goal: 'min', kappa: 2 },
  { kind: 'mean', goal: 'max' },
  { kind: 'thompson', goal: 'min', member: 2 },
];
const RESTARTS = 8;

/** Restarts × acquisitions over one ensemble. */
export const fleetAcquisitions: Scenario = async (gpu, kernels) => {
  const device = await deviceOf(gpu);
  const d = 4;
  const runs = ACQUISITIONS.flatMap(({ member, ...acquisition }) =>
    Array.from({ length: RESTARTS }, (_, seed): FleetRun => {
      const objective = { kind: 'acquisition', acquisition, ...(member === undefined ? {} : { member }) } as const;
      const rng = new Rng(seed, 79);
      const x0 = Array.from({ length: d }, () => rng.uniform());
      const options = { dimension: d, x0, sigma0: 0.3, seed, bounds: { lower: 0, upper: 1 } };
      return { objective, options };
    }),
  );
  const onGpu = await played(kernels, open(device), runs, randomEnsemble(d));
  const inWasm = await played(kernels, absent, runs, randomEnsemble(d));
  await device.close();
  return { onGpu, inWasm, restarts: RESTARTS };
};

/** A device that goes in the middle, and fleets that no device takes. */
export const fleetFallback: Scenario = async (gpu, kernels) => {
  const device = await deviceOf(gpu);
  const plain = runsOn('sphere', 4, 3, { ftarget: 1e-10 });
  const walks = await walk(kernels, device, ['hartmann3'], 3, unitStart(3));
  const lost = createFleet(kernels, open(device), { runs: plain });
  await lost.step();
  const before = report(lost);
  const step = lost.step();
  device.raw.destroy();
  await step;
  const after = report(lost);
  const finished = report(await finish(lost));
  lost.close();
  const gone = createFleet(kernels, open(device), { runs: plain }).reason;
  await device.close();
  const second = await deviceOf(gpu);
  const reasons = [
    runsOn('sphere', 1, 41),
    runsOn('sphere', 1, 3, { CMA_diagonal: 5 }),
    runsOn('sphere', 1, 40, { popsize: 1_000_000 >> 2 }),
  ].map((runs) => {
    const { backend, reason } = createFleet(kernels, open(second), { runs });
    return { backend, reason };
  });
  await second.close();
  const { backend, reason } = createFleet(kernels, await openGpu(undefined), { runs: plain });
  return { walks, before, after, finished, gone, reasons, without: { backend, reason } };
};
