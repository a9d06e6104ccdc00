import { isAdmin, limits, owns, type Principal, type TaskId, type TaskView } from '#protocol';
import type { Core } from './core.ts';
import type { InspectedView } from './rpc.ts';
import { charsOf, listTasks, maxPageChars, viewsInTurn } from './views.ts';

/** Tasks that one answer shows; lists of tasks show all, by pages. */
const maxShown = limits.maxPageSize;

/** What the broker knows of tasks in the words of Celery’s `inspect`: here it is the broker that knows who has what. */
export function inspectTasks(core: Core, principal: Principal, view: InspectedView): TaskView[] {
  switch (view) {
    case 'active':
    case 'reserved': {
      const leases = [...core.leases.all()].filter((lease) => (lease.startedMs !== null) === (view === 'active'));
      return shown(
        core,
        principal,
        leases.map((lease) => lease.taskId),
      );
    }
    case 'scheduled':
      return shown(core, principal, scheduledIds(core, principal));
    case 'revoked':
      return listTasks(core, principal, { states: ['REVOKED'], limit: maxShown }).tasks;
  }
}

/** Those whose ETA or back-off has not passed, the next one first. */
function scheduledIds(core: Core, principal: Principal): TaskId[] {
  const rows = core.database.all<{ id: string }>(
    `SELECT id FROM tasks INDEXED BY tasks_due WHERE due_ms IS NOT NULL AND (?1 OR owner = ?2) ORDER BY due_ms LIMIT ?3`,
    isAdmin(principal) ? 1 : 0,
    principal.sub,
    maxShown,
  );
  return rows.map(({ id }) => id as TaskId);
}

/** Those of them that the principal may see, up to what one answer holds. */
function shown(core: Core, principal: Principal, ids: readonly TaskId[]): TaskView[] {
  const found = core.tasks.readAll(ids.slice(0, 10 * maxShown));
  const records = ids
    .flatMap((id) => found.get(id) ?? [])
    .filter((record) => owns(principal, record.owner))
    .slice(0, maxShown);
  const views: TaskView[] = [];
  let chars = 0;
  for (const view of viewsInTurn(core, records)) {
    views.push(view);
    chars += charsOf(view);
    if (chars > maxPageChars) break;
  }
  return views;
}
