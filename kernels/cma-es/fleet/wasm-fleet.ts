import { Workspace } from '../block.ts';
import { CmaEs } from '../run.ts';
import type { FleetResult } from './contract.ts';
import { STEP_GENERATIONS } from './layout.ts';
import { resultOf } from './plan.ts';
import type { FleetPlan, PlannedRun } from './plan.ts';

const hasStopped = ({ stop }: FleetResult): boolean => Object.keys(stop).length > 0;

/** Runs one after the other, in one instance: where there is no GPU for them. Same bytes as each run alone. */
export class WasmFleet {
  readonly #workspace: Workspace;
  readonly #runs: readonly PlannedRun[];
  readonly #results: FleetResult[];
  readonly #snapshots: Uint8Array[];
  #current: { readonly place: number; readonly run: PlannedRun; readonly es: CmaEs } | undefined;

  constructor({ module, runs }: FleetPlan) {
    this.#workspace = new Workspace(module);
    this.#runs = runs;
    this.#results = runs.map(({ result }) => result);
    this.#snapshots = runs.map(({ snapshot }) => snapshot);
  }

  get done(): boolean {
    return this.#results.every(hasStopped);
  }

  async step(): Promise<void> {
    const current = this.#current ?? this.#next();
    if (current === undefined) return;
    const { place, run, es } = current;
    let result = resultOf(es);
    for (let g = 0; g < STEP_GENERATIONS && !hasStopped(result); g++) {
      es.tell(run.evaluate(es.ask(), es.popsize));
      result = resultOf(es);
    }
    this.#results[place] = result;
    this.#current = hasStopped(result) ? undefined : current;
    if (this.#current === undefined) this.#snapshots[place] = es.snapshot();
  }

  result(place: number): FleetResult | undefined {
    return this.#results[place];
  }

  snapshot(place: number): Uint8Array | undefined {
    return this.#current?.place === place ? this.#current.es.snapshot() : this.#snapshots[place];
  }

  #next() {
    const place = this.#results.findIndex((result) => !hasStopped(result));
    const run = this.#runs[place];
    const snapshot = this.#snapshots[place];
    if (run === undefined || snapshot === undefined) return undefined;
    this.#current = { place, run, es: CmaEs.resumeAt(this.#workspace, snapshot) };
    return this.#current;
  }
}
