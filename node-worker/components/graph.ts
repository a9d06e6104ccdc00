import { TabgridError } from '#protocol';

/** A name and what has to do with it; everything else about a component is of no interest to the order. */
export interface GraphNode {
  readonly name: string;
  /** What must have started before it. All of it must be there. */
  readonly requires?: readonly string[] | undefined;
  /** What must not start before it has. What is not there does not matter. */
  readonly before?: readonly string[] | undefined;
}

/**
 * The nodes in an order in which each comes after what it requires and before what it wants to precede. Of several that could come next
 * the one that was listed first does, so that the same list has always the same order.
 *
 * @throws TabgridError `invalid_request` for a name that comes twice, a requirement that is not there, or a cycle, named in full.
 */
export function startOrder<Node extends GraphNode>(nodes: readonly Node[]): Node[] {
  const byName = new Map<string, Node>();
  for (const node of nodes) {
    if (byName.has(node.name)) throw refusal(`there are two with the name ${node.name}`);
    byName.set(node.name, node);
  }
  const predecessors = predecessorsOf(nodes, byName);
  const order: Node[] = [];
  const started = new Set<string>();
  while (order.length < nodes.length) {
    const next = nodes.find(
      ({ name }) => !started.has(name) && [...(predecessors.get(name) ?? [])].every((each) => started.has(each)),
    );
    if (next === undefined) throw refusal(`they wait for each other: ${cycleOf(nodes, predecessors, started)}`);
    started.add(next.name);
    order.push(next);
  }
  return order;
}

function predecessorsOf(
  nodes: readonly GraphNode[],
  byName: ReadonlyMap<string, GraphNode>,
): ReadonlyMap<string, Set<string>> {
  const predecessors = new Map<string, Set<string>>(nodes.map(({ name }) => [name, new Set()]));
  for (const { name, requires = [], before = [] } of nodes) {
    for (const required of requires) {
      if (!byName.has(required)) throw refusal(`${name} requires ${required}, which is not there`);
      predecessors.get(name)?.add(required);
    }
    for (const later of before) predecessors.get(later)?.add(name);
  }
  return predecessors;
}

/** Each waits for the next: `a → b → a`. Whoever cannot start waits for somebody who cannot either, so that going there ends in a circle. */
function cycleOf(
  nodes: readonly GraphNode[],
  predecessors: ReadonlyMap<string, Set<string>>,
  started: ReadonlySet<string>,
): string {
  const path: string[] = [];
  let at = nodes.find(({ name }) => !started.has(name))?.name;
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = [...(predecessors.get(at) ?? [])].find((each) => !started.has(each));
  }
  return at === undefined ? '' : [...path.slice(path.indexOf(at)), at].join(' → ');
}

function refusal(message: string): TabgridError {
  return new TabgridError('invalid_request', `The worker’s components cannot be put in order: ${message}.`);
}
