import { paretoSummary } from '#kernels/pareto';
import { Rng } from '#kernels/rng';
import { median, type BenchLine } from '../lib/line.ts';
import { cpuSeconds } from './clock.ts';
import type { Kernels } from './kernels.ts';

const sizes = [
  { objectives: 2, points: 5000 },
  { objectives: 3, points: 5000 },
  { objectives: 4, points: 500 },
  { objectives: 5, points: 200 },
];

/** Points of the positive part of the unit sphere: none dominates another. */
function sphere(objectives: number, points: number): number[][] {
  const rng = new Rng(1);
  return Array.from({ length: points }, () => {
    const direction = Array.from({ length: objectives }, () => Math.abs(rng.normal()));
    const length = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
    return direction.map((x) => x / length);
  });
}

/** Ranks, crowding, hypervolume and all contributions of a front; no peer. */
export async function* fronts({ quick, wants }: Kernels): AsyncGenerator<BenchLine> {
  for (const { objectives, points } of sizes) {
    const name = `pareto-${objectives}d`;
    if (!wants(name)) continue;
    const front = sphere(objectives, quick ? 100 : points);
    const corner = front[0]?.map(() => 1.1);
    const times = Array.from({ length: quick ? 1 : 5 }, () => {
      const begin = cpuSeconds();
      paretoSummary(front, undefined, corner);
      return cpuSeconds() - begin;
    });
    yield {
      bench: 'kernels',
      case: name,
      unit: 'processor s per front',
      ours: median(times),
      peers: {},
      ratio: null,
      points: front.length,
    };
  }
}
