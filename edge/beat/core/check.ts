import type { Fault, Timetable } from '#protocol';
import { timingOf } from './timing.ts';
import { Zone } from './zone.ts';

/** What a timetable’s schema cannot tell: whether its names exist and whether anything ever comes. Paths begin at the timetable. */
export function timetableFaults(timetable: Timetable, nowMs: number): Fault[] {
  if ('crontab' in timetable && !isZone(timetable.timezone ?? 'UTC')) {
    return [{ path: 'timezone', message: 'expected a time zone of the IANA database, such as Europe/Vienna' }];
  }
  const path = kindOf(timetable);
  try {
    return timingOf(timetable, nowMs).next(nowMs) === null ? [{ path, message: never[path] }] : [];
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return [{ path, message }];
  }
}

function isZone(name: string): boolean {
  try {
    return new Zone(name) instanceof Zone;
  } catch {
    return false;
  }
}

type Kind = 'every' | 'crontab' | 'solar' | 'at';

const never: Record<Kind, string> = {
  every: 'expected seconds',
  crontab: 'expected a time that comes: no date fits these fields',
  solar: 'expected an event that comes at this place within a year',
  at: 'expected a time in the future',
};

function kindOf(timetable: Timetable): Kind {
  if ('every' in timetable) return 'every';
  if ('crontab' in timetable) return 'crontab';
  return 'solar' in timetable ? 'solar' : 'at';
}
