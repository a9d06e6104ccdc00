import { z } from 'zod';
import {
  campaignIdSchema,
  eventTypes,
  invalidRequest,
  limits,
  taskIdSchema,
  timeSchema,
  workflowIdSchema,
  type EventType,
  type GridEvent,
  type Principal,
} from '#protocol';
import { brokerShard, type EventPageQuery, type EventPosition } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { writeCursor } from '../lib/cursor.ts';
import { call } from '../lib/rpc.ts';
import { merged } from './merge-events.ts';
import { json } from './respond.ts';
import { definedMembers, route, type Route } from './route.ts';
import { readCursors } from './shards.ts';

const eventTypeList = z
  .string()
  .refine((text) => text.split(',').every((type) => (eventTypes as readonly string[]).includes(type)), {
    message: `expected event types separated by commas: ${eventTypes.join(', ')}`,
  });

/** What narrows events, over HTTP as on a socket. */
export const eventQueryShape = {
  task_id: taskIdSchema.optional(),
  campaign_id: campaignIdSchema.optional(),
  workflow_id: workflowIdSchema.optional(),
  worker: z.string().max(limits.maxNameChars).optional().describe('A worker’s id.'),
  queue: z.string().max(limits.maxNameChars).optional().describe('Events of tasks in this queue.'),
  label: z.string().max(limits.maxLabelChars).optional().describe('Events of tasks with this label.'),
  types: eventTypeList.optional(),
  after: z.coerce.number().int().min(0).optional().describe('Only greater sequence numbers.'),
};

/** A page of events, and where its reader is in the log of each shard. */
export interface EventHistory {
  events: GridEvent[];
  next_cursor: string | null;
  positions: EventPosition[];
}

/** The shards in turn give their share of a page, merged by time. */
async function history(
  env: Env,
  principal: Principal,
  { query, ...page }: EventPageQuery,
  cursor: string | undefined,
  onlyShard: number | undefined,
): Promise<EventHistory> {
  const { shards: count } = loadConfig(env);
  const shards = onlyShard === undefined ? Array.from({ length: count }, (_, shard) => shard) : [onlyShard];
  const cursors = cursor === undefined ? null : readCursors(cursor, shards.length);
  const limit = Math.ceil(page.limit / shards.length);
  const pages = await Promise.all(
    shards.map((shard, index) => {
      const after = cursors === null ? page.after : Number(cursors[index]);
      return call(
        brokerShard(env, shard).events(principal, {
          query,
          ...page,
          limit,
          ...(after === undefined || Number.isNaN(after) ? {} : { after }),
        }),
      );
    }),
  );
  const positions = pages.map(({ position }) => position);
  const isOver = positions.every(({ seq, newest_seq: newest }) => seq >= newest);
  return {
    events: merged(pages.map(({ events }) => events)),
    next_cursor: isOver ? null : writeCursor(positions.map(({ seq }) => String(seq))),
    positions,
  };
}

export const eventRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/events/history',
      access: ['read'],
      tag: 'events',
      summary: 'The events that are still remembered, oldest first.',
      description:
        'For consumers that poll, or that were away: `positions` tells for each shard what it still remembers and how far this page came, so that a later page (`shard`, `after`) or the socket goes on from there.',
      query: z.strictObject({
        ...eventQueryShape,
        since: timeSchema.optional(),
        shard: z.coerce.number().int().min(0).optional().describe('One Broker shard alone. Default: all.'),
        limit: z.coerce.number().int().min(0).max(limits.maxPageSize).default(limits.defaultPageSize),
        cursor: z.string().max(20_000).optional(),
      }),
      answers: { 200: { description: 'A page; one may be short although more follow.', component: 'EventHistory' } },
    },
    async ({ env, principal, query: { types, after, since, shard, limit, cursor, ...rest } }) => {
      const { shards } = loadConfig(env);
      if (shard !== undefined && shard >= shards) {
        throw invalidRequest({ path: 'shard', message: `expected a number below ${shards}` });
      }
      if (after !== undefined && shard === undefined && shards > 1) {
        throw invalidRequest({ path: 'shard', message: 'expected the shard that `after` is a number of' });
      }
      const query = definedMembers({ ...rest, types: types?.split(',') as EventType[] | undefined });
      const page = definedMembers({ after, since_ms: since === undefined ? undefined : Date.parse(since) });
      return json(await history(env, principal, { query, ...page, limit }, cursor, shard));
    },
  ),
];
