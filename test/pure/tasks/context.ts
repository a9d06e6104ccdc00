import { findTaskType, parseArguments, type KwargsInput, type Result, type TaskName } from '#catalog';
import { kernelDigest } from '#kernels';
import { sha256Hex, TabgridError, type Json, type JsonObject, type TaskId } from '#protocol';
import { RecordIndex } from '../../../client/worker/files/records.ts';
import { bodies, type TaskBody, type TaskContext } from '../../../client/worker/tasks/index.ts';
import type { ModelContent, ModelDescription } from '../../../client/worker/tasks/models/model-file.ts';
import { kernelBytes, kernelModule } from '../kernels/load.ts';

export type LocalTask = keyof typeof bodies;

type MlpFile = Extract<ModelContent, { kind: 'mlp' }> & ModelDescription;

/** A worker with files in memory. */
export class Workbench {
  readonly files = new Map<string, Uint8Array>();
  readonly progress: unknown[] = [];
  /** Snapshots that a body offered, newest last; taken at every step when `takesSnapshots`. */
  readonly snapshots: Uint8Array[] = [];
  takesSnapshots = false;
  readonly stop = new AbortController();
  readonly soft = new AbortController();
  evaluators: TaskContext['evaluators'];
  /** As for a task of the queue `gpu_training`; undefined for those of others. */
  gpu: TaskContext['gpu'];
  /** Called between steps. */
  betweenSteps: () => void = () => undefined;
  readonly #kernels: WebAssembly.Module;
  readonly #digest: string;

  private constructor(kernels: WebAssembly.Module, digest: string) {
    this.#kernels = kernels;
    this.#digest = digest;
  }

  static async create(): Promise<Workbench> {
    return new Workbench(await kernelModule(), kernelDigest(await kernelBytes()));
  }

  put(path: string, text: string): string {
    this.files.set(path, new TextEncoder().encode(text));
    return path;
  }

  read(path: string): Uint8Array {
    const bytes = this.files.get(path);
    if (bytes === undefined) throw new TabgridError('file_not_found', `${path} does not exist`);
    return bytes;
  }

  /** A file of perceptrons. */
  modelFile(path: string): MlpFile {
    return JSON.parse(new TextDecoder().decode(this.read(path))) as MlpFile;
  }

  context(snapshot: Uint8Array | null = null): TaskContext {
    return {
      taskId: '0-01000000000000000000000000' as TaskId,
      attempt: 1,
      workerName: 'bench',
      kernels: this.#kernels,
      kernelDigest: this.#digest,
      files: {
        read: async (path) => this.read(path),
        records: async (path, { from, to }) => RecordIndex.of(path, this.read(path)).slice(this.read(path), from, to),
        write: async (path, bytes) => {
          this.files.set(path, bytes);
          return { path, sha256: sha256Hex(bytes) };
        },
      },
      bodies,
      progress: (progress) => void this.progress.push(progress),
      snapshot,
      checkpoint: (make) => {
        if (this.takesSnapshots) this.snapshots.push(make());
      },
      handOver: (snapshot) => void this.snapshots.push(snapshot),
      signal: this.stop.signal,
      softLimit: this.soft.signal,
      yield: async () => {
        this.betweenSteps();
        this.stop.signal.throwIfAborted();
      },
      ...(this.evaluators === undefined ? {} : { evaluators: this.evaluators }),
      ...(this.gpu === undefined ? {} : { gpu: this.gpu }),
    };
  }

  /** Checks arguments as the edge does, runs the body as a worker does, and checks that the result fits the catalogue. */
  async run<Name extends LocalTask>(
    name: Name,
    kwargs: KwargsInput<Name>,
    snapshot: Uint8Array | null = null,
  ): Promise<Result<Name>> {
    const type = findTaskType(name)!;
    const parsed = parseArguments(type, [], kwargs as JsonObject).kwargs;
    const body = bodies[name] as unknown as TaskBody<TaskName>;
    const result = JSON.parse(JSON.stringify(await body(this.context(snapshot), parsed as never))) as Json;
    return type.result.parse(result) as Result<Name>;
  }
}

/** The code and the words with which a task fails. */
export async function faultOf(pending: Promise<unknown>): Promise<string> {
  try {
    await pending;
  } catch (error) {
    if (error instanceof TabgridError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('expected a fault');
}
