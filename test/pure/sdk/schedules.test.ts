import { describe, expect, it } from 'vitest';
import { json, refusal, setup } from './fakes.ts';

const spec = { schedule: { every: 60 }, signature: { task: 'ping' } };
const view = { ...spec, name: 'a b', catch_up: 'all', enabled: true };

describe('schedules', () => {
  it('are put, read, run and deleted under their names', async () => {
    const { grid, edge } = setup();
    edge.answers(json(view, 201), json(view), json({ task_id: '0-x' }, 202), new Response(null, { status: 204 }));
    await grid.schedules.put('a b', spec, { onlyNew: true, owner: 'eva' });
    expect(await grid.schedules.get('a b')).toEqual(view);
    expect((await grid.schedules.run('a b')).id).toBe('0-x');
    await grid.schedules.delete('a b');
    expect(edge.seen.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
      'PUT /v1/schedules/a%20b?owner=eva',
      'GET /v1/schedules/a%20b',
      'POST /v1/schedules/a%20b/run',
      'DELETE /v1/schedules/a%20b',
    ]);
    expect(edge.seen[0]!.headers.get('if-none-match')).toBe('*');
    expect(JSON.parse(edge.seen[0]!.body)).toEqual(spec);
    expect(edge.seen[2]!.headers.get('idempotency-key')).toMatch(/^sdk-/);
  });

  it('pause by changing that alone of the version that was read, again when somebody came between', async () => {
    const { grid, edge } = setup();
    const changed = { ...view, schedule: { every: 5 } };
    edge.answers(
      json(view, 200, { etag: '"1"' }),
      refusal('precondition_failed', 412),
      json(changed, 200, { etag: '"2"' }),
      json({ ...changed, enabled: false }),
    );
    expect(await grid.schedules.pause('a b')).toMatchObject({ enabled: false });
    expect(edge.seen.map(({ method, headers }) => `${method} ${headers.get('if-match')}`)).toEqual([
      'GET null',
      'PUT "1"',
      'GET null',
      'PUT "2"',
    ]);
    expect(JSON.parse(edge.seen[3]!.body)).toEqual({
      schedule: { every: 5 },
      signature: { task: 'ping' },
      catch_up: 'all',
      enabled: false,
    });
  });

  it('that pause already are left alone', async () => {
    const { grid, edge } = setup();
    edge.answers(json({ ...view, enabled: false }, 200, { etag: '"1"' }));
    expect(await grid.schedules.pause('a b')).toMatchObject({ enabled: false });
    expect(edge.seen).toHaveLength(1);
  });

  it('are listed page after page', async () => {
    const { grid, edge } = setup();
    edge.answers(
      json({ schedules: [{ name: 'a' }], next_cursor: 'n' }),
      json({ schedules: [{ name: 'b' }], next_cursor: null }),
    );
    const names: string[] = [];
    for await (const { name } of grid.schedules.list()) names.push(name);
    expect(names).toEqual(['a', 'b']);
    expect(edge.seen[1]!.url.search).toBe('?cursor=n');
  });
});
