import { findTaskType, parseArguments } from '#catalog';
import { sha256Hex, TabgridError, type CampaignId, type CampaignSpec, type Json, type TaskId } from '#protocol';
import { rehearse, type TaskEnd } from '../../edge/campaign/core/rehearse.ts';
import type { CampaignCore, PlannedTask } from '../../edge/campaign/core/types.ts';
import { RecordIndex } from '../../client/worker/index.ts';
import { bodies, type TaskBody, type TaskContext } from '../../client/worker/tasks/index.ts';
import type { TaskName } from '#catalog';

/** A campaign in this process: the decisions of the Campaign object and the bodies of the workers, without broker, network or disk. */
export async function runLocally(
  kernels: { module: WebAssembly.Module; digest: string },
  spec: CampaignSpec,
  files: ReadonlyMap<string, Uint8Array>,
  isEnough: (state: CampaignCore) => boolean = () => false,
): Promise<CampaignCore> {
  const stored = new Map(files);
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = stored.get(path);
    if (bytes === undefined) throw new TabgridError('file_not_found', `${path} does not exist`);
    return bytes;
  };
  const context: TaskContext = {
    taskId: '0-00000000000000000000000000' as TaskId,
    attempt: 1,
    workerName: 'local',
    kernels: kernels.module,
    kernelDigest: kernels.digest,
    files: {
      read,
      records: async (path, { from, to }) => {
        const bytes = await read(path);
        return RecordIndex.of(path, bytes).slice(bytes, from, to);
      },
      async write(path, bytes) {
        stored.set(path, bytes);
        return { path, sha256: sha256Hex(bytes) };
      },
    },
    bodies,
    progress: () => undefined,
    snapshot: null,
    checkpoint: () => undefined,
    handOver: () => undefined,
    signal: new AbortController().signal,
    softLimit: new AbortController().signal,
    yield: async () => undefined,
  };
  return rehearse('c-00000000000000000000000000' as CampaignId, spec, {
    read,
    write: async (path, bytes) => void stored.set(path, bytes),
    delete: async (path) => void stored.delete(path),
    execute: (task) => execute(context, task),
    now: () => performance.now(),
    isEnough,
  });
}

/** Checks the arguments as the edge does and calls the body as a worker does. */
async function execute(context: TaskContext, { task, kwargs }: PlannedTask): Promise<TaskEnd> {
  const type = findTaskType(task);
  if (type === undefined || !Object.hasOwn(bodies, task)) throw new Error(`no body for ${task}`);
  // The catalogue ties each body to its own arguments; the compiler cannot follow that through a name.
  const body = bodies[task as keyof typeof bodies] as TaskBody<TaskName>;
  try {
    const result = await body(context, parseArguments(type, [], kwargs).kwargs as never);
    return { state: 'SUCCESS', result: JSON.parse(JSON.stringify(result)) as Json, error: null };
  } catch (error) {
    if (!(error instanceof TabgridError)) throw error;
    return { state: 'FAILURE', result: null, error: { type: error.code, message: error.message } };
  }
}
