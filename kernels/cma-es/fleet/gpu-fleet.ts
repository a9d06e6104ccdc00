import { packRecords } from '../../gpu/index.ts';
import type { GpuDevice } from '../../gpu/index.ts';
import type { StopReasons } from '../contract.ts';
import type { Best } from '../run.ts';
import { Termination } from '../termination.ts';
import { conditionLimit, packParameters, packSetup } from './constants.ts';
import { FLEET_LIMITS } from './contract.ts';
import type { FleetResult } from './contract.ts';
import type { PackedEnsemble } from './ensemble.ts';
import { SHADER_REASONS, STEP_GENERATIONS } from './layout.ts';
import type { FleetLayout } from './layout.ts';
import type { FleetPlan, PlannedRun } from './plan.ts';
import { openSnapshot, packState, unpackState, widen } from './state.ts';
import type { OpenSnapshot, RunRecord } from './state.ts';
import { generationOperations } from './support.ts';

/** Bytes between two records of a uniform of which each dispatch picks one. */
const RECORD_BYTES = 256;
/** Numbers of `Step` in fleet.wgsl. */
const STEP_WORDS = 5;

const BINDINGS = ['record', 'read', 'read', 'write', 'write', 'write', 'read'] as const;

/** Part of a step: some generations of some of the running runs. */
interface Wave {
  readonly first: number;
  readonly count: number;
  readonly earlier: number;
  readonly generations: number;
}

/** What the host keeps of a run besides its record. */
interface HostRun extends PlannedRun {
  readonly opened: OpenSnapshot;
  readonly termination: Termination;
  /** `tolstagnation`, which needs more history than the GPU keeps. */
  stagnation: StopReasons;
  best: Best;
}

/**
 * All runs at once, one workgroup each. After each step the whole state is read back, so that snapshots, and going on elsewhere
 * when the device is lost, need nothing more from it.
 */
