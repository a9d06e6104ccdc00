import { describeRoute, generateSpecs, type DescribeRouteOptions } from 'hono-openapi';
import type { Hono } from 'hono';
import type { OpenAPIV3_1 } from 'openapi-types';
import { errorCodes, type ErrorCode, type JsonObject } from '#protocol';
import type { Env } from '../env.ts';
import { jsonSchemaOf } from './json-schema.ts';
import type { Answer, Route } from './route.ts';
import { components } from './schemas.ts';

export type Reference = Awaited<ReturnType<typeof generateSpecs>>;

type Responses = NonNullable<DescribeRouteOptions['responses']>;
type SchemaObject = OpenAPIV3_1.SchemaObject;

/** The middleware by which a route stands in the reference. */
export function describe(route: Route): ReturnType<typeof describeRoute> {
  const scopes = route.access === 'public' ? [] : [...route.access];
  const needs =
    route.access === 'public' ? 'No token needed.' : `Scope: ${scopes.map((scope) => `\`${scope}\``).join(' or ')}.`;
  return describeRoute({
    tags: [route.tag],
    summary: route.summary,
    description: [needs, route.description].filter((part) => part !== undefined).join(' '),
    security: route.access === 'public' ? [] : [{ bearer: scopes }],
    parameters: [...queryParameters(route), ...headerParameters(route)],
    ...requestBody(route),
    responses: { ...successes(route), ...failures(route) },
  });
}

function queryParameters(route: Route): OpenAPIV3_1.ParameterObject[] {
  if (route.query === undefined) return [];
  const { properties = {} } = jsonSchemaOf(route.query, 'output') as { properties?: Record<string, JsonObject> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    in: 'query',
    name,
    required: false,
    schema: schema as NonNullable<OpenAPIV3_1.ParameterObject['schema']>,
    ...(typeof description === 'string' ? { description } : {}),
  }));
}

function headerParameters(route: Route): OpenAPIV3_1.ParameterObject[] {
  if (route.method !== 'post') return [];
  const description = 'The same key with the same body gives the same answer.';
  return [
    { in: 'header', name: 'Idempotency-Key', required: false, schema: { type: 'string', maxLength: 255 }, description },
  ];
}

function requestBody(route: Route): Pick<DescribeRouteOptions, 'requestBody'> {
  if (route.rawBody !== undefined) {
    return {
      requestBody: { required: true, content: { [route.rawBody]: { schema: { type: 'string', format: 'binary' } } } },
    };
  }
  if (route.body === undefined) return {};
  const schema = jsonSchemaOf(route.body, 'input') as SchemaObject;
  return { requestBody: { required: route.bodyOptional !== true, content: { 'application/json': { schema } } } };
}

function successes(route: Route): Responses {
  const entries = Object.entries(route.answers).map(([status, answer]) => [status, response(answer)] as const);
  return Object.fromEntries(entries);
}

function response({ description, component, media }: Answer): Responses[string] {
  if (component !== undefined) {
    return { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${component}` } } } };
  }
  return media === undefined ? { description } : { description, content: { [media]: { schema: { type: 'string' } } } };
}

/** What may go wrong, gathered by status. */
function failures(route: Route): Responses {
  const codes: ErrorCode[] = [...(route.errors ?? [])];
  if (route.access !== 'public') codes.push('unauthorized', 'token_expired', 'forbidden');
  if (route.body !== undefined) codes.push('invalid_json', 'invalid_request', 'body_too_large');
  else if (route.query !== undefined) codes.push('invalid_request');
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of [...codes, 'not_configured' as const]) {
    const { status } = errorCodes[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: [...group].map((code) => `\`${code}\`: ${errorCodes[code].meaning}`).join(' '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

/** The OpenAPI 3.1 document of all routes. */
export async function referenceOf(app: Hono<{ Bindings: Env }>): Promise<Reference> {
  const schemas = Object.entries(components).map(([name, schema]) => [name, jsonSchemaOf(schema, 'output')] as const);
  return generateSpecs(app, {
    excludeStaticFile: false,
    documentation: {
      info: {
        title: 'Tabgrid',
        version: '1',
        description:
          'A task queue whose workers are browser tabs and Node processes. Times are ISO 8601 in UTC, durations seconds, numbers that are not finite `null`.',
      },
      servers: [{ url: '/' }],
      components: {
        schemas: Object.fromEntries(schemas),
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A token of this deployment.' } },
      },
      tags,
    },
  });
}

const tags = [
  { name: 'tasks', description: 'Submit work and see what became of it.' },
  { name: 'workflows', description: 'Tasks that wait for one another: Celery’s canvas.' },
  { name: 'campaigns', description: 'The optimisation loop.' },
  { name: 'schedules', description: 'Tasks that come again: the beat.' },
  { name: 'files', description: 'Data sets, models and results.' },
  { name: 'events', description: 'What happens, as it happens.' },
  { name: 'grid', description: 'Queues, task types and workers.' },
  { name: 'leases', description: 'The worker’s side over plain HTTP.' },
  { name: 'workers', description: 'The worker’s side over WebSocket.' },
  { name: 'tokens', description: 'Who may do what.' },
  { name: 'service', description: 'Health, metrics and this reference.' },
];
