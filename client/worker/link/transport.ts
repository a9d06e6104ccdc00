import type { TabgridError } from '#protocol';

/** One connection to the edge that may come and go. */
export interface Transport {
  /** Opens a connection. Exactly one `closed` ends what the listener hears, also when it never opened. */
  connect(listener: TransportListener, shard: number): Connection;
}

export interface Connection {
  /** Ignored unless the connection is open. */
  send(text: string): void;
  close(reason: string): void;
}

export interface TransportListener {
  opened(): void;
  message(text: string): void;
  /** `error` is known when the edge refused the connection, such as `unauthorized`; null for a lost network. */
  closed(error: TabgridError | null): void;
}
