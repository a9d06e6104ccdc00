import { TabgridError } from '#protocol';
import { createApp } from './api/app.ts';
import { preflight, secured } from './api/security.ts';
import { keysOf } from './auth/keys.ts';
import type { Env } from './env.ts';
import { errorResponse } from './errors.ts';
import { systemClock } from './lib/clock.ts';

export { Beat } from './beat/beat.ts';
export { Broker } from './broker/broker.ts';
export { EdgeExecutor } from './tasks/executor.ts';
export { Campaign } from './campaign/campaign.ts';
export { Files } from './files/files.ts';
export { Monitor } from './monitor/monitor.ts';
export { Tokens } from './auth/tokens.ts';
export { SourceReader } from './workflow/reader.ts';
export { Workflow } from './workflow/workflow.ts';

const app = createApp(systemClock);

/** What the Worker answers itself; all else is a page. wrangler.toml has the same list. */
const apiPath = /^\/(?:v1(?:\/.*)?|metrics|healthz|openapi\.json|docs)$/;

async function answer(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
  try {
    keysOf(env);
    if (request.method === 'OPTIONS') return preflight(request, env);
    return await app.fetch(request, env, context);
  } catch (error) {
    return errorResponse(error);
  }
}

export default {
  async fetch(request, env, context) {
    if (apiPath.test(new URL(request.url).pathname)) return secured(await answer(request, env, context), request, env);
    const page = await env.ASSETS.fetch(request);
    if (page.status !== 404 && page.status !== 405) return page;
    const refusal =
      page.status === 404
        ? new TabgridError('not_found', 'there is no such page')
        : new TabgridError('method_not_allowed', 'pages can only be read', { details: { allow: ['GET', 'HEAD'] } });
    return secured(errorResponse(refusal), request, env);
  },
} satisfies ExportedHandler<Env>;
