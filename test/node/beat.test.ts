import { describe, expect, it } from 'vitest';
import type { ScheduleView } from '#protocol';
import { edgePid, freshFolder, run, startTestServe, type TestServe } from './helpers/processes.ts';
import { until, untilGone } from './helpers/wait.ts';

/** The ticks that the schedule’s tasks stand for, oldest first. Asks the Broker alone, so that nothing but its alarm wakes the beat. */
async function ticksOf({ grid }: TestServe, name: string): Promise<number[]> {
  const ticks: number[] = [];
  for await (const { parent } of grid.tasks({ label: `schedule:${name}` })) {
    ticks.push(Date.parse((parent as { tick: string }).tick));
  }
  return ticks.reverse();
}

describe('the beat on one’s own machine', () => {
  it('comes exactly once each second, though the edge’s process is killed again and again', async () => {
    const serve = await startTestServe(await freshFolder());
    const made = await serve.grid.schedules.put('second', {
      schedule: { every: 1 },
      signature: { task: 'ping' },
      catch_up: 'all',
    });
    const firstMs = Date.parse(made.next_run!);
    for (const count of [2, 4, 6, 8]) {
      await until(async () => (await ticksOf(serve, 'second')).length >= count);
      const pid = await edgePid(serve.state);
      process.kill(pid, 'SIGKILL');
      await untilGone(pid);
    }
    await until(async () => (await ticksOf(serve, 'second')).length >= 10);
    const { total_runs: total, last_task_id: last } = await serve.grid.schedules.pause('second');
    await serve.grid.result(last!).get({ timeoutSeconds: 60 });
    const ticks = await ticksOf(serve, 'second');
    expect(ticks).toHaveLength(total);
    expect(ticks).toEqual(ticks.map((_, k) => firstMs + k * 1000));
  });

  it('is told what to do on the command line', async () => {
    const serve = await startTestServe(await freshFolder());
    const beat = async (...args: string[]) =>
      run(['beat', ...args, '--url', serve.url], { TABGRID_TOKEN: serve.token });
    const added = await beat(
      'add',
      'nightly',
      'ping',
      '--crontab',
      '0 3 * * *',
      '--timezone',
      'Europe/Vienna',
      '--json',
    );
    expect(added.status).toBe(0);
    expect(JSON.parse(added.stdout) as ScheduleView).toMatchObject({
      schedule: { crontab: '0 3 * * *', timezone: 'Europe/Vienna' },
      signature: { task: 'ping', kwargs: {} },
    });
    expect(
      (await beat('add', 'dusk', 'ping', '--solar', 'sunset', '--lat', '48.2', '--lon', '16.4', '--paused')).status,
    ).toBe(0);
    const { stdout: id } = await beat('run', 'dusk');
    expect(await serve.grid.result(id.trim()).get({ timeoutSeconds: 60 })).toMatchObject({ status: 'pong' });
    const listed = await beat('list');
    expect(listed.stdout).toMatch(/nightly +admin +ping +0 3 \* \* \* Europe\/Vienna/);
    expect(listed.stdout).toMatch(/dusk +admin +ping +sunset at 48\.2, 16\.4 .* paused +1/);
    expect((await beat('resume', 'dusk')).stdout).toMatch(/^dusk: \d{4}-/);
    expect((await beat('pause', 'dusk')).stdout).toBe('dusk: paused\n');
    expect((await beat('remove', 'dusk')).status).toBe(0);
    expect(await beat('remove', 'dusk')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no schedule dusk') as string,
    });
    expect((await beat('list', '--json')).stdout).not.toContain('dusk');
    for (const [args, words] of [
      [['add', 'x', 'ping'], /exactly one of --every/],
      [['add', 'x', 'ping', '--every', '5s', '--at', '2030-01-01T00:00:00Z'], /exactly one of --every/],
      [['add', 'x', 'ping', '--solar', 'sunset'], /--lat and --lon/],
      [['add', 'x', 'ping', '--every', '5s', '--timezone', 'UTC'], /--timezone goes with --crontab/],
      [['add', 'x', 'ping', '--at', 'tomorrow'], /schedule\.at/],
    ] as const) {
      const refused = await beat(...args);
      expect(refused.status, args.join(' ')).toBe(2);
      expect(refused.stderr).toMatch(words);
    }
    const unfit = await beat('add', 'x', 'ping', '--crontab', '99 * * * *');
    expect(unfit.status).toBe(2);
    expect(unfit.stderr).toContain('schedule.crontab');
  });
});
