import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabgridError } from '#protocol';
import { assignment, heartbeatMs, online, setup, welcome } from './fakes.ts';

/** The moves in the picture of `docs/protocol.md`. */
function documentedMoves(): Set<string> {
  const text = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const picture = /```mermaid\n([^]*?)```/.exec(text)?.[1] ?? '';
  const moves = [...picture.matchAll(/^ *(\w+) --> (\w+):/gm)];
  return new Set(moves.map(([, from, to]) => `${from} → ${to}`));
}

type World = ReturnType<typeof setup>;

function movesOf({ events }: World): string[] {
  const phases = events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []));
  return ['connecting', ...phases].slice(0, -1).map((from, at) => `${from} → ${phases[at]}`);
}

function greeting(): World {
  const world = setup();
  world.session.start();
  world.transport.last.open();
  return world;
}

/** Every way in which a session can go on. */
const stories: Record<string, () => World> = {
  'refused at once': () => {
    const world = setup();
    world.session.start();
    world.transport.last.drop(new TabgridError('unauthorized', 'no'));
    return world;
  },
  'lost while greeting, then welcomed, then lost': () => {
    const world = greeting();
    world.transport.last.drop();
    world.clock.advance(1000);
    world.transport.last.open();
    world.transport.last.say(welcome());
    world.clock.advance(3 * heartbeatMs);
    return world;
  },
  'drained while it works': () => {
    const world = online();
    world.edge.say({ type: 'tasks', items: [assignment(1)] });
    void world.session.drain('stop');
    world.clock.advance(0);
    world.executor.succeed(assignment(1));
    world.session.leave('now');
    return world;
  },
  'drained while it greets': () => {
    const world = greeting();
    world.transport.last.say(welcome());
    world.transport.last.say({ type: 'tasks', items: [assignment(1)] });
    world.transport.last.drop();
    world.clock.advance(1000);
    world.transport.last.open();
    void world.session.drain('stop', 100);
    world.clock.advance(100);
    return world;
  },
  'drained while it connects': () => {
    const world = online();
    world.edge.say({ type: 'tasks', items: [assignment(1)] });
    world.edge.drop();
    void world.session.drain('stop', 10);
    world.clock.advance(10);
    return world;
  },
  'left while it works': () => {
    const world = online();
    world.session.leave('now');
    return world;
  },
  'left while it greets': () => {
    const world = greeting();
    world.session.leave('now');
    return world;
  },
};

describe('the picture of the session', () => {
  it('shows the moves that a session makes, and no others', () => {
    const made = new Set(Object.values(stories).flatMap((tell) => movesOf(tell())));
    expect([...made].sort()).toEqual([...documentedMoves()].sort());
  });
});
