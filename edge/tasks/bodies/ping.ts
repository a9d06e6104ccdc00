import type { Result } from '#catalog';

export async function ping(): Promise<Result<'ping'>> {
  return { status: 'pong', worker: 'edge' };
}
