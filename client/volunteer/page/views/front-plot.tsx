import type { Objective, Observation } from '#protocol';
import { count, measured } from '../words.ts';
import { extent, linear } from './scale.ts';

const width = 600;
const height = 240;
const pad = 10;

/** The Pareto front over the first two objectives. */
export function FrontPlot({ objectives, front }: { objectives: readonly Objective[]; front: readonly Observation[] }) {
  const [across, up] = objectives;
  if (across === undefined || up === undefined) return null;
  const points = front
    .flatMap(({ index, values }) => {
      const [a, b] = [values?.[across.name], values?.[up.name]];
      return a === undefined || b === undefined ? [] : [{ index, a, b }];
    })
    .sort((p, q) => p.a - q.a);
  if (points.length === 0) return null;
  const x = linear(...extent(points.map(({ a }) => a)), pad, width - pad);
  const y = linear(...extent(points.map(({ b }) => b)), height - pad, pad);
  return (
    <figure class="plot">
      <p class="plot-axis">
        {up.name} <small>{up.goal === 'max' ? 'more is better' : 'less is better'}</small>
      </p>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${count(points.length, 'design', 'designs')} on the front of ${across.name} and ${up.name}.`}
      >
        <line class="axis" x1="1" x2="1" y1="0" y2={height} />
        <line class="axis" x1="0" x2={width} y1={height - 1} y2={height - 1} />
        <path class="curve" d={points.map(({ a, b }, i) => `${i === 0 ? 'M' : 'L'}${x(a)} ${y(b)}`).join('')} />
        {points.map(({ index, a, b }) => (
          <circle key={index} class="curve-end" cx={x(a)} cy={y(b)} r="5">
            <title>{`${across.name} ${measured(a)}, ${up.name} ${measured(b)}`}</title>
          </circle>
        ))}
      </svg>
      <p class="plot-axis right">
        {across.name} <small>{across.goal === 'max' ? 'more is better' : 'less is better'}</small>
      </p>
    </figure>
  );
}
