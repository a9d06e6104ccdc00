import type { FinishedTask, RunningTask, WorkStatus } from '../../work-status.ts';
import { duration, taskInWords } from '../words.ts';

/** How long a finished task stays to be seen on a core that has nothing else to do, in ms. */
const lingerMs = 2500;

/** What each lent core computes just now. */
export function Cores({ work, lent, nowMs }: { work: WorkStatus; lent: number; nowMs: number }) {
  // A core beyond the dial shows only until it has handed back what it held.
  const shown = Math.max(lent, work.cores.findLastIndex((task) => task !== null) + 1);
  return (
    <section class="panel" aria-labelledby="cores-title">
      <h2 id="cores-title">Right now</h2>
      <ol class={shown > 8 ? 'cores many' : 'cores'}>
        {Array.from({ length: shown }, (_, core) => (
          <Core
            key={core}
            number={core + 1}
            running={work.cores[core] ?? null}
            last={work.recent.findLast((task) => task.core === core && task.endedAtMs > nowMs - lingerMs) ?? null}
            nowMs={nowMs}
          />
        ))}
      </ol>
    </section>
  );
}

function Core(props: { number: number; running: RunningTask | null; last: FinishedTask | null; nowMs: number }) {
  const { number, running, last, nowMs } = props;
  const label = <span class="core-number">Core {number}</span>;
  if (running !== null) {
    const { fraction, message } = running.progress ?? {};
    return (
      <li class="core">
        {label}
        <span class="core-time">{duration(Math.max(0, nowMs - running.startedAtMs))}</span>
        <span class="core-task">{taskInWords(running.task)}</span>
        <progress
          max={1}
          aria-label={`Core ${number}: ${taskInWords(running.task)}`}
          {...(fraction === undefined ? {} : { value: fraction })}
        />
        <span class="core-message">
          {message ?? (running.attempt > 1 ? 'Another worker could not finish it.' : '')}
        </span>
      </li>
    );
  }
  if (last !== null) {
    return (
      <li class="core">
        {label}
        <span class="core-time">{duration(last.endedAtMs - last.startedAtMs)}</span>
        <span class="core-task">{taskInWords(last.task)}</span>
        <progress max={1} value={last.outcome === 'success' ? 1 : 0} aria-hidden="true" />
        <span class="core-message">{endings[last.outcome]}</span>
      </li>
    );
  }
  return (
    <li class="core resting">
      {label}
      <span class="core-task">waits for work</span>
      <span class="core-track" aria-hidden="true" />
    </li>
  );
}

const endings: Record<FinishedTask['outcome'], string> = {
  success: 'Done, and handed in.',
  failure: 'Could not be done; the server was told why.',
  released: 'Handed back for somebody else to continue.',
  revoked: 'No longer needed.',
};
