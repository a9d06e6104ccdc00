/** The text format of Prometheus, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Readonly<Record<string, string>>;
  /** How many in each bucket alone, the last one without bound. */
  readonly buckets: readonly number[];
  readonly sum: number;
}

export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** `suffix` follows the name. */
  readonly samples: readonly (Sample & { suffix: string })[];
}

export function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'counter', help, samples: plain(samples) };
}

export function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'gauge', help, samples: plain(samples) };
}

/** @param bounds upper ones, growing; each sample has one bucket more. */
export function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  histograms: readonly HistogramSample[],
): Metric {
  const samples = histograms.flatMap(({ labels, buckets, sum }) => {
    let count = 0;
    const cumulative = buckets.map((inBucket, index) => {
      count += inBucket;
      return { suffix: '_bucket', labels: { ...labels, le: String(bounds[index] ?? '+Inf') }, value: count };
    });
    return [...cumulative, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count }];
  });
  return { name, type: 'histogram', help, samples };
}

export function exposition(metrics: readonly Metric[]): string {
  return metrics.map(writeMetric).join('');
}

function plain(samples: readonly Sample[]): Metric['samples'] {
  return samples.map((sample) => ({ ...sample, suffix: '' }));
}

function writeMetric({ name, type, help, samples }: Metric): string {
  const lines = samples.map(({ suffix, labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}${suffix}{${pairs.join(',')}} ${value}\n`;
  });
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
