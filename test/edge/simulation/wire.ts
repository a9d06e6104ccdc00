import { heartbeat } from '#protocol';
import type { Timeline } from './timeline.ts';

/** How bad the network is. */
export interface Weather {
  /** Longest way of a frame. */
  readonly latencyMs: number;
  /** Of a frame that comes twice. No WebSocket does that; the broker must not mind nevertheless. */
  readonly duplicate: number;
  /** Of a frame that overtakes the one before it. */
  readonly overtake: number;
}

export interface WireEnds {
  /** The edge’s object hears a frame. */
  edgeHears: (socket: FakeSocket, text: string) => void;
  edgeHearsClose: (socket: FakeSocket) => void;
  workerHears: (text: string) => void;
  workerHearsClose: () => void;
}

/** The edge’s end of a connection, as far as the broker uses one. It outlives the object’s memory. */
export class FakeSocket {
  readyState: number = WebSocket.OPEN;
  /** When the runtime last answered a heartbeat by itself. */
  heartbeatMs: number | null = null;
  readonly #wire: Wire;
  #attachment: string | null = null;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  send(text: string): void {
    if (this.readyState !== WebSocket.OPEN) throw new Error('the socket is closed');
    this.#wire.toWorker(text);
  }

  close(): void {
    if (this.readyState !== WebSocket.OPEN) return;
    this.readyState = WebSocket.CLOSED;
    this.#wire.closeAtWorker();
  }

  serializeAttachment(value: unknown): void {
    this.#attachment = JSON.stringify(value);
  }

  deserializeAttachment(): unknown {
    return this.#attachment === null ? null : JSON.parse(this.#attachment);
  }
}

/** A connection between a worker and the edge: frames take their time, and it can be cut so that neither end knows at once. */
export class Wire {
  readonly socket = new FakeSocket(this);
  readonly #timeline: Timeline;
  readonly #weather: Weather;
  readonly #ends: WireEnds;
  readonly #arrivesMs = { edge: 0, worker: 0 };
  #isCut = false;

  constructor(timeline: Timeline, weather: Weather, ends: WireEnds) {
    this.#timeline = timeline;
    this.#weather = weather;
    this.#ends = ends;
  }

  toEdge(text: string): void {
    this.#carry('edge', () => {
      if (this.socket.readyState !== WebSocket.OPEN) return;
      if (text === heartbeat.ping) {
        this.socket.heartbeatMs = this.#timeline.nowMs;
        this.toWorker(heartbeat.pong);
      } else {
        this.#ends.edgeHears(this.socket, text);
      }
    });
  }

  toWorker(text: string): void {
    this.#carry('worker', () => this.#ends.workerHears(text));
  }

  /** The worker hangs up. */
  closeAtEdge(): void {
    this.#carry('edge', () => this.#edgeCloses());
  }

  closeAtWorker(): void {
    this.#carry('worker', () => this.#ends.workerHearsClose());
  }

  /** Nothing comes through any more; each end learns of it in its own time, the edge perhaps never. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { random } = this.#timeline;
    this.#timeline.after(random.int(0, 2000), () => this.#ends.workerHearsClose());
    if (random.chance(0.7)) this.#timeline.after(random.int(0, 4000), () => this.#edgeCloses());
  }

  #edgeCloses(): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.readyState = WebSocket.CLOSED;
    this.#ends.edgeHearsClose(this.socket);
  }

  #carry(to: 'edge' | 'worker', arrive: () => void): void {
    const { random, nowMs } = this.#timeline;
    const { latencyMs, duplicate, overtake } = this.#weather;
    const own = nowMs + random.int(0, latencyMs);
    const arrivesMs = random.chance(overtake) ? own : Math.max(own, this.#arrivesMs[to]);
    this.#arrivesMs[to] = Math.max(this.#arrivesMs[to], arrivesMs);
    const deliver = (): void => {
      if (!this.#isCut) arrive();
    };
    this.#timeline.after(arrivesMs - nowMs, deliver);
    if (random.chance(duplicate)) this.#timeline.after(arrivesMs - nowMs + random.int(0, 500), deliver);
  }
}
