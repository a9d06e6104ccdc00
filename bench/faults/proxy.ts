import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Connection {
  readonly near: Socket;
  readonly far: Socket;
  isWebSocket: boolean;
}

/** A bad way to the edge. Its faults hit the connections that `hits` picks, and tell how many those were. */
export class Proxy {
  readonly #open = new Set<Connection>();
  readonly #server: Server;

  constructor(target: URL) {
    this.#server = createServer((near) => this.#connect(near, target));
  }

  /** @returns its address */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(hits: () => boolean): number {
    return this.#each(hits, ({ near, far }) => {
      near.destroy();
      far.destroy();
    });
  }

  /** Nothing comes through for a while, and neither end is told. */
  stall(forMs: number, hits: () => boolean): number {
    return this.#each(hits, ({ near, far }) => {
      for (const socket of [near, far]) socket.pause();
      setTimeout(() => {
        for (const socket of [near, far]) socket.resume();
      }, forMs).unref();
    });
  }

  /** What was asked arrives; what is answered does not, and the connection is cut. */
  loseAnswers(hits: () => boolean): number {
    return this.#each(hits, ({ near, far }) => {
      far.unpipe(near);
      far.once('data', () => near.destroy());
      far.resume();
    });
  }

  /** WebSockets through which nothing comes any more, without either end being told. */
  silence(hits: () => boolean): number {
    return this.#each(
      ({ isWebSocket }) => isWebSocket && hits(),
      ({ near, far }) => {
        for (const socket of [near, far]) socket.unpipe().pause();
      },
    );
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut(() => true);
    await once(this.#server, 'close');
  }

  #connect(near: Socket, target: URL): void {
    const far = connect(Number(target.port), target.hostname);
    const connection = { near, far, isWebSocket: false };
    near.once('data', (first: Buffer) => (connection.isWebSocket = /^upgrade: websocket/im.test(first.toString())));
    this.#open.add(connection);
    near.pipe(far).pipe(near);
    const end = (): void => {
      this.#open.delete(connection);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
  }

  #each(hits: (connection: Connection) => boolean, fault: (connection: Connection) => void): number {
    const hit = [...this.#open].filter(hits);
    for (const connection of hit) fault(connection);
    return hit.length;
  }
}
