import { Hono } from 'hono';
import { TabgridError, type Principal } from '#protocol';
import { authenticate, requireScope } from '../auth/principal.ts';
import type { Env } from '../env.ts';
import { errorResponse } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { campaignRoutes } from './campaigns.ts';
import { controlRoutes } from './control.ts';
import { eventRoutes } from './events.ts';
import { fileRoutes } from './files.ts';
import { gridRoutes } from './grid.ts';
import { leaseRoutes } from './leases.ts';
import { describe } from './openapi.ts';
import { queueRoutes } from './queues.ts';
import type { Route } from './route.ts';
import { scheduleRoutes } from './schedules.ts';
import { serviceRoutes } from './service.ts';
import { socketRoutes } from './sockets.ts';
import { taskBulkRoutes } from './task-bulk.ts';
import { taskRoutes } from './tasks.ts';
import { tokenRoutes } from './tokens.ts';
import { uploadRoutes } from './uploads.ts';
import { workflowRoutes } from './workflows.ts';

type App = Hono<{ Bindings: Env }>;

const nobody: Principal = { sub: '', scope: [] };

/** Every route, in the order of the reference. */
export function allRoutes(app: () => App): readonly Route[] {
  return [
    ...taskRoutes,
    ...taskBulkRoutes,
    ...workflowRoutes,
    ...campaignRoutes,
    ...scheduleRoutes,
    ...fileRoutes,
    ...uploadRoutes,
    ...eventRoutes,
    ...socketRoutes,
    ...queueRoutes,
    ...gridRoutes,
    ...controlRoutes,
    ...leaseRoutes,
    ...tokenRoutes,
    ...serviceRoutes(app),
  ];
}

export function createApp(clock: Clock): App {
  const app: App = new Hono<{ Bindings: Env }>();
  const routes = allRoutes(() => app);
  for (const route of routes) register(app, route, clock);
  for (const path of new Set(routes.map((route) => route.path))) refuseOtherMethods(app, path, routes);
  app.notFound(({ req }) => errorResponse(new TabgridError('not_found', `there is no route ${req.path}`)));
  app.onError((error) => errorResponse(error));
  return app;
}

function register(app: App, route: Route, clock: Clock): void {
  app.on(route.method.toUpperCase(), route.path, describe(route), async ({ env, req }) => {
    const request = req.raw;
    const principal = route.access === 'public' ? nobody : await authenticate(request, env, clock.now());
    if (route.access !== 'public') requireScope(principal, route.access);
    return route.run({ env, clock, request, principal, params: req.param() });
  });
}

/** A path that exists answers every other method with 405 and the methods that it knows. */
function refuseOtherMethods(app: App, path: string, routes: readonly Route[]): void {
  const known = routes.filter((route) => route.path === path).map((route) => route.method.toUpperCase());
  const allow = known.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  app.all(path, ({ req }) => {
    throw new TabgridError('method_not_allowed', `${req.path} does not take ${req.method}`, { details: { allow } });
  });
}
