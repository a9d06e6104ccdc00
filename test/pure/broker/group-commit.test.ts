import { describe, expect, it } from 'vitest';
import { TabgridError } from '#protocol';
import { GroupCommit } from '../../../edge/broker/group-commit.ts';
import { StillClock } from '../lib/fakes.ts';

function setup() {
  const clock = new StillClock();
  const told: string[] = [];
  const commits = new GroupCommit(clock, {
    transaction: (body) => {
      told.push('begin');
      body();
    },
    finish: () => told.push('finish'),
    committed: () => told.push('committed'),
    rolledBack: () => told.push('rolled back'),
  });
  return { clock, told, commits };
}

describe('a group commit', () => {
  it('takes in all that came before its timer, in order, and answers after it', async () => {
    const { clock, told, commits } = setup();
    const answers = ['a', 'b', 'c'].map((name) =>
      commits.run(() => {
        told.push(name);
        return name;
      }),
    );
    expect(told).toEqual([]);
    expect(clock.timers.map(({ ms }) => ms)).toEqual([0]);
    clock.runTimers();
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
    expect(told).toEqual(['begin', 'a', 'b', 'c', 'finish', 'committed']);
  });

  it('takes so much of submissions, in their order, and all that workers say; the rest comes with the next', async () => {
    const { clock, told, commits } = setup();
    const work = (name: string, weight: number) => void commits.run(() => told.push(name), weight);
    work('large', 1500);
    work('also large', 1500);
    work('small', 400);
    work('a worker', 0);
    clock.runTimers();
    expect(told).toEqual(['begin', 'large', 'small', 'a worker', 'finish', 'committed']);
    clock.runTimers();
    expect(told.slice(6)).toEqual(['begin', 'also large', 'finish', 'committed']);
    expect(clock.timers).toEqual([]);
  });

  it('refuses submissions when too much of them waits, and nothing else', async () => {
    const { clock, commits } = setup();
    for (let n = 0; n < 50; n++) void commits.run(() => undefined, 1000);
    await expect(commits.run(() => 1, 1)).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
    const said = commits.run(() => 2);
    clock.runTimers();
    expect(await said).toBe(2);
    await expect(commits.run(() => 3, 49_000)).rejects.toMatchObject({ code: 'rate_limited' });
    const later = commits.run(() => 4, 1000);
    for (let n = 0; n < 25; n++) clock.runTimers();
    expect(await later).toBe(4);
  });

  it('commits the others when one is refused', async () => {
    const { clock, told, commits } = setup();
    const refused = commits.run(() => {
      throw new TabgridError('conflict', 'no');
    });
    const taken = commits.run(() => 1);
    clock.runTimers();
    await expect(refused).rejects.toMatchObject({ code: 'conflict' });
    expect(await taken).toBe(1);
    expect(told).toEqual(['begin', 'finish', 'committed']);
  });

  it('repeats one by one when a defect breaks it, so that only the defect fails', async () => {
    const { clock, told, commits } = setup();
    const good = commits.run(() => told.push('good'));
    const bad = commits.run(() => {
      throw new Error('defect');
    });
    clock.runTimers();
    await expect(bad).rejects.toThrow('defect');
    await good;
    expect(told).toEqual([
      'begin',
      'good',
      'rolled back',
      'begin',
      'good',
      'finish',
      'committed',
      'begin',
      'rolled back',
    ]);
  });

  it('starts a new one for what comes later', async () => {
    const { clock, told, commits } = setup();
    const first = commits.run(() => 1);
    clock.runTimers();
    const second = commits.run(() => 2);
    clock.runTimers();
    expect(await Promise.all([first, second])).toEqual([1, 2]);
    expect(told.filter((word) => word === 'begin')).toHaveLength(2);
  });
});
