import type { WorkStatus } from '../../work-status.ts';
import { count, duration, kindOf, taskInWords } from '../words.ts';

/** The picture covers the time since the tab began, within these bounds, in ms. */
const shortestMs = 30_000;
const longestMs = 180_000;

const width = 600;
const rowHeight = 10;
const gap = 4;

interface Bar {
  key: string;
  core: number;
  task: string;
  fromMs: number;
  toMs: number;
  running: boolean;
}

/** One line for each core, one bar for each task of the last minutes. */
export function Timeline({ work, nowMs }: { work: WorkStatus; nowMs: number }) {
  const bars = barsOf(work, nowMs).filter((bar) => bar.toMs > nowMs - longestMs);
  if (bars.length === 0) return null;
  const rows = Math.max(...bars.map((bar) => bar.core)) + 1;
  const tasks = [...new Set(bars.map((bar) => bar.task))].sort((a, b) => kindOf(a) - kindOf(b));
  const spanMs = Math.min(longestMs, Math.max(shortestMs, nowMs - Math.min(...bars.map((bar) => bar.fromMs))));
  const x = (ms: number) => Math.min(width, (width * Math.max(0, ms - nowMs + spanMs)) / spanMs);
  const height = rows * (rowHeight + gap) - gap;
  return (
    <section class="panel" aria-labelledby="timeline-title">
      <h2 id="timeline-title">
        What this tab did <small>in the last {duration(spanMs)}</small>
      </h2>
      <svg
        class="timeline"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        height={height * 1.4}
        role="img"
        aria-label={`${count(bars.length, 'task', 'tasks')} on ${count(rows, 'core', 'cores')}.`}
      >
        {Array.from({ length: rows }, (_, row) => (
          <rect key={row} class="lane" x={0} y={row * (rowHeight + gap)} width={width} height={rowHeight} />
        ))}
        {bars.map((bar) => (
          <rect
            key={bar.key}
            class={`bar kind-${kindOf(bar.task)}${bar.running ? ' running' : ''}`}
            x={x(bar.fromMs)}
            y={bar.core * (rowHeight + gap)}
            width={Math.max(0.8, x(bar.toMs) - x(bar.fromMs) - 0.4)}
            height={rowHeight}
          />
        ))}
      </svg>
      <ul class="legend">
        {tasks.map((task) => (
          <li key={task}>
            <span class={`swatch kind-${kindOf(task)}`} aria-hidden="true" />
            {taskInWords(task)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function barsOf(work: WorkStatus, nowMs: number): Bar[] {
  const ended = work.recent.map((task) => ({
    key: `${task.taskId}/${task.endedAtMs}`,
    core: task.core,
    task: task.task,
    fromMs: task.startedAtMs,
    toMs: task.endedAtMs,
    running: false,
  }));
  const running = work.cores.flatMap((task, core) =>
    task === null
      ? []
      : [
          {
            key: `${task.taskId}/${task.attempt}`,
            core,
            task: task.task,
            fromMs: task.startedAtMs,
            toMs: nowMs,
            running: true,
          },
        ],
  );
  return [...ended, ...running];
}
