/**
 * A piece of a result. Typed arrays count byte by byte, as a kernel gave them; plain numbers as doubles, where every NaN
 * is the same; text as UTF-8.
 */
export type Part = string | readonly number[] | Float64Array | Float32Array | Uint32Array | Uint8Array;

/** Computes something small with a kernel. Nothing but its result counts, and that from nothing but the kernel's own functions. */
export type PlainCase = (module: WebAssembly.Module) => readonly Part[] | Promise<readonly Part[]>;

/** A piece of work that goes step by step. */
export interface Run {
  readonly done: boolean;
  step(): void;
  snapshot(): Uint8Array;
  /** What counts once it is done. */
  result(): readonly Part[];
}

/** Work that stops, becomes bytes and goes on, in the same engine and in another one. */
export interface ResumableCase {
  /** Begins the work, or goes on from `snapshot`. */
  open(module: WebAssembly.Module, snapshot?: Uint8Array): Run;
  /** Steps, counted from the begin, after which it stops; ascending, all before its end. */
  readonly stops: readonly number[];
}

/** Cases of one kernel by name. */
export type KernelCases = Readonly<Record<string, PlainCase | ResumableCase>>;
