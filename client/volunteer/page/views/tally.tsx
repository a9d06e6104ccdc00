import type { WorkStatus } from '../../work-status.ts';
import type { Fleet } from '../page-state.ts';
import type { Lifetime } from '../settings.ts';
import { count, duration } from '../words.ts';

/** What was done: by this tab, on this device, and by everybody. */
export function Tally(props: { work: WorkStatus; lifetime: Lifetime; fleet: Fleet | null }) {
  const { work, lifetime, fleet } = props;
  const { succeeded, failed, returned, computedMs } = work.totals;
  const further = [
    ...(failed > 0 ? [`${failed.toLocaleString('en')} failed`] : []),
    ...(returned > 0 ? [`${returned.toLocaleString('en')} handed back`] : []),
  ];
  return (
    <section class="panel" aria-labelledby="tally-title">
      <h2 id="tally-title">Done so far {work.workerName !== null && <small>by {work.workerName}</small>}</h2>
      <dl class="tally">
        <div>
          <dt>Tasks finished</dt>
          <dd>
            {succeeded.toLocaleString('en')}
            {further.length > 0 && <small>{further.join(', ')}</small>}
          </dd>
        </div>
        <div>
          <dt>Time computed</dt>
          <dd>{duration(computedMs)}</dd>
        </div>
        <div>
          <dt>On this device, ever</dt>
          <dd>
            {count(lifetime.tasks, 'task', 'tasks')}
            <small>{duration(lifetime.computedMs)}</small>
          </dd>
        </div>
        {fleet !== null && (
          <div>
            <dt>Everybody</dt>
            <dd>
              {count(fleet.workersOnline, 'worker', 'workers')}
              <small>{count(fleet.tasksDone, 'task', 'tasks')} done</small>
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}
