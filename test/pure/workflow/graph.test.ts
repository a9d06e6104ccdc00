import { describe, expect, it } from 'vitest';
import { graphOf } from '../../../edge/workflow/core/graph.ts';
import { Course } from './world.ts';

function lines(course: Course): string[] {
  return graphOf(course.state)
    .split('\n')
    .map((line) => line.trim());
}

describe('the drawing of a workflow', () => {
  it('has a node for each step with its state, one for an array with its counts, and arrows for what is waited for', () => {
    const course = new Course({
      chain: [{ group: [{ task: 'ping' }, { starmap: { task: 'ping', items: [[], [], []] } }] }, { task: 'ping' }],
    });
    course.finish(course.waiting.find(({ call }) => call.kind === 'range')!);
    expect(lines(course)).toEqual([
      'digraph "w-01hzzzzzzzzzzzzzzzzzzzzzzz" {',
      'rankdir=LR;',
      'node [shape=box, style=filled];',
      'n2 [label="ping\\nSTARTED", fillcolor="lightblue"];',
      'n3 [label="ping × 3\\n1 done, 2 running", fillcolor="lightblue"];',
      'j1 [label="", shape="point"];',
      'n2 -> j1;',
      'n3 -> j1;',
      'n4 [label="ping\\nPENDING", fillcolor="white"];',
      'j1 -> n4;',
      '}',
      '',
    ]);
  });

  it('shows what failed, what that led to and what never ran; names are escaped', () => {
    const course = new Course(
      {
        chain: [{ task: 'say "hi"\\', link_error: { task: 'ping', immutable: true } }, { task: 'ping' }],
      },
      (place) => (place === 'chain.0' ? { failure: 'no' } : { value: 1, bytes: 1 }),
    ).run();
    const drawn = lines(course);
    expect(drawn).toContain('n1 [label="say \\"hi\\"\\\\\\nFAILURE", fillcolor="salmon"];');
    expect(drawn).toContain('e1 [label="ping\\nSUCCESS", fillcolor="palegreen", style="filled,dashed"];');
    expect(drawn).toContain('n1 -> e1 [style=dashed];');
    expect(drawn).toContain('n2 [label="ping\\nnot run", fillcolor="white"];');
  });
});
