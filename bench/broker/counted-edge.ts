import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EdgeManifest } from '../../client/cli/serve/manifest.ts';
import { product, startEdge, type Edge } from './edge.ts';

/** Rows written so far, by class of objects and kind of statement, such as `Broker: UPDATE tasks`; an alarm set is billed as a row. */
export type Rows = Readonly<Record<string, number>>;

export interface CountedEdge extends Edge {
  rows(): Promise<Rows>;
}

const entry = 'counted.js';
const route = '/bench/rows';

/** The edge as it is built, with a module around it that adds up what SQLite says of each statement, index entries included. */
export async function startCountedEdge(config: object): Promise<CountedEdge> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrid-counted-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeCountedBundle(folder);
    const edge = await startEdge(config, { ...product, edge: folder });
    return {
      ...edge,
      rows: async () => (await (await fetch(`${edge.url}${route}`)).json()) as Rows,
      stop: async () => {
        await edge.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function writeCountedBundle(folder: string): Promise<void> {
  await cp(product.edge, folder, { recursive: true });
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as EdgeManifest;
  await writeFile(join(folder, entry), countingModule(manifest));
  await writeFile(file, JSON.stringify({ ...manifest, main: entry, modules: [...manifest.modules, entry] }));
}

/** All objects of one workerd live in one isolate, so that a variable of the module sees them all. */
function countingModule({ main, durable_objects: objects }: EdgeManifest): string {
  const classes = objects.map(
    ({ class_name: name }) => `
export class ${name} extends edge.${name} {
  constructor(context, env) {
    super(counted(context, '${name}'), env);
  }
}`,
  );
  return `import * as edge from './${main}';
export * from './${main}';

const rows = {};
const settles = [];

function count(kind, written) {
  if (written > 0) rows[kind] = (rows[kind] ?? 0) + written;
}

function kindOf(statement) {
  const [, verb, table] = /(INSERT|REPLACE|UPDATE|DELETE)(?:\\s+(?:OR\\s+\\w+|INTO|FROM))*\\s+(\\w+)/i.exec(statement) ?? [];
  return [verb ?? 'other', table ?? ''].join(' ').trim();
}

function counted(context, name) {
  const { storage } = context;
  const exec = storage.sql.exec.bind(storage.sql);
  // A cursor knows its rows when it has been read, which it always is before the next statement.
  let last = null;
  const settle = () => {
    if (last !== null) count(name + ': ' + kindOf(last.statement), last.cursor.rowsWritten);
    last = null;
  };
  settles.push(settle);
  storage.sql.exec = (statement, ...values) => {
    settle();
    const cursor = exec(statement, ...values);
    last = { statement, cursor };
    return cursor;
  };
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (...alarm) => {
    count(name + ': alarm', 1);
    return setAlarm(...alarm);
  };
  return context;
}
${classes.join('\n')}

export default {
  ...edge.default,
  fetch(request, env, context) {
    if (new URL(request.url).pathname !== '${route}') return edge.default.fetch(request, env, context);
    for (const settle of settles) settle();
    return Response.json(rows);
  },
};
`;
}
