import { describe, expect, it } from 'vitest';
import { errorCodes } from '#protocol';
import { allRoutes } from '../../edge/api/app.ts';
import { ask, tokenFor } from './helpers/api.ts';

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: { in: string; name: string; required?: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: { $ref?: string } }> }>;
}

interface Document {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: object };
}

const document = await (await ask('GET', '/openapi.json')).json<Document>();
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
);
const routes = allRoutes(() => {
  throw new Error('the list of routes needs no reference');
});

/** Every value under the key `name`, however deep. */
function valuesOf(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries<unknown>(value as Record<string, unknown>).flatMap(([key, member]) => [
    ...(key === name ? [member] : []),
    ...valuesOf(member, name),
  ]);
}

describe('the reference', () => {
  it('is OpenAPI 3.1 and has every route, and no other', () => {
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Tabgrid' },
      components: { securitySchemes: {} },
    });
    const listed = operations.map(({ method, path }) => `${method} ${path}`);
    const served = routes.map(({ method, path }) => `${method} ${path.replace('{.+}', '').replace(/:(\w+)/g, '{$1}')}`);
    expect(listed.sort()).toEqual(served.sort());
  });

  it('refers only to what it has', () => {
    const references = valuesOf(document, '$ref') as string[];
    expect(references.length).toBeGreaterThan(100);
    for (const reference of new Set(references)) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1] ?? reference;
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
  });

  it('names each operation once and says what it does, takes and answers', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { path, operation } of operations) {
      expect(operation.summary.length, path).toBeGreaterThan(10);
      expect(tags).toContain(operation.tags[0]);
      expect(operation.security, path).toBeInstanceOf(Array);
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
      expect(Object.keys(operation.responses).some((status) => /^[123]/.test(status))).toBe(true);
    }
  });

  it('tells the errors of each status by their codes', () => {
    for (const { operation } of operations) {
      for (const [status, { description }] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        const codes = [...description.matchAll(/`(\w+)`: /g)].map(([, code]) => code as keyof typeof errorCodes);
        expect(codes.length).toBeGreaterThan(0);
        for (const code of codes) expect(errorCodes[code].status).toBe(Number(status));
      }
    }
  });

  it('holds the schema of a task and of what is submitted', () => {
    const submit = document.paths['/v1/tasks']?.post?.requestBody?.content['application/json']?.schema;
    expect(JSON.stringify(submit)).toContain('"soft_time_limit"');
    expect(valuesOf(submit, 'additionalProperties')).toContain(false);
    expect(Object.keys(valuesOf(document.components.schemas.Task, 'properties')[0] as object)).toContain('retry_of');
  });
});

describe('the reference page', () => {
  it('shows every route, runs nothing and loads nothing', async () => {
    const answer = await ask('GET', '/docs');
    const html = await answer.text();
    for (const { path, method } of operations) {
      expect(html).toContain(`<b>${method.toUpperCase()}</b><code>${path}</code>`);
    }
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|src=|https?:\/\/(?!json-schema)/);
    expect(html).not.toMatch(/style=|onclick/);
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(html) ?? [];
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style)));
    expect(answer.headers.get('content-security-policy')).toContain(`'sha256-${btoa(String.fromCharCode(...digest))}'`);
  });
});

describe('the task types', () => {
  it('come with JSON Schema of what they take and give', async () => {
    const answer = await ask('GET', '/v1/task-types', { token: tokenFor(['read']) });
    const { task_types: types } = await answer.json<{ task_types: { name: string }[] }>();
    const train = types.find(({ name }) => name === 'train_surrogate');
    expect(train).toMatchObject({
      time_limit: 3600,
      soft_time_limit: 3000,
      runs_on: ['tab', 'node'],
      kwargs: {
        type: 'object',
        additionalProperties: false,
        required: ['inputs', 'targets'],
        // What any kind of model takes, and then what each takes.
        properties: { hidden: { default: [64, 64] }, n_estimators: { default: 100 }, seed: { default: 0 } },
        oneOf: [
          { required: ['inputs', 'targets'], properties: { kind: { const: 'mlp', default: 'mlp' } } },
          { required: ['inputs', 'targets', 'kind'], properties: { kind: { const: 'forest' } } },
          { required: ['inputs', 'targets', 'kind'], properties: { kind: { const: 'gp' } } },
        ],
      },
    });
  });
});
