/** One line of a benchmark’s output. */
export interface BenchLine {
  readonly bench: string;
  readonly case: string;
  readonly unit: string;
  readonly ours: number;
  /** By name and version of the peer. */
  readonly peers: Readonly<Record<string, number>>;
  /** Against the best peer of the same run, above 1 when we are ahead; null when there was none. */
  readonly ratio: number | null;
  /** Peers that could not be asked, each with the reason. */
  readonly missing?: readonly string[];
  readonly [detail: string]: unknown;
}

export interface BenchOptions {
  /** Fewer repetitions and smaller cases: shows that everything runs, and the order of magnitude. */
  readonly quick: boolean;
  /** Only cases whose name begins so. */
  readonly only?: string | undefined;
  /** Of what happens by chance; a whole number. */
  readonly seed?: number | undefined;
}

export type Better = 'less' | 'more';

/** How far ours is ahead of the best of `peers`, as a factor. */
export function ratioOf(ours: number, peers: Readonly<Record<string, number>>, better: Better): number | null {
  const values = Object.values(peers);
  if (values.length === 0) return null;
  return better === 'less' ? Math.min(...values) / ours : ours / Math.max(...values);
}

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
