import { Hono } from 'hono';
import type { Env } from './env.ts';

export { Broker } from './broker/broker.ts';
export { Campaign } from './campaign/campaign.ts';
export { Files } from './files/files.ts';
export { Monitor } from './monitor/monitor.ts';
export { Tokens } from './auth/tokens.ts';

const app = new Hono<{ Bindings: Env }>();

app.get('/healthz', (context) => context.json({ status: 'ok' }));

export default { fetch: app.fetch } satisfies ExportedHandler<Env>;
