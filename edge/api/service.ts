import type { Hono } from 'hono';
import type { Env } from '../env.ts';
import { docsPage } from './docs-page.ts';
import { prometheusText } from './metrics.ts';
import { referenceOf, type Reference } from './openapi.ts';
import { loadConfig } from '../config.ts';
import { call } from '../lib/rpc.ts';
import { monitor } from '../monitor/rpc.ts';
import { json, text } from './respond.ts';
import { route, type Route } from './route.ts';

const tag = 'service';

/**
 * The routes about the service itself.
 * @param app the app that the reference describes; asked when the first reader comes, not before.
 */
export function serviceRoutes(app: () => Hono<{ Bindings: Env }>): readonly Route[] {
  let made: Reference | null = null;
  const reference = async (): Promise<Reference> => (made ??= await referenceOf(app()));
  return [
    route(
      {
        method: 'get',
        path: '/healthz',
        access: 'public',
        tag,
        summary: 'Answers while the service does.',
        answers: { 200: { description: 'It does.', component: 'Health' } },
      },
      ({ env }) => {
        // Whoever has mistyped an option learns of it at the first look.
        loadConfig(env);
        return json({ status: 'ok' });
      },
    ),
    route(
      {
        method: 'get',
        path: '/metrics',
        access: ['read'],
        tag,
        summary: 'Counters and gauges for Prometheus.',
        answers: { 200: { description: 'The metrics.', media: 'text/plain' } },
      },
      async ({ env }) => {
        const [stats, workers] = await Promise.all([call(monitor(env).stats()), call(monitor(env).workers())]);
        return text(prometheusText(stats, workers), 'text/plain; version=0.0.4; charset=utf-8');
      },
    ),
    route(
      {
        method: 'get',
        path: '/openapi.json',
        access: 'public',
        tag,
        summary: 'This reference as OpenAPI 3.1.',
        answers: { 200: { description: 'The document.', media: 'application/json' } },
      },
      async () => json(await reference(), 200, { 'cache-control': 'no-cache' }),
    ),
    route(
      {
        method: 'get',
        path: '/docs',
        access: 'public',
        tag,
        summary: 'This reference as a page.',
        answers: { 200: { description: 'The page.', media: 'text/html' } },
      },
      async () => docsPage(await reference()),
    ),
  ];
}
