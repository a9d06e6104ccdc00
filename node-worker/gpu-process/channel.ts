import type { Endpoint } from 'comlink';

/** Either end of the way between a process and the one that started it. */
interface ProcessEnd {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
  send?: ((message: object, done: () => void) => unknown) | undefined;
}

interface Tagged {
  readonly channel: string;
  readonly data: unknown;
}

/**
 * One of several ways over the messages of a process, as comlink speaks it. Calls in the two directions take one each, because a
 * process cannot be sent a message port, by which comlink passes callbacks between threads.
 */
export function channelOf(end: ProcessEnd, channel: 'thread' | 'hooks'): Endpoint {
  const listeners = new Map<EventListenerOrEventListenerObject, (message: unknown) => void>();
  return {
    // What cannot be sent any more goes to a process that has ended, which is told by its exit.
    postMessage: (data: unknown) => void end.send?.({ channel, data } satisfies Tagged, () => undefined),
    addEventListener: (_, listener) => {
      const hear = (message: unknown): void => {
        const { channel: to, data } = message as Tagged;
        if (to !== channel) return;
        const event = { data } as MessageEvent;
        if ('handleEvent' in listener) listener.handleEvent(event);
        else listener(event);
      };
      listeners.set(listener, hear);
      end.on('message', hear);
    },
    removeEventListener: (_, listener) => {
      const hear = listeners.get(listener);
      if (hear) end.off('message', hear);
      listeners.delete(listener);
    },
  };
}
