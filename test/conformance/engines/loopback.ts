import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Answer, Question } from '../program/answer.ts';
import { kernelBytes } from '../pinned.ts';
import { bundle } from './program.ts';

interface Asked {
  readonly question: Question;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** One engine that fetches its work. */
export class Mailbox {
  readonly address: string;
  /** The engine's open request. */
  #poll: ((question: Question | null) => void) | undefined;
  #asked: Asked | undefined;
  #fault: Error | undefined;

  constructor(address: string) {
    this.address = address;
  }

  ask(question: Question): Promise<Answer> {
    if (this.#fault) return Promise.reject(this.#fault);
    return new Promise((resolve, reject) => {
      this.#asked = { question, resolve, reject };
      this.#hand();
    });
  }

  /** The engine's answer to the last question (null at first); gives the next one when there is one, null at the end. */
  exchange(answer: Answer | null): Promise<Question | null> {
    if (answer !== null) {
      this.#asked?.resolve(answer);
      this.#asked = undefined;
    }
    return new Promise((resolve) => {
      this.#poll = resolve;
      this.#hand();
    });
  }

  #hand(): void {
    if (!this.#poll || !this.#asked) return;
    this.#poll(this.#asked.question);
    this.#poll = undefined;
  }

  /** Nothing will come any more. */
  fail(error: Error): void {
    this.#fault = error;
    this.#asked?.reject(error);
  }

  end(): void {
    this.#poll?.(null);
    this.fail(new Error('The engine has been closed.'));
  }
}

/** A server on this machine from which engines fetch the program, the kernels and their questions. */
export class Loopback {
  readonly #server: Server;
  readonly #program: string;
  readonly #kernels: Uint8Array;
  readonly #mailboxes = new Map<string, Mailbox>();

  private constructor(program: string, kernels: Uint8Array) {
    this.#program = program;
    this.#kernels = kernels;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    // An engine may compute for long between two requests, and would meet a closed connection.
    this.#server.keepAliveTimeout = 0;
  }

  static async start(): Promise<Loopback> {
    const loopback = new Loopback(await bundle('pull'), await kernelBytes());
    await new Promise<void>((resolve) => loopback.#server.listen(0, '127.0.0.1', resolve));
    return loopback;
  }

  /** A place for one engine: it begins with the page at `mailbox.address`, or with `program(mailbox)`. */
  open(name: string): Mailbox {
    const { port } = this.#server.address() as AddressInfo;
    const mailbox = new Mailbox(`http://127.0.0.1:${port}/${name}`);
    this.#mailboxes.set(`/${name}`, mailbox);
    return mailbox;
  }

  /** The program, which knows where its mailbox is. */
  program({ address }: Mailbox): string {
    return `globalThis.conformanceAddress = ${JSON.stringify(address)};\n${this.#program}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = '', file] = (request.url ?? '').split('/');
    const mailbox = this.#mailboxes.get(`/${name}`);
    const send = (type: string, body: string | Uint8Array): void => {
      response.writeHead(200, { 'content-type': type }).end(body);
    };
    if (!mailbox) response.writeHead(404).end();
    else if (file === 'kernels.wasm') send('application/wasm', this.#kernels);
    else if (file === 'program.js') send('text/javascript', this.program(mailbox));
    else if (request.method === 'POST') {
      const reply = await mailbox.exchange(JSON.parse(await text(request)) as Answer | null);
      send('application/json', JSON.stringify(reply));
    } else
      send(
        'text/html',
        `<!doctype html><title>${name}</title><script type="module" src="/${name}/program.js"></script>`,
      );
  }

  async close(): Promise<void> {
    for (const mailbox of this.#mailboxes.values()) mailbox.end();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
