import type { TaskId } from '#protocol';
import { clearTables } from '../lib/clear-tables.ts';
import type { Database } from '../lib/sql.ts';
import { initialState } from './core/step.ts';
import type { NodeState, PlanNode, WorkflowCore, WorkflowHead } from './core/types.ts';
import type { Registration } from './core/views.ts';
import type { Creation } from './rpc.ts';

export interface Stored extends Registration {
  /** Of the canvas that it was started with. */
  readonly digest: string;
  readonly core: WorkflowCore;
}

/** More than an array has ranges. */
const partsPerNode = 2 ** 24;

/** The rows of one workflow. */
export class WorkflowStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  load(): Stored | null {
    type Row = { owner: string; task_id: string; digest: string; head: string };
    const row = this.#database.maybe<Row>('SELECT owner, task_id, digest, head FROM workflow');
    if (row === undefined) return null;
    const plan = this.#bodies<PlanNode>('SELECT node, body FROM plan ORDER BY node').map(({ body }) => body);
    const nodes = plan.map(initialState);
    for (const { node, body } of this.#bodies<NodeState>('SELECT node, body FROM nodes')) nodes[node] = body;
    const head = JSON.parse(row.head) as WorkflowHead;
    return {
      owner: row.owner,
      taskId: row.task_id as TaskId,
      digest: row.digest,
      core: { ...head, plan, nodes },
    };
  }

  create({ owner, taskId, digest, core }: Stored): void {
    this.#database.run(
      'INSERT INTO workflow (id, owner, task_id, digest, head) VALUES (1, ?, ?, ?, ?)',
      owner,
      taskId,
      digest,
      headOf(core),
    );
    core.plan.forEach((body, node) => {
      this.#database.run('INSERT INTO plan (node, body) VALUES (?, ?)', node, JSON.stringify(body));
    });
    core.nodes.forEach((state, node) => {
      if (state.phase !== 'waiting') this.#putNode(node, state);
    });
  }

  /** Writes what is different; a node that is the same object is the same. */
  save(before: WorkflowCore, after: WorkflowCore): void {
    this.#database.run('UPDATE workflow SET head = ? WHERE id = 1', headOf(after));
    after.nodes.forEach((state, node) => {
      if (state !== before.nodes[node]) this.#putNode(node, state);
    });
  }

  #putNode(node: number, state: NodeState): void {
    this.#database.run('INSERT OR REPLACE INTO nodes (node, body) VALUES (?, ?)', node, JSON.stringify(state));
  }

  /** What is to be started when its files have been read. */
  creation(): Creation | null {
    const row = this.#database.maybe<{ body: string }>('SELECT body FROM creation');
    return row === undefined ? null : (JSON.parse(row.body) as Creation);
  }

  setCreation(creation: Creation | null): void {
    if (creation === null) this.#database.run('DELETE FROM creation');
    else this.#database.run('INSERT INTO creation (id, body) VALUES (1, ?)', JSON.stringify(creation));
  }

  keep(node: number, part: number, body: string): void {
    this.#database.run('INSERT OR REPLACE INTO results (key, body) VALUES (?, ?)', node * partsPerNode + part, body);
  }

  /** @throws Error where nothing was kept: a defect. */
  read(node: number, part: number): string {
    return this.#database.one<{ body: string }>('SELECT body FROM results WHERE key = ?', node * partsPerNode + part)
      .body;
  }

  /** Deletes all that the workflow was, in batches. */
  clear(): void {
    clearTables(this.#database, [
      ['results', 'key'],
      ['nodes', 'node'],
      ['plan', 'node'],
      ['workflow', 'id'],
    ]);
  }

  #bodies<T>(query: string): { node: number; body: T }[] {
    return this.#database
      .all<{ node: number; body: string }>(query)
      .map(({ node, body }) => ({ node, body: JSON.parse(body) as T }));
  }
}

/** Everything but the nodes, as JSON. */
function headOf(core: WorkflowCore): string {
  return JSON.stringify({ ...core, plan: undefined, nodes: undefined });
}
