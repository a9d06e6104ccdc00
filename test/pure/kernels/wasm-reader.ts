/**
 * Reads a WebAssembly binary (core specification 2.0, section 5, with threads and relaxed SIMD so that they are recognised):
 * every instruction of every function, and what is imported.
 */
export interface WasmContents {
  /** "module.name" of each import. */
  readonly imports: string[];
  /** Each opcode that occurs, with how often; prefixed ones as "fd 100". */
  readonly opcodes: Map<string, number>;
  readonly functions: number;
  /** Whether a memory is shared between threads. */
  readonly hasSharedMemory: boolean;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly end: number;
  position: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.position = position;
    this.end = end;
  }

  byte(): number {
    const value = this.#bytes[this.position];
    if (value === undefined || this.position >= this.end) throw new Error(`The binary ends early at ${this.position}.`);
    this.position += 1;
    return value;
  }

  /** An unsigned LEB128 number up to 32 bits. */
  u32(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  /** Passes over a LEB128 number of any size and sign. */
  leb(): void {
    while (this.byte() >= 128);
  }

  skip(count: number): void {
    this.position += count;
    if (this.position > this.end) throw new Error(`The binary ends early at ${this.end}.`);
  }

  name(): string {
    const length = this.u32();
    this.skip(length);
    return new TextDecoder().decode(this.#bytes.subarray(this.position - length, this.position));
  }

  /** A reader of the next `length` bytes, which this one passes over. */
  part(length: number): Reader {
    this.skip(length);
    return new Reader(this.#bytes, this.position - length, this.position);
  }

  get isAtEnd(): boolean {
    return this.position >= this.end;
  }
}

/** What follows an opcode: LEB128 numbers, then bytes; or, for br_table and select, a list of LEB128 numbers. */
interface Immediates {
  readonly numbers?: number;
  readonly bytes?: number;
  readonly list?: { readonly more: number };
}

const NOTHING: Immediates = {};
const ONE_NUMBER: Immediates = { numbers: 1 };
const MEMORY_ARGUMENT: Immediates = { numbers: 2 };

/** Opcodes of one byte by what follows them; loads, stores and arithmetic are ranges and stand in `simpleImmediates`. */
const WITHOUT = new Set([0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1]);
const WITH_ONE = new Set([
  ...[0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10], // block, loop, if, br, br_if, call
  ...[0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26], // locals, globals, tables
  ...[0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2], // memory.size, memory.grow, i32.const, i64.const, ref.null, ref.func
]);

function simpleImmediates(opcode: number): Immediates | undefined {
  if (WITHOUT.has(opcode) || (opcode >= 0x45 && opcode <= 0xc4)) return NOTHING;
  if (WITH_ONE.has(opcode)) return ONE_NUMBER;
  if (opcode === 0x11 || (opcode >= 0x28 && opcode <= 0x3e)) return MEMORY_ARGUMENT; // call_indirect takes two as well
  if (opcode === 0x0e) return { list: { more: 1 } };
  if (opcode === 0x1c) return { list: { more: 0 } };
  if (opcode === 0x43) return { bytes: 4 };
  return opcode === 0x44 ? { bytes: 8 } : undefined;
}

/** After the prefix fc: saturating conversions, bulk memory, tables. */
function miscImmediates(code: number): Immediates | undefined {
  if (code <= 7) return NOTHING;
  if (code > 17) return undefined;
  return [8, 10, 12, 14].includes(code) ? MEMORY_ARGUMENT : ONE_NUMBER;
}

/** After the prefix fd: SIMD, relaxed from 100 on. */
function vectorImmediates(code: number): Immediates | undefined {
  if (code > 0x12f) return undefined;
  if (code <= 11 || code === 0x5c || code === 0x5d) return MEMORY_ARGUMENT;
  if (code === 12 || code === 13) return { bytes: 16 };
  if (code >= 0x54 && code <= 0x5b) return { numbers: 2, bytes: 1 };
  return code >= 0x15 && code <= 0x22 ? { bytes: 1 } : NOTHING;
}

/** After the prefix fe: atomics. */
function atomicImmediates(code: number): Immediates | undefined {
  if (code > 0x4e) return undefined;
  return code === 3 ? { bytes: 1 } : MEMORY_ARGUMENT;
}

const prefixed = new Map([
  [0xfc, miscImmediates],
  [0xfd, vectorImmediates],
  [0xfe, atomicImmediates],
]);

/** Reads one instruction; gives its name in the form of `WasmContents`. */
function instruction(reader: Reader): string {
  const opcode = reader.byte();
  const afterPrefix = prefixed.get(opcode);
  const code = afterPrefix ? reader.u32() : undefined;
  const name = opcode.toString(16).padStart(2, '0') + (code === undefined ? '' : ` ${code.toString(16)}`);
  const immediates = afterPrefix ? afterPrefix(code ?? 0) : simpleImmediates(opcode);
  if (immediates === undefined) throw new Error(`Unknown opcode ${name} before byte ${reader.position}.`);
  const { numbers = 0, bytes = 0, list } = immediates;
  const count = list ? reader.u32() + list.more : numbers;
  for (let i = 0; i < count; i++) reader.leb();
  reader.skip(bytes);
  return name;
}

function readImports(section: Reader): string[] {
  return Array.from({ length: section.u32() }, () => {
    const name = `${section.name()}.${section.name()}`;
    const kind = section.byte();
    if (kind === 0) section.leb();
    else if (kind === 3) section.skip(2);
    else {
      if (kind === 1) section.skip(1);
      const hasMaximum = (section.byte() & 1) === 1;
      section.leb();
      if (hasMaximum) section.leb();
    }
    return name;
  });
}

function readCode(section: Reader, opcodes: Map<string, number>): number {
  const functions = section.u32();
  for (let i = 0; i < functions; i++) {
    const body = section.part(section.u32());
    for (let groups = body.u32(); groups > 0; groups--) {
      body.leb();
      body.skip(1);
    }
    while (!body.isAtEnd) {
      const name = instruction(body);
      opcodes.set(name, (opcodes.get(name) ?? 0) + 1);
    }
  }
  return functions;
}

/** @throws Error when the bytes are no WebAssembly, or contain an instruction that is not known here. */
export function readWasm(bytes: Uint8Array): WasmContents {
  const reader = new Reader(bytes);
  const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (!magic.every((byte) => reader.byte() === byte)) throw new Error('These bytes are no WebAssembly of version 1.');
  const opcodes = new Map<string, number>();
  let imports: string[] = [];
  let functions = 0;
  let hasSharedMemory = false;
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const section = reader.part(reader.u32());
    if (id === 2) imports = readImports(section);
    if (id === 5 && section.u32() > 0) hasSharedMemory = (section.byte() & 2) === 2;
    if (id === 10) functions = readCode(section, opcodes);
  }
  return { imports, opcodes, functions, hasSharedMemory };
}
