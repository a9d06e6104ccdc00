import { z } from 'zod';
import { catalog } from '#catalog';
import {
  canonicalJson,
  limits,
  sha256Hex,
  workflowIdSchema,
  workflowSpecSchema,
  workflowStates,
  type CanvasNode,
  type Principal,
  type WorkflowId,
  type WorkflowStarted,
  type WorkflowState,
} from '#protocol';
import type { RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import type { Clock } from '../lib/clock.ts';
import { call } from '../lib/rpc.ts';
import { workflowObject } from '../workflow/rpc.ts';
import { readCanvasFiles } from '../workflow/reader.ts';
import { listHeld, objectId } from './held.ts';
import { json, text } from './respond.ts';
import { definedMembers, route, type Route } from './route.ts';
import { workflowSummary, type WorkflowSummary } from './views.ts';

const tag = 'workflows';
const workflowParams = z.object({ id: workflowIdSchema });

/** Checks a canvas in whole, reads the files that it names, and starts it: all of it, or nothing. */
async function start(
  env: Env,
  clock: Clock,
  principal: Principal,
  canvas: CanvasNode,
  request: RequestKey | null,
): Promise<WorkflowStarted> {
  const id = `w-${await objectId(clock, principal, request)}` as WorkflowId;
  const workflow = workflowObject(env, id);
  const digest = sha256Hex(canonicalJson(canvas));
  const before = request === null ? null : await call(workflow.started(principal, digest));
  if (before !== null) return before;
  const sources = await readCanvasFiles(env, principal.sub, id, canvas);
  return call(workflow.create(principal, id, canvas, sources, digest));
}

async function list(
  env: Env,
  principal: Principal,
  { state, label, ...page }: { state?: WorkflowState; label?: string; limit: number; cursor?: string },
): Promise<{ workflows: WorkflowSummary[]; next_cursor: string | null }> {
  const query = {
    ...page,
    task: catalog.run_workflow.name,
    ...(state === undefined ? {} : { states: [state] }),
    ...(label === undefined ? {} : { labels: [label] }),
  };
  const { found, next_cursor } = await listHeld(env, principal, query, async ({ workflow_id: id }) =>
    workflowSummary(await call(workflowObject(env, id as WorkflowId).view(principal))),
  );
  return { workflows: found, next_cursor };
}

export const workflowRoutes: readonly Route[] = [
  route(
    {
      method: 'post',
      path: '/v1/workflows',
      access: ['submit'],
      tag,
      summary: 'Starts a workflow: Celery’s canvas of chains, groups, chords and arrays, nested at will.',
      description:
        'All of it is accepted or nothing. Arguments are checked as far as they are known; a step that does not take what comes to it fails the workflow. Results over 500 kB are files, named `{"file": path}` in their place.',
      body: workflowSpecSchema,
      answers: { 202: { description: 'It has begun.', component: 'WorkflowStarted' } },
      errors: ['unknown_task', 'invalid_arguments', 'file_not_found', 'idempotency_conflict'],
    },
    async ({ env, clock, principal, body, requestKey }) =>
      json(await start(env, clock, principal, body, requestKey), 202),
  ),
  route(
    {
      method: 'get',
      path: '/v1/workflows',
      access: ['read'],
      tag,
      summary: 'Lists one’s own workflows, newest first, without results.',
      query: z.strictObject({
        state: z.enum(workflowStates).optional(),
        label: z.string().max(limits.maxLabelChars).optional(),
        limit: z.coerce.number().int().min(1).max(50).default(20),
        cursor: z.string().max(2000).optional(),
      }),
      answers: { 200: { description: 'A page of workflows.', component: 'WorkflowPage' } },
    },
    async ({ env, principal, query }) => json(await list(env, principal, definedMembers(query))),
  ),
  route(
    {
      method: 'get',
      path: '/v1/workflows/:id',
      access: ['read'],
      tag,
      summary: 'The workflow as it is, or, with `wait`, once it is final or the seconds have passed.',
      params: workflowParams,
      query: z.strictObject({ wait: z.coerce.number().min(0).max(limits.maxWaitSeconds).default(0) }),
      answers: { 200: { description: 'The workflow.', component: 'Workflow' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id }, query: { wait } }) => {
      const workflow = workflowObject(env, id);
      return json(await call(wait === 0 ? workflow.view(principal) : workflow.wait(principal, wait)));
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/workflows/:id/revoke',
      access: ['submit'],
      tag,
      summary: 'Revokes all that is under way; nothing new begins. With `terminate` attempts that run are stopped too.',
      description: 'A final workflow stays as it is. Repeating it changes nothing.',
      params: workflowParams,
      body: z.strictObject({ terminate: z.boolean().default(false) }),
      bodyOptional: true,
      answers: { 200: { description: 'The workflow.', component: 'Workflow' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id }, body }) =>
      json(await call(workflowObject(env, id).revoke(principal, body.terminate))),
  ),
  route(
    {
      method: 'get',
      path: '/v1/workflows/:id/graph',
      access: ['read'],
      tag,
      summary: 'The workflow as a drawing in the DOT language of Graphviz; an array is one node.',
      params: workflowParams,
      answers: { 200: { description: 'The drawing.', media: 'text/vnd.graphviz' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id } }) =>
      text(await call(workflowObject(env, id).graph(principal)), 'text/vnd.graphviz; charset=utf-8'),
  ),
];
