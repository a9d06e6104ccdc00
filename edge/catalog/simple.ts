import { z } from 'zod';
import { taskType } from './task-type.ts';

export const ping = taskType({
  name: 'ping',
  aliases: ['tasks.simple_tasks.ping'],
  summary: 'Answers `{"status": "pong"}`: the queue takes tasks and gives results.',
  queue: 'default',
  priority: 5,
  runsOn: ['edge', 'tab', 'node'],
  verifiable: false,
  kwargs: z.strictObject({}),
  positional: [],
  result: z.object({ status: z.literal('pong'), worker: z.string() }),
});
