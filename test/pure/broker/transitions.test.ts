import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { finalStates, isFinal, taskStates } from '#protocol';
import { mustMove, taskEvents, transition, transitions } from '../../../edge/broker/transitions.ts';

/** Every state and event, and where it leads; `-` is a refusal. Written out, so that a change of the table is a change here. */
const expected = `
  event         PENDING   RECEIVED  STARTED   RETRY     SUCCESS  FAILURE  REVOKED
  claim         RECEIVED  -         -         RECEIVED  -        -        -
  start         -         STARTED   STARTED   -         -        -        -
  resume        STARTED   -         -         STARTED   -        -        -
  succeed       SUCCESS   SUCCESS   SUCCESS   SUCCESS   -        -        -
  fail          RETRY     RETRY     RETRY     RETRY     -        -        -
  fail_finally  FAILURE   FAILURE   FAILURE   FAILURE   -        -        -
  release       -         PENDING   PENDING   -         -        -        -
  lose          -         RETRY     RETRY     -         -        -        -
  lose_finally  -         FAILURE   FAILURE   -         -        -        -
  expire        REVOKED   -         -         -         -        -        -
  revoke        REVOKED   REVOKED   STARTED   REVOKED   -        -        -
  terminate     REVOKED   REVOKED   REVOKED   REVOKED   -        -        -
`;

describe('the table of transitions', () => {
  const [head = [], ...rows] = expected
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));

  it('is as it is written here, for each state and event', () => {
    expect(head.slice(1).sort()).toEqual([...taskStates].sort());
    expect(rows.map(([event]) => event).sort()).toEqual([...taskEvents].sort());
    for (const [event, ...targets] of rows) {
      targets.forEach((target, index) => {
        const state = head[index + 1] as (typeof taskStates)[number];
        const next = transition(state, event as (typeof taskEvents)[number]);
        const shown = typeof next === 'string' ? next : '-';
        expect(`${state} ${event} ${shown}`).toBe(`${state} ${event} ${target}`);
      });
    }
  });

  it('never leaves a final state', () => {
    for (const state of finalStates) {
      for (const event of taskEvents) {
        expect(transition(state, event)).toEqual({ refused: 'final', state, event });
        expect(() => mustMove(state, event)).toThrow(`${state} cannot ${event}`);
      }
    }
  });

  it('can bring every state to an end', () => {
    for (const state of taskStates.filter((one) => !isFinal(one))) {
      expect(Object.values(transitions[state]).some((next) => isFinal(next))).toBe(true);
    }
  });

  it('is what the diagram in docs/task-lifecycle.md shows', () => {
    const page = readFileSync(new URL('../../../docs/task-lifecycle.md', import.meta.url), 'utf8');
    const diagram = /```mermaid\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const drawn = [...diagram.matchAll(/^\s*([A-Z]+) --> ([A-Z]+): ([a-z_, ]+)$/gm)].flatMap(([, from, to, events]) =>
      (events ?? '').split(', ').map((event) => `${from} ${event} ${to}`),
    );
    const table = Object.entries(transitions).flatMap(([from, moves]) =>
      Object.entries(moves).map(([event, to]) => `${from} ${event} ${to}`),
    );
    expect(drawn.sort()).toEqual(table.sort());
    for (const state of finalStates) expect(diagram).toContain(`${state} --> [*]`);
  });
});
