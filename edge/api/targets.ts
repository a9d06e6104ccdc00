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
  const [first = '', ...parts] = target.split('*');
  const last = parts.pop() ?? '';
  // Each part as early as it can be leaves the most room to those behind it. A regular expression would try all the others too.
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let from = first.length;
    for (const part of parts) {
      const found = text.indexOf(part, from);
      if (found < 0) return false;
      from = found + part.length;
    }
    return from <= text.length - last.length;
  };
}
