import type { CampaignIteration, Objective } from '#protocol';
import { count, measured } from '../words.ts';
import { extent, linear } from './scale.ts';

const width = 600;
const height = 180;
const pad = { left: 4, right: 8, top: 8, bottom: 4 };

/** The best value found so far, over the number of experiments: a staircase that only goes one way. */
export function BestCurve(props: { objective: Objective; history: readonly CampaignIteration[]; budget: number }) {
  const { objective, history, budget } = props;
  const points = history.flatMap(({ evaluated, best }) => {
    const value = best?.values[objective.name];
    return value === undefined ? [] : [{ evaluated, value }];
  });
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return null;
  const [low, high] = extent(points.map(({ value }) => value));
  const x = linear(0, budget, pad.left, width - pad.right);
  const y = linear(low, high, height - pad.bottom, pad.top);
  const stairs = points
    .map(({ evaluated, value }, i) => (i === 0 ? `M${x(evaluated)} ${y(value)}` : `H${x(evaluated)}V${y(value)}`))
    .join('');
  return (
    <figure class="plot">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Best ${objective.name} went from ${measured(first.value)} to ${measured(last.value)} over ${count(last.evaluated, 'experiment', 'experiments')}.`}
      >
        <line class="axis" x1={pad.left} x2={width - pad.right} y1={height - 1} y2={height - 1} />
        <path class="curve-area" d={`${stairs}V${height - 1}H${x(first.evaluated)}Z`} />
        <path class="curve" d={stairs} />
        <circle class="curve-end" cx={x(last.evaluated)} cy={y(last.value)} r="5" />
      </svg>
      <figcaption>
        <span>began with {measured(first.value)}</span>
        <span>experiment {budget.toLocaleString('en')}</span>
      </figcaption>
    </figure>
  );
}
