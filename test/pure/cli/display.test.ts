import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../client/cli/lib/duration.ts';
import { listValues, short, table } from '../../../client/cli/lib/output.ts';
import { bar, ProgressDisplay } from '../../../client/cli/lib/progress-display.ts';

function setup(isTTY: boolean): { display: ProgressDisplay; written: () => string } {
  let text = '';
  const display = new ProgressDisplay({ isTTY, columns: 60, write: (part) => (text += part) });
  return { display, written: () => text };
}

describe('progress in a log', () => {
  it('is a line for each tenth, not for each step', () => {
    const { display, written } = setup(false);
    for (const fraction of [0, 0.04, 0.09, 0.11, 0.12, 0.35, 1])
      display.update('a', { label: 'pool', fraction, detail: 'x' });
    expect(written()).toBe('pool: 0 %, x\npool: 11 %, x\npool: 35 %, x\npool: 100 %, x\n');
  });
});

describe('progress on a terminal', () => {
  it('redraws its rows in their place', () => {
    const { display, written } = setup(true);
    display.update('a', { label: 'pool', fraction: 0.5, detail: 'half' });
    display.update('b', { label: 'box', fraction: 0, detail: 'begun' });
    display.update('a', { label: 'pool', fraction: 1, detail: 'done' });
    const screen = replay(written());
    expect(screen).toEqual(['  pool  ████████████ 100 %  done', '  box   ░░░░░░░░░░░░   0 %  begun']);
  });

  it('keeps notes above the rows', () => {
    const { display, written } = setup(true);
    display.update('a', { label: 'pool', fraction: 0, detail: '' });
    display.note('something happened');
    expect(replay(written())[0]).toBe('something happened');
    expect(replay(written())).toHaveLength(2);
  });

  it('cuts what would wrap', () => {
    const { display, written } = setup(true);
    display.update('a', { label: 'pool', fraction: 0, detail: 'x'.repeat(200) });
    expect(replay(written())[0]).toHaveLength(59);
  });
});

/** What a terminal shows after this text: it knows "up" and "clear the line". */
function replay(text: string): string[] {
  const lines: string[] = [];
  let row = 0;
  // eslint-disable-next-line no-control-regex -- escape sequences are what is read
  for (const [, up, clear, rest] of text.matchAll(/\u001b\[(\d+)A|(\u001b\[2K)|([^\u001b]+)/g)) {
    if (up !== undefined) row -= Number(up);
    else if (clear !== undefined) lines[row] = '';
    else {
      for (const [index, part] of (rest ?? '').split('\n').entries()) {
        if (index > 0) row++;
        if (part !== '') lines[row] = part;
      }
    }
  }
  return lines;
}

describe('a bar', () => {
  it.each([
    [0, '░░░░'],
    [0.5, '██░░'],
    [0.53, '██▏░'],
    [1, '████'],
    [7, '████'],
  ])('shows %d', (fraction, shown) => expect(bar(fraction, 4)).toBe(shown));
});

describe('a table', () => {
  it('sets numbers to the right and is no wider than it must', () => {
    expect(
      table(
        [
          { name: 'a', count: 5 },
          { name: 'long name', count: 12 },
        ],
        { name: ({ name }) => name, n: ({ count }) => count },
      ),
    ).toBe('name       n\na           5\nlong name  12');
  });
});

describe('numbers for people', () => {
  it('have four digits', () =>
    expect([short(12.34567), short(5), short(0.000123456)]).toEqual(['12.35', '5', '0.0001235']));
  it('stand beside their names', () => expect(listValues({ n: 9, r: 2.35001 })).toBe('n 9 · r 2.35'));
});

describe('durations', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['1.5m', 90],
    ['12h', 43_200],
    ['30d', 2_592_000],
  ])('reads %s', (text, seconds) => expect(parseDuration('--x', text)).toBe(seconds));
  it.each(['', '0', '5w', '-1s', '1 day'])('refuses %j', (text) =>
    expect(() => parseDuration('--x', text)).toThrow(/^--x: expected a duration/),
  );
});
