import { get as getHttp, type RequestOptions } from 'node:http';
import { get as getHttps } from 'node:https';
import { createServer } from 'node:net';
import { z } from 'zod';
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

/**
 * Resolves when `url` answers 200; rejects when `signal` aborts, or when it answers that it is not configured as it must be. A
 * certificate is not checked: it is this machine talking to itself.
 */
export async function untilHealthy(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await ask(url).catch(() => undefined);
    if (answer?.status === 200) return;
    const { error } = errorSchema.safeParse(parseJson(answer?.body)).data ?? {};
    if (error?.code === 'not_configured') throw new CommandError(error.message);
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, probeMs));
  }
}

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '') as unknown;
  } catch {
    return undefined;
  }
}

function ask(url: string): Promise<{ status: number | undefined; body: string }> {
  const options: RequestOptions & { rejectUnauthorized: boolean } = { agent: false, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? getHttps : getHttp)(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve({ status: response.statusCode, body }));
    });
    request.setTimeout(5_000, () => request.destroy());
    request.once('error', reject);
    request.once('close', () => reject(new Error('no answer')));
  });
}
