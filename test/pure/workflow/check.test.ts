import { describe, expect, it } from 'vitest';
import { limits, TabgridError, type Fault } from '#protocol';
import { checkCanvas, checkSources } from '../../../edge/workflow/core/check.ts';
import { parse } from './world.ts';

const ping = { task: 'ping' };
const front = { task: 'compute_pareto_front', kwargs: { directions: ['max'] } };

function refusal(canvas: unknown): { code: string; faults: string[] } {
  try {
    checkCanvas(parse(canvas));
  } catch (error) {
    if (!(error instanceof TabgridError)) throw error;
    return { code: error.code, faults: (error.details?.faults as Fault[]).map(({ path }) => path) };
  }
  return { code: '', faults: [] };
}

/** A chain within a chain, so many levels deep. */
function deep(levels: number): object {
  return levels === 1 ? ping : { chain: [deep(levels - 1)] };
}

describe('a canvas', () => {
  it('is checked as far as arguments are known: in whole at the beginning, in part behind a result', () => {
    expect(refusal({ chain: [ping, front] }).faults).toEqual([]);
    expect(refusal(front)).toEqual({ code: 'invalid_arguments', faults: ['kwargs.points'] });
    expect(refusal({ chain: [ping, { ...front, immutable: true }] }).faults).toEqual(['chain.1.kwargs.points']);
    expect(refusal({ group: [ping, front] }).faults).toEqual(['group.1.kwargs.points']);
    expect(refusal({ chord: { header: [ping], body: front } }).faults).toEqual([]);
    expect(refusal({ chain: [ping, { group: [front, ping] }] })).toEqual({
      code: 'invalid_arguments',
      faults: ['chain.1.group.1.args'],
    });
  });

  it.each([
    ['an unknown task', { chain: [ping, { task: 'nothing' }] }, 'unknown_task', ['chain.1.task']],
    ['a task that stands for something', { group: [{ task: 'run_campaign' }] }, 'invalid_request', ['group.0.task']],
    ['a task that only workflows submit', { task: 'starmap' }, 'invalid_request', ['task']],
    [
      'an unknown and a wrong argument behind a result',
      { chain: [ping, { ...front, kwargs: { directions: ['up'], colour: 1 } }] },
      'invalid_arguments',
      ['chain.1.kwargs.directions.0', 'chain.1.kwargs.colour'],
    ],
    [
      'an argument that the result takes the place of',
      { chain: [ping, { ...front, kwargs: { points: [[1]], directions: ['max'] } }] },
      'invalid_arguments',
      ['chain.1.kwargs.points'],
    ],
    [
      'what a failure leads to that takes no error',
      { ...ping, link_error: ping },
      'invalid_arguments',
      ['link_error.args'],
    ],
    [
      'a failure of what a failure leads to',
      { ...ping, link_error: { ...ping, immutable: true, link_error: { ...ping, immutable: true } } },
      'invalid_request',
      ['link_error.link_error'],
    ],
    [
      'both eta and countdown',
      { ...ping, eta: '2030-01-01T00:00:00Z', countdown: 1 },
      'invalid_request',
      ['countdown'],
    ],
    [
      'a soft time limit over the hard one',
      { map: { task: 'evaluate_candidates', items: [], soft_time_limit: 9, time_limit: 8 } },
      'invalid_request',
      ['map.soft_time_limit'],
    ],
    [
      'a concurrency limit of nothing',
      { group: [{ ...ping, concurrency_limit: 2 }, { starmap: { task: 'ping', items: [], concurrency_limit: 2 } }] },
      'invalid_request',
      ['group.0.concurrency_limit', 'group.1.starmap.concurrency_limit'],
    ],
    [
      'too many labels in all',
      {
        chain: [{ ...ping, labels: Array.from({ length: 9 }, (_, k) => `a${k}`) }],
        labels: Array.from({ length: 8 }, (_, k) => `b${k}`),
      },
      'invalid_request',
      ['chain.0.labels'],
    ],
    [
      'too many items',
      {
        starmap: {
          task: 'ping',
          items: { grid: { a: Array(1000).fill(1), b: Array(1000).fill(1), c: Array(11).fill(1) } },
        },
      },
      'invalid_request',
      ['starmap.items'],
    ],
    ['an item that is none', { starmap: { task: 'ping', items: [[], 3] } }, 'invalid_arguments', ['starmap.items.1']],
    [
      'arguments that are too large',
      { ...front, kwargs: { ...front.kwargs, points: Array(600_000).fill([1]) } },
      'body_too_large',
      ['kwargs', 'kwargs.points'],
    ],
  ])('with %s is refused by its place', (_, canvas, code, faults) => {
    expect(refusal(canvas)).toEqual({ code, faults });
  });

  it('has at most so many parts and levels', () => {
    const group = Array.from({ length: limits.maxCanvasNodes - 1 }, () => ping);
    expect(refusal({ group }).code).toBe('');
    expect(refusal({ group, link_error: { ...ping, immutable: true } })).toEqual({
      code: 'invalid_request',
      faults: [''],
    });
    expect(refusal(deep(limits.maxCanvasDepth)).code).toBe('');
    expect(refusal(deep(limits.maxCanvasDepth + 1)).code).toBe('invalid_request');
  });

  it('tells which files it reads, and is checked by what they begin with', () => {
    const canvas = parse({ chain: [{ starmap: { task: 'ping', items: { file: '/a.csv' } } }] });
    expect([...checkCanvas(canvas)]).toEqual([['/a.csv', 'chain.0.starmap.items.file']]);
    const file = { path: '/b.csv', sha256: '', count: 5 };
    expect(() => checkSources(canvas, { '/a.csv': { ...file, first: {} } })).not.toThrow();
    expect(() => checkSources(canvas, { '/a.csv': { ...file, first: { a: 1 } } })).toThrow('chain.0.starmap.items');
    expect(() => checkSources(canvas, { '/a.csv': { ...file, count: 10_000_001 } })).toThrow('at most 10000000');
  });
});
