/** Below this, handing a task to a thread takes about as long as computing it. */
const briefMs = 1;
/** Runs of a type before its pace is trusted. */
const enoughRuns = 8;
/** What the newest run counts, once that many were seen: one slow run tells at once, forgetting it takes dozens of quick ones. */
const newestShare = 0.1;
/** Ranges of arrays differ as what they call does: one tells nothing of the next. */
const unlike = 'starmap';

/** Knows from experience which task types are so brief that they are better handed over several at a time. */
export class Pace {
  readonly #byTask = new Map<string, { runs: number; meanMs: number }>();

  measured(task: string, runtimeMs: number): void {
    if (task === unlike) return;
    const pace = this.#byTask.get(task) ?? { runs: 0, meanMs: 0 };
    this.#byTask.set(task, pace);
    pace.runs++;
    pace.meanMs += (runtimeMs - pace.meanMs) * Math.max(1 / pace.runs, newestShare);
  }

  isBrief(task: string): boolean {
    const pace = this.#byTask.get(task);
    return pace !== undefined && pace.runs >= enoughRuns && pace.meanMs < briefMs;
  }
}
