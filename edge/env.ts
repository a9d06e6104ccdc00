import type { Beat } from './beat/beat.ts';
import type { Broker } from './broker/broker.ts';
import type { Campaign } from './campaign/campaign.ts';
import type { Files } from './files/files.ts';
import type { Monitor } from './monitor/monitor.ts';
import type { Tokens } from './auth/tokens.ts';
import type { Workflow } from './workflow/workflow.ts';

/** The bindings and variables of `wrangler.toml`, or of the local configuration that `tabgrid serve` writes. */
export interface Env {
  readonly BEAT: DurableObjectNamespace<Beat>;
  readonly BROKER: DurableObjectNamespace<Broker>;
  readonly CAMPAIGN: DurableObjectNamespace<Campaign>;
  readonly FILES: DurableObjectNamespace<Files>;
  readonly MONITOR: DurableObjectNamespace<Monitor>;
  readonly TOKENS: DurableObjectNamespace<Tokens>;
  readonly WORKFLOW: DurableObjectNamespace<Workflow>;
  /** The built pages. */
  readonly ASSETS: Fetcher;
  /** Where files’ bytes lie on Cloudflare. */
  readonly BUCKET?: R2Bucket;
  /** Where they lie on one’s own machine: the file service of `tabgrid serve`. */
  readonly BLOBS?: Fetcher;
  /** Signs tokens; at least 32 characters. Without it everything is refused with 503. A second one, after a comma, is still accepted while keys are rotated. */
  readonly TABGRID_SECRET?: string;
  /** Comma-separated origins that may call the API from a page. Default: only the deployment’s own. */
  readonly TABGRID_ORIGINS?: string;
  /** Overrides of the defaults in `config.ts`: a JSON object. */
  readonly TABGRID_CONFIG?: string;
}
