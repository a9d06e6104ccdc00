export class Reader {
  constructor(bytes: Uint8Array, position?: number, end?: number);
  position: number;
  readonly end: number;
  readonly isAtEnd: boolean;
  byte(): number;
  u32(): number;
  leb(): void;
  skip(count: number): void;
  name(): string;
  part(length: number): Reader;
  rest(): Uint8Array;
}

export interface Section {
  readonly id: number;
  readonly content: Reader;
}

export interface WasmFunction {
  readonly locals: Uint8Array;
  /** Opcodes in hex, prefixed ones as "fd 100"; `bytes` with what follows the opcode. */
  readonly instructions: { readonly opcode: string; readonly bytes: Uint8Array }[];
}

export interface WasmContents {
  /** "module.name" of each import. */
  readonly imports: string[];
  /** Each opcode that occurs, with how often. */
  readonly opcodes: Map<string, number>;
  readonly functions: number;
  /** Whether a memory is shared between threads. */
  readonly hasSharedMemory: boolean;
}

export function readSections(bytes: Uint8Array): Section[];
export function readFunctions(content: Reader): WasmFunction[];
export function readWasm(bytes: Uint8Array): WasmContents;
