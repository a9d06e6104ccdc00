import { pathToFileURL } from 'node:url';
import { tasksThatRunOn } from '#catalog';
import { TabgridError } from '#protocol';
import type { TaskBodies } from '../../client/worker/index.ts';
import { bodies as known } from '../../client/worker/tasks/index.ts';
import { component } from '../components/component.ts';

export interface Bodies {
  /** The task types that threads can compute. */
  readonly tasks: readonly string[];
  /** The address of the user’s module; null without one. */
  readonly extraBodies: string | null;
}

/** The bodies of task types: ours, and those of `--tasks`. */
export const bodies = component({
  name: 'bodies',
  start: async ({ config }) => {
    const extraBodies = config.tasksFile === null ? null : pathToFileURL(config.tasksFile).href;
    const tasks = new Set([
      ...tasksThatRunOn('node').filter((name) => name in known),
      ...(extraBodies === null ? [] : await namesIn(extraBodies)),
    ]);
    return { value: { tasks: [...tasks], extraBodies } };
  },
});

async function namesIn(extraBodies: string): Promise<string[]> {
  const module = await import(extraBodies).then(
    (loaded: { bodies?: TaskBodies }) => loaded,
    (cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new TabgridError('invalid_request', `tasksFile: ${message}`, { cause });
    },
  );
  if (!module.bodies) throw new TabgridError('invalid_request', 'tasksFile: expected an export named bodies');
  return Object.keys(module.bodies);
}
