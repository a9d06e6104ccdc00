import { get as getHttp, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import { createServer } from 'node:net';
import { CommandError } from '../lib/errors.ts';

/** How often to ask while waiting. */
const probeMs = 25;

/**
 * Finds out whether a server may listen there, before anything is started.
 * @param port 0 for any that is free.
 * @returns the port.
 * @throws CommandError that says what to do.
 */
export function reservePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new CommandError(explainListenError(error, host, port)));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const free = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(free));
    });
  });
}

function explainListenError(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is taken by another program. Stop that one, or choose another port with --port.`;
    case 'EACCES':
      return `this user may not listen on port ${port}. Choose one of 1024 or above with --port.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine. Choose another one with --host.`;
    default:
      return `cannot listen on ${host}:${port}: ${error.message}`;
  }
}

/** Resolves when `url` answers 200; rejects when `signal` aborts. A certificate is not checked: it is this machine talking to itself. */
export async function untilHealthy(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const status = await statusOf(url).catch(() => undefined);
    if (status === 200) return;
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, probeMs));
  }
}

function statusOf(url: string): Promise<number | undefined> {
  const options: RequestOptions & { rejectUnauthorized: boolean } = { agent: false, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? getHttps : getHttp)(url, options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    });
    request.setTimeout(5_000, () => request.destroy());
    request.once('error', reject);
    request.once('close', () => reject(new Error('no answer')));
  });
}
