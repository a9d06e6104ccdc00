import { createHash } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** As RFC 6455 has it. */
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The server’s end of a WebSocket: whole text messages only, which is all that workers send. */
export class ServerSocket {
  onMessage: (text: string) => void = () => undefined;
  onClose: () => void = () => undefined;
  readonly #stream: Duplex;
  #buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];

  constructor(request: IncomingMessage, stream: Duplex) {
    this.#stream = stream;
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key'] ?? ''}${magic}`)
      .digest('base64');
    stream.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocolsOf(request)[0] ?? ''}\r\n\r\n`,
    );
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => this.onClose());
  }

  send(text: string): void {
    const payload = Buffer.from(text);
    const head = payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.alloc(10);
    if (payload.length >= 126) {
      head.set([0x81, 127]);
      head.writeBigUInt64BE(BigInt(payload.length), 2);
    }
    this.#stream.write(Buffer.concat([head, payload]));
  }

  /** As a power cut does it: no close frame. */
  cut(): void {
    this.#stream.destroy();
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (let frame = this.#next(); frame; frame = this.#next()) {
      if (frame.opcode === 8) this.#stream.end(Buffer.from([0x88, 0]));
      if (frame.opcode > 2) continue;
      this.#parts.push(frame.payload);
      if (!frame.isLast) continue;
      const text = Buffer.concat(this.#parts).toString();
      this.#parts = [];
      this.onMessage(text);
    }
  }

  #next(): { opcode: number; isLast: boolean; payload: Buffer } | null {
    const buffer = this.#buffer;
    if (buffer.length < 2) return null;
    const short = buffer[1]! & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskAt = 2 + lengthBytes;
    if (buffer.length < maskAt + 4) return null;
    const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
    const end = maskAt + 4 + length;
    if (buffer.length < end) return null;
    const mask = buffer.subarray(maskAt, maskAt + 4);
    const payload = Buffer.from(buffer.subarray(maskAt + 4, end).map((byte, at) => byte ^ mask[at % 4]!));
    this.#buffer = buffer.subarray(end);
    return { opcode: buffer[0]! & 0x0f, isLast: (buffer[0]! & 0x80) !== 0, payload };
  }
}

/** Turns upgrade requests to a server into sockets; those that are not accepted get a 401. */
export function acceptSockets(
  server: Server,
  isAccepted: (request: IncomingMessage) => boolean,
  onSocket: (socket: ServerSocket) => void,
): void {
  server.on('upgrade', (request, stream) => {
    if (isAccepted(request)) onSocket(new ServerSocket(request, stream));
    else stream.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  });
}

/** What a client offers, first the one that it is to be answered with. */
export function protocolsOf(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}
