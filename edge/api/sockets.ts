import { z } from 'zod';
import { asciiJson, invalidRequest, shardOf, TabgridError, workerSubprotocol, type Principal } from '#protocol';
import { checkSocketOrigin } from '../auth/origins.ts';
import { offeredSubprotocols } from '../auth/principal.ts';
import { brokerShard, principalHeader } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { eventQueryShape } from './events.ts';
import { route, type Route } from './route.ts';

const shardQuery = z.coerce
  .number()
  .int()
  .min(0)
  .optional()
  .describe('The Broker shard to connect to. Default: the first, or the one that the task is in.');

/** Hands a WebSocket request, whose token has been checked, on to the object that keeps the socket. */
async function connect(env: Env, request: Request, principal: Principal, shard: number): Promise<Response> {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    throw new TabgridError('upgrade_required', 'this route speaks WebSocket only');
  }
  checkSocketOrigin(request, env);
  const offered = offeredSubprotocols(request.headers);
  if (offered.length > 0 && !offered.includes(workerSubprotocol)) {
    throw new TabgridError('upgrade_required', `expected the subprotocol "${workerSubprotocol}"`, {
      details: { supported: [workerSubprotocol] },
    });
  }
  const { shards } = loadConfig(env);
  if (shard >= shards) throw invalidRequest({ path: 'shard', message: `expected a number below ${shards}` });
  const headers = new Headers(request.headers);
  for (const name of ['authorization', 'sec-websocket-protocol', principalHeader]) headers.delete(name);
  // Headers hold Latin-1 only, a subject any character.
  headers.set(principalHeader, asciiJson(principal));
  const answer = await brokerShard(env, shard)
    .fetch(new Request(request.url, { headers }))
    .catch((cause: unknown) => {
      throw new TabgridError('unavailable', 'the shard is just restarting', { retryAfterSeconds: 1, cause });
    });
  if (answer.webSocket === null) return answer;
  return new Response(null, {
    status: 101,
    webSocket: answer.webSocket,
    headers: offered.length > 0 ? { 'sec-websocket-protocol': workerSubprotocol } : {},
  });
}

const answers = { 101: { description: 'The socket is open.' } } as const;

export const socketRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/submit',
      access: ['submit'],
      tag: 'tasks',
      summary: 'A WebSocket on which tasks are submitted and results arrive; its frames are in docs/protocol.md.',
      query: z.strictObject({ shard: shardQuery }),
      answers,
      errors: ['upgrade_required', 'forbidden'],
    },
    ({ env, request, principal, query }) => connect(env, request, principal, query.shard ?? 0),
  ),
  route(
    {
      method: 'get',
      path: '/v1/events',
      access: ['read'],
      tag: 'events',
      summary: 'A WebSocket on which events arrive as they happen.',
      description:
        'Each message is one event. `after` resumes behind a sequence number; `GET /v1/events/history` reads the past without a socket. A browser offers the subprotocols `tabgrid.v1, bearer.<token>`.',
      query: z.strictObject({
        ...eventQueryShape,
        position: z
          .enum(['true', 'false'])
          .optional()
          .describe(
            '`true`: the first message is `{"position": n}`, after which events are told; with it a listener resumes that has heard none.',
          ),
        shard: shardQuery,
      }),
      answers,
      errors: ['upgrade_required', 'forbidden'],
    },
    ({ env, request, principal, query }) => {
      const home = query.task_id === undefined ? 0 : shardOf(query.task_id);
      return connect(env, request, principal, query.shard ?? home);
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/worker',
      access: ['work', 'volunteer'],
      tag: 'workers',
      summary: 'The WebSocket on which workers pull tasks; its frames are in docs/protocol.md.',
      query: z.strictObject({ shard: shardQuery }),
      answers,
      errors: ['upgrade_required', 'forbidden'],
    },
    ({ env, request, principal, query }) => connect(env, request, principal, query.shard ?? 0),
  ),
];
