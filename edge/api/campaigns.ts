import { z } from 'zod';
import { catalog } from '#catalog';
import {
  campaignIdSchema,
  campaignSpecSchema,
  limits,
  observationsSchema,
  type CampaignId,
  type Principal,
} from '#protocol';
import { campaignObject } from '../campaign/rpc.ts';
import type { Env } from '../env.ts';
import { call } from '../lib/rpc.ts';
import { listHeld, objectId } from './held.ts';
import { json } from './respond.ts';
import { definedMembers, route, type Route } from './route.ts';
import { campaignSummary, type CampaignSummary } from './views.ts';

const tag = 'campaigns';
const campaignParams = z.object({ id: campaignIdSchema });

async function list(
  env: Env,
  principal: Principal,
  page: { limit: number; cursor?: string },
): Promise<{ campaigns: CampaignSummary[]; next_cursor: string | null }> {
  const query = { ...page, task: catalog.run_campaign.name };
  const { found, next_cursor } = await listHeld(env, principal, query, async ({ campaign_id: id }) =>
    campaignSummary(await call(campaignObject(env, id as CampaignId).view(principal, { limit: 1 }))),
  );
  return { campaigns: found, next_cursor };
}

/** `pause`, `resume` and `stop` differ in a word. */
function command(name: 'pause' | 'resume' | 'stop', summary: string): Route {
  return route(
    {
      method: 'post',
      path: `/v1/campaigns/:id/${name}`,
      access: ['submit'],
      tag,
      summary,
      params: campaignParams,
      body: z.strictObject({}),
      bodyOptional: true,
      answers: { 200: { description: 'The campaign.', component: 'Campaign' } },
      errors: ['not_found', 'conflict'],
    },
    async ({ env, principal, params: { id } }) => json(await call(campaignObject(env, id)[name](principal))),
  );
}

export const campaignRoutes: readonly Route[] = [
  route(
    {
      method: 'post',
      path: '/v1/campaigns/run',
      access: ['submit'],
      tag,
      summary: 'Starts a campaign: surrogate, search, evaluation, Pareto front, again and again.',
      description:
        'Answers at once. The task’s result is the campaign’s; `GET /v1/events?campaign_id=` tells how it goes.',
      body: campaignSpecSchema,
      answers: { 202: { description: 'It has begun.', component: 'CampaignStarted' } },
      errors: ['idempotency_conflict'],
    },
    async ({ env, clock, principal, body, requestKey }) => {
      const id = `c-${await objectId(clock, principal, requestKey)}` as CampaignId;
      return json(await call(campaignObject(env, id).create(principal, id, body)), 202);
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/campaigns',
      access: ['read'],
      tag,
      summary: 'Lists one’s own campaigns, newest first, without specification and history.',
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(50).default(20),
        cursor: z.string().max(2000).optional(),
      }),
      answers: { 200: { description: 'A page of campaigns.', component: 'CampaignPage' } },
    },
    async ({ env, principal, query }) => json(await list(env, principal, definedMembers(query))),
  ),
  route(
    {
      method: 'get',
      path: '/v1/campaigns/:id',
      access: ['read'],
      tag,
      summary:
        'The campaign with its history, of which `after` and `limit` choose a part; without `after`, the newest.',
      params: campaignParams,
      query: z.strictObject({
        after: z.coerce.number().int().min(-1).optional().describe('Iterations behind this one.'),
        limit: z.coerce.number().int().min(1).max(limits.maxPageSize).optional(),
      }),
      answers: { 200: { description: 'The campaign.', component: 'Campaign' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id }, query: { after, limit } }) => {
      const history = { ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit }) };
      return json(await call(campaignObject(env, id).view(principal, history)));
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/campaigns/:id/pareto',
      access: ['read'],
      tag,
      summary: 'The candidates that no other one beats in every objective, and the hypervolume that they dominate.',
      params: campaignParams,
      answers: { 200: { description: 'The front.', component: 'Pareto' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id } }) => json(await call(campaignObject(env, id).pareto(principal))),
  ),
  route(
    {
      method: 'get',
      path: '/v1/campaigns/:id/export',
      access: ['read'],
      tag,
      summary: 'The whole campaign as one document.',
      params: campaignParams,
      query: z.strictObject({ format: z.enum(['json', 'csv']).default('json') }),
      answers: { 200: { description: 'The document.', media: '*/*' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id }, query: { format } }) => {
      const { content_type: contentType, body } = await call(campaignObject(env, id).exportAs(principal, format));
      return new Response(body, {
        headers: {
          'content-type': contentType,
          'content-disposition': `attachment; filename="${id}.${format}"`,
        },
      });
    },
  ),
  command('pause', 'Begins nothing new; what is under way is finished and counted.'),
  command('resume', 'Goes on after a pause.'),
  command('stop', 'Ends the campaign with what it has found.'),
  route(
    {
      method: 'post',
      path: '/v1/campaigns/:id/observations',
      access: ['submit'],
      tag,
      summary: 'Takes in a person’s own results, from a laboratory or an earlier study.',
      params: campaignParams,
      body: observationsSchema,
      answers: { 200: { description: 'They count from the next model on.', component: 'ObservationsTaken' } },
      errors: ['not_found', 'conflict', 'idempotency_conflict', 'unavailable'],
    },
    async ({ env, principal, params: { id }, body, requestKey }) =>
      json(await call(campaignObject(env, id).observations(principal, body.observations, requestKey ?? undefined))),
  ),
];
