import { WorkerEntrypoint } from 'cloudflare:workers';
import type { CanvasNode, WorkflowId } from '#protocol';
import type { Env } from '../env.ts';
import { reply, type Reply } from '../lib/rpc.ts';
import { checkCanvas, checkSources } from './core/check.ts';
import type { Sources } from './core/types.ts';
import { pinSources } from './sources.ts';

/** Reads the files of a canvas in the stateless Worker, for workflows that no request starts. */
export class SourceReader extends WorkerEntrypoint<Env> {
  read(owner: string, workflowId: WorkflowId, canvas: CanvasNode): Promise<Reply<Sources>> {
    return reply(() => readCanvasFiles(this.env, owner, workflowId, canvas));
  }
}

/** Checks a canvas in whole and reads the files that it names. @throws TabgridError with the path of each fault. */
export async function readCanvasFiles(
  env: Env,
  owner: string,
  workflowId: WorkflowId,
  canvas: CanvasNode,
): Promise<Sources> {
  const files = checkCanvas(canvas);
  const sources = await pinSources(env, owner, workflowId, files);
  if (files.size > 0) checkSources(canvas, sources);
  return sources;
}
