import type { WorkerId } from '#protocol';

/**
 * The workers that are meant by ids or names, in which `*` stands for anything.
 * @param wanted undefined for all
 * @returns and those that mean nobody
 */
export function matchTargets(
  workers: readonly { worker_id: WorkerId; name: string }[],
  wanted: readonly string[] | undefined,
): { matched: Set<WorkerId>; unknown: string[] } {
  if (wanted === undefined) return { matched: new Set(workers.map(({ worker_id: id }) => id)), unknown: [] };
  const matched = new Set<WorkerId>();
  const unknown: string[] = [];
  for (const target of wanted) {
    const isMeant = matcher(target);
    const found = workers.filter(({ worker_id: id, name }) => isMeant(id) || isMeant(name));
    if (found.length === 0) unknown.push(target);
    for (const { worker_id: id } of found) matched.add(id);
  }
  return { matched, unknown };
}

function matcher(target: string): (text: string) => boolean {
  if (!target.includes('*')) return (text) => text === target;
  const parts = target.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`^${parts.join('.*')}$`);
  return (text) => pattern.test(text);
}
