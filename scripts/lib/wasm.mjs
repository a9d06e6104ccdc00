/**
 * Reads a WebAssembly binary (core specification 2.0, section 5, with threads and relaxed SIMD so that they are recognised):
 * its sections, every instruction of every function, and what is imported.
 */

export class Reader {
  #bytes;

  constructor(bytes, position = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.position = position;
    this.end = end;
  }

  byte() {
    const value = this.#bytes[this.position];
    if (value === undefined || this.position >= this.end) throw new Error(`The binary ends early at ${this.position}.`);
    this.position += 1;
    return value;
  }

  /** An unsigned LEB128 number up to 32 bits. */
  u32() {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  /** Passes over a LEB128 number of any size and sign. */
  leb() {
    while (this.byte() >= 128);
  }

  skip(count) {
    this.position += count;
    if (this.position > this.end) throw new Error(`The binary ends early at ${this.end}.`);
  }

  name() {
    return new TextDecoder().decode(this.part(this.u32()).rest());
  }

  /** A reader of the next `length` bytes, which this one passes over. */
  part(length) {
    this.skip(length);
    return new Reader(this.#bytes, this.position - length, this.position);
  }

  /** The bytes that are left. */
  rest() {
    return this.#bytes.subarray(this.position, this.end);
  }

  get isAtEnd() {
    return this.position >= this.end;
  }
}

// What follows an opcode: LEB128 numbers, then bytes; or, for br_table and select, a list of LEB128 numbers.
const NOTHING = {};
const ONE_NUMBER = { numbers: 1 };
const MEMORY_ARGUMENT = { numbers: 2 };

/** Opcodes of one byte by what follows them; loads, stores and arithmetic are ranges and stand in `simpleImmediates`. */
const WITHOUT = new Set([0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1]);
const WITH_ONE = new Set([
  ...[0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10], // block, loop, if, br, br_if, call
  ...[0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26], // locals, globals, tables
  ...[0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2], // memory.size, memory.grow, i32.const, i64.const, ref.null, ref.func
]);

function simpleImmediates(opcode) {
  if (WITHOUT.has(opcode) || (opcode >= 0x45 && opcode <= 0xc4)) return NOTHING;
  if (WITH_ONE.has(opcode)) return ONE_NUMBER;
  if (opcode === 0x11 || (opcode >= 0x28 && opcode <= 0x3e)) return MEMORY_ARGUMENT; // call_indirect takes two as well
  if (opcode === 0x0e) return { list: { more: 1 } };
  if (opcode === 0x1c) return { list: { more: 0 } };
  if (opcode === 0x43) return { bytes: 4 };
  return opcode === 0x44 ? { bytes: 8 } : undefined;
}

/** After the prefix fc: saturating conversions, bulk memory, tables. */
function miscImmediates(code) {
  if (code <= 7) return NOTHING;
  if (code > 17) return undefined;
  return [8, 10, 12, 14].includes(code) ? MEMORY_ARGUMENT : ONE_NUMBER;
}

/** After the prefix fd: SIMD, relaxed from 100 on. */
function vectorImmediates(code) {
  if (code > 0x12f) return undefined;
  if (code <= 11 || code === 0x5c || code === 0x5d) return MEMORY_ARGUMENT;
  if (code === 12 || code === 13) return { bytes: 16 };
  if (code >= 0x54 && code <= 0x5b) return { numbers: 2, bytes: 1 };
  return code >= 0x15 && code <= 0x22 ? { bytes: 1 } : NOTHING;
}

/** After the prefix fe: atomics. */
function atomicImmediates(code) {
  if (code > 0x4e) return undefined;
  return code === 3 ? { bytes: 1 } : MEMORY_ARGUMENT;
}

const prefixed = new Map([
  [0xfc, miscImmediates],
  [0xfd, vectorImmediates],
  [0xfe, atomicImmediates],
]);

/** Reads one instruction; gives its opcode in hex, prefixed ones as "fd 100". */
function instruction(reader) {
  const opcode = reader.byte();
  const afterPrefix = prefixed.get(opcode);
  const code = afterPrefix ? reader.u32() : undefined;
  const name = opcode.toString(16).padStart(2, '0') + (code === undefined ? '' : ` ${code.toString(16)}`);
  const immediates = afterPrefix ? afterPrefix(code) : simpleImmediates(opcode);
  if (immediates === undefined) throw new Error(`Unknown opcode ${name} before byte ${reader.position}.`);
  const { numbers = 0, bytes = 0, list } = immediates;
  const count = list ? reader.u32() + list.more : numbers;
  for (let i = 0; i < count; i++) reader.leb();
  reader.skip(bytes);
  return name;
}

/** The sections in their order, each with a reader of its content. @throws Error when the bytes are no WebAssembly. */
export function readSections(bytes) {
  const reader = new Reader(bytes);
  const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (!magic.every((byte) => reader.byte() === byte)) throw new Error('These bytes are no WebAssembly of version 1.');
  const sections = [];
  while (!reader.isAtEnd) {
    const id = reader.byte();
    sections.push({ id, content: reader.part(reader.u32()) });
  }
  return sections;
}

/** Each function of a code section: the bytes that declare its locals, and its instructions with their bytes. */
export function readFunctions(content) {
  return Array.from({ length: content.u32() }, () => {
    const body = content.part(content.u32());
    const whole = body.rest();
    const start = body.position;
    for (let groups = body.u32(); groups > 0; groups--) {
      body.leb();
      body.skip(1);
    }
    const locals = whole.subarray(0, body.position - start);
    const instructions = [];
    while (!body.isAtEnd) {
      const from = body.position - start;
      const opcode = instruction(body);
      instructions.push({ opcode, bytes: whole.subarray(from, body.position - start) });
    }
    return { locals, instructions };
  });
}

function readImports(content) {
  return Array.from({ length: content.u32() }, () => {
    const name = `${content.name()}.${content.name()}`;
    const kind = content.byte();
    if (kind === 0) content.leb();
    else if (kind === 3) content.skip(2);
    else {
      if (kind === 1) content.skip(1);
      const hasMaximum = (content.byte() & 1) === 1;
      content.leb();
      if (hasMaximum) content.leb();
    }
    return name;
  });
}

/** @throws Error when the bytes are no WebAssembly, or contain an instruction that is not known here. */
export function readWasm(bytes) {
  const contents = { imports: [], opcodes: new Map(), functions: 0, hasSharedMemory: false };
  for (const { id, content } of readSections(bytes)) {
    if (id === 2) contents.imports = readImports(content);
    if (id === 5 && content.u32() > 0) contents.hasSharedMemory = (content.byte() & 2) === 2;
    if (id !== 10) continue;
    const functions = readFunctions(content);
    contents.functions = functions.length;
    for (const { opcode } of functions.flatMap(({ instructions }) => instructions)) {
      contents.opcodes.set(opcode, (contents.opcodes.get(opcode) ?? 0) + 1);
    }
  }
  return contents;
}