export class GpuFleet {
  readonly #device: GpuDevice;
  readonly #layout: FleetLayout;
  readonly #runs: readonly HostRun[];
  readonly #dimension: number;
  readonly #operations: number;
  readonly #ensembleAt: number;
  readonly #buffers: { readonly parameters: GPUBuffer; readonly setup: GPUBuffer; readonly network: GPUBuffer } & {
    readonly counters: GPUBuffer;
    readonly numbers: GPUBuffer;
    readonly scratch: GPUBuffer;
  };
  #counters: Uint32Array<ArrayBuffer>;
  #numbers: Float32Array<ArrayBuffer>;

  constructor(device: GpuDevice, plan: FleetPlan, layout: FleetLayout, ensemble: PackedEnsemble) {
    const { runs, dimension } = plan;
    this.#device = device;
    this.#layout = layout;
    this.#dimension = dimension;
    this.#operations = Math.max(...runs.map((run) => generationOperations(plan, run)));
    this.#counters = new Uint32Array(runs.length * layout.stride('COUNTER'));
    this.#numbers = new Float32Array(runs.length * layout.stride('NUMBER'));
    const parameters = new Float32Array(runs.length * layout.stride('PARAMETER'));
    const integers = new Uint32Array(runs.length * layout.stride('SETUP'));
    this.#runs = runs.map((run, index) => {
      const opened = openSnapshot(run.snapshot, run.resolved);
      const termination = new Termination(run.resolved);
      termination.load(opened.termination);
      parameters.set(packParameters(run, layout), index * layout.stride('PARAMETER'));
      integers.set(packSetup(run, opened.stream, layout), index * layout.stride('SETUP'));
      packState(opened, layout, this.#record(index));
      const { x, fun } = run.result;
      return { ...run, opened, termination, stagnation: {}, best: { x, fun, evaluations: run.bestAt } };
    });
    this.#ensembleAt = runs.length + integers.length;
    const setup = new Uint32Array(this.#ensembleAt + ensemble.description.length);
    setup.set(integers, runs.length);
    setup.set(ensemble.description, this.#ensembleAt);
    this.#buffers = {
      parameters: device.upload('storage', parameters),
      setup: device.upload('storage', setup),
      network: device.upload('storage', ensemble.network),
      counters: device.upload('storage', this.#counters),
      numbers: device.upload('storage', this.#numbers),
      scratch: device.storage(4 * runs.length * layout.stride('SCRATCH')),
    };
  }

  get done(): boolean {
    return this.#running().length === 0;
  }

  /** @throws GpuError when the device is lost or refuses; the runs are then where they were before. */
  async step(): Promise<void> {
    const running = this.#running();
    if (running.length === 0) return;
    const device = this.#device;
    const buffers = this.#buffers;
    const program = device.program('cma-es/fleet/fleet', BINDINGS, this.#layout.constants);
    const pipeline = await program.pipeline('advance');
    const waves = this.#waves(running.length);
    const records = waves.map(({ generations, earlier, first }) =>
      [generations, earlier, first, this.#ensembleAt, this.#runs.length].map((u32) => ({ u32 })),
    );
    const steps = device.upload('uniform', packRecords(records, RECORD_BYTES));
    device.write(buffers.setup, 0, Uint32Array.from(running));
    const order = [
      buffers.parameters,
      buffers.setup,
      buffers.counters,
      buffers.numbers,
      buffers.scratch,
      buffers.network,
    ];
    const bindings = program.bind([{ buffer: steps, bytes: 4 * STEP_WORDS }, ...order.map((buffer) => ({ buffer }))]);
    const commands = device.commands();
    waves.forEach(({ count }, index) => commands.dispatch(pipeline, bindings, [count], index * RECORD_BYTES));
    commands.submit();
    const [counters, numbers] = await Promise.all([
      device.read(buffers.counters, 0, this.#counters.byteLength),
      device.read(buffers.numbers, 0, this.#numbers.byteLength),
    ]);
    device.buffers.giveBack(steps);
    const before = running.map((index) => this.#count(index, 'C_ITERATIONS'));
    this.#counters = new Uint32Array(counters);
    this.#numbers = new Float32Array(numbers);
    running.forEach((index, place) => this.#conclude(index, before[place] ?? 0));
  }

  result(index: number): FleetResult | undefined {
    const run = this.#runs[index];
    if (run === undefined) return undefined;
    const { x, fun } = run.best;
    return {
      x: x.slice(),
      fun,
      evaluations: this.#count(index, 'C_EVALUATIONS'),
      iterations: this.#count(index, 'C_ITERATIONS'),
      stop: this.#reasons(index),
    };
  }

  snapshot(index: number): Uint8Array | undefined {
    const run = this.#runs[index];
    if (run === undefined) return undefined;
    const { histories } = run.termination.save();
    const counters = { flat: this.#count(index, 'C_FLAT'), anchored: this.#count(index, 'C_ANCHORED') };
    return unpackState(this.#record(index), run.opened, {
      layout: this.#layout,
      termination: { counters, histories },
      best: run.best,
      reasons: this.#reasons(index),
    });
  }

  close(): void {
    for (const buffer of Object.values(this.#buffers)) this.#device.buffers.giveBack(buffer);
  }

  /** Dispatches of one step: as many generations and runs in each as stay below the limit. */
  #waves(running: number): Wave[] {
    const affordable = Math.floor(FLEET_LIMITS.dispatchOperations / this.#operations);
    const count = Math.min(running, this.#device.limits.maxComputeWorkgroupsPerDimension, Math.max(1, affordable));
    const generations = Math.min(STEP_GENERATIONS, Math.max(1, Math.floor(affordable / count)));
    const waves: Wave[] = [];
    for (let earlier = 0; earlier < STEP_GENERATIONS; earlier += generations) {
      for (let first = 0; first < running; first += count) {
        waves.push({
          first,
          count: Math.min(count, running - first),
          earlier,
          generations: Math.min(generations, STEP_GENERATIONS - earlier),
        });
      }
    }
    return waves;
  }

  #running(): number[] {
    return this.#runs.flatMap((_, index) => (Object.keys(this.#reasons(index)).length === 0 ? [index] : []));
  }

  #record(index: number): RunRecord {
    const [n, c] = [this.#layout.stride('NUMBER'), this.#layout.stride('COUNTER')];
    return {
      numbers: this.#numbers.subarray(index * n, (index + 1) * n),
      counters: this.#counters.subarray(index * c, (index + 1) * c),
    };
  }

  #count(index: number, field: string): number {
    return this.#record(index).counters[this.#layout.at(field)] ?? 0;
  }

  /** Takes in what a step has read back: the histories, and the best with its exact value. */
  #conclude(index: number, before: number): void {
    const run = this.#runs[index];
    if (run === undefined) return;
    const { numbers } = this.#record(index);
    const history = this.#layout.at('N_HISTORY');
    const iterations = this.#count(index, 'C_ITERATIONS');
    const bestAt = this.#count(index, 'C_BEST_AT');
    for (let g = 0; before + g < iterations; g++) {
      const [fitBest = NaN, fitMedian = NaN] = numbers.subarray(history + 2 * g, history + 2 * g + 2);
      const done = before + g + 1;
      const described: Readonly<Record<string, number>> = {
        fitBest,
        fitMedian,
        bestAt,
        iterations: done,
        evaluations: done * run.resolved.popsize,
        allNan: widen(fitBest) === Infinity ? 1 : 0,
      };
      const { tolstagnation } = run.termination.update({
        get: (name) => described[name] ?? NaN,
        moveAnchor: () => undefined,
      });
      if (tolstagnation !== undefined) run.stagnation = { tolstagnation };
    }
    if (bestAt > 0 && bestAt !== run.best.evaluations) run.best = this.#exactBest(run, index, bestAt);
  }

  /** The best candidate in f64: within the bounds as they are there, and with the value that the WASM kernels give it. */
  #exactBest({ resolved, evaluate }: HostRun, index: number, evaluations: number): Best {
    const { lower, upper } = resolved;
    const at = this.#layout.at('N_BEST_X');
    const x = Float64Array.from(this.#record(index).numbers.subarray(at, at + this.#dimension), (value, i) =>
      Math.min(Math.max(value, lower[i] ?? -Infinity), upper[i] ?? Infinity),
    );
    return { x, fun: evaluate(x, 1)[0] ?? NaN, evaluations };
  }

  #reasons(index: number): StopReasons {
    const run = this.#runs[index];
    if (run === undefined) return {};
    const bits = this.#count(index, 'C_REASONS');
    const { resolved } = run;
    const details: Readonly<Record<string, number>> = {
      noeffectcoord: this.#count(index, 'C_DEAF_COORDINATE'),
      noeffectaxis: this.#count(index, 'C_DEAF_AXIS'),
      allnan: this.#count(index, 'C_ALL_NAN'),
      tolconditioncov: conditionLimit(resolved.tolconditioncov),
      tolxstagnation: resolved.tolxstagnation?.[0] ?? 0,
    };
    const thresholds: Readonly<Record<string, unknown>> = { ...resolved, ...details };
    const found = SHADER_REASONS.filter((_, bit) => (bits & (1 << bit)) !== 0);
    return { ...Object.fromEntries(found.map((name) => [name, Number(thresholds[name])])), ...run.stagnation };
  }
}
