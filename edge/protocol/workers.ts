import { z } from 'zod';
import type { WorkerId } from './ids.ts';
import type { Json } from './json.ts';
import { limits } from './limits.ts';
import { nameSchema } from './text.ts';

/** What a worker can do; the broker gives it only tasks whose needs it meets. */
export const capabilitiesSchema = z.strictObject({
  runtime: z.enum(['tab', 'node', 'edge']),
  cores: z.int().min(1).max(1024),
  gpu: z.boolean(),
  /** Names of the task types whose bodies it has. */
  tasks: z.array(z.string().max(limits.maxNameChars)).max(200),
  /** Named evaluators that it was started with. */
  evaluators: z.array(nameSchema).max(100),
  /** Free text for the worker table: browser or Node version, host. */
  description: z.string().max(300).optional(),
});

export type Capabilities = z.infer<typeof capabilitiesSchema>;

/** A row of the worker table. */
export interface WorkerView {
  worker_id: WorkerId;
  name: string;
  owner: string;
  state: 'online' | 'offline';
  queues: string[];
  concurrency: number;
  capabilities: Capabilities;
  trusted: boolean;
  kernel_digest: string;
  connected_at: string;
  last_heartbeat_at: string;
  /** Tasks that it holds now. */
  active: number;
  succeeded: number;
  failed: number;
  /** Seconds of computing in finished attempts. */
  busy_seconds: number;
}

/** What can be looked at on workers, under Celery’s names. */
export const inspectViews = [
  'ping',
  'stats',
  'active',
  'reserved',
  'scheduled',
  'revoked',
  'registered',
  'active_queues',
  'query_task',
] as const;
export type InspectView = (typeof inspectViews)[number];

/** What one worker says to a question that went to several. */
export type WorkerAnswer = { worker_id: WorkerId; name: string } & ({ reply: Json } | { error: string });

/** Answers of those that were asked. */
export interface WorkerAnswers {
  replies: WorkerAnswer[];
  /** Ids of workers that are connected and did not answer in time. */
  silent: WorkerId[];
}
