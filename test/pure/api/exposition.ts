export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly series: Series[];
}

const namePattern = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const samplePattern = new RegExp(`^(${namePattern})(?:\\{(.*)\\})? (\\S+)$`);
const labelPattern = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/;

/**
 * Reads the text format of Prometheus, version 0.0.4, and takes nothing that is not in it: each family has HELP and TYPE before its
 * samples and stands together, no series comes twice, counters are not negative, buckets of a histogram grow up to its count.
 * @throws Error that names the line.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const help = new RegExp(`^# HELP (${namePattern}) ((?:[^\\\\]|\\\\[\\\\n])+)$`).exec(line);
    const type = new RegExp(`^# TYPE (${namePattern}) (counter|gauge|histogram)$`).exec(line);
    if (help !== null) {
      [, current = ''] = help;
      if (families.has(current)) throw new Error(`a family stands twice: ${line}`);
      families.set(current, { type: '', help: help[2]!, series: [] });
    } else if (type !== null) {
      const family = families.get(type[1]!);
      if (type[1] !== current || family?.type !== '') throw new Error(`TYPE without its HELP: ${line}`);
      families.set(current, { ...family, type: type[2]! });
    } else {
      const series = parseSample(line);
      const family = families.get(current);
      const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      if (!suffixes.some((suffix) => series.name === current + suffix)) throw new Error(`not of ${current}: ${line}`);
      const key = `${series.name} ${JSON.stringify(Object.entries(series.labels).sort())}`;
      if (seen.has(key)) throw new Error(`a series stands twice: ${line}`);
      seen.add(key);
      if (family?.type !== 'gauge' && series.value < 0) throw new Error(`a counter below 0: ${line}`);
      family?.series.push(series);
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkHistogram(name, family.series);
  return families;
}

function parseSample(line: string): Series {
  const [, name, inside = '', value] = samplePattern.exec(line) ?? [];
  if (name === undefined || !/^([+-]?(\d+(\.\d+)?(e[+-]?\d+)?|Inf)|NaN)$/.test(value ?? '')) {
    throw new Error(`no sample: ${line}`);
  }
  const labels: Record<string, string> = {};
  for (let rest = inside; rest !== '';) {
    const [whole, label, text] = labelPattern.exec(rest) ?? [];
    if (whole === undefined || label === undefined || text === undefined || label in labels) {
      throw new Error(`no label at ${rest}: ${line}`);
    }
    labels[label] = text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(whole.length);
  }
  return { name, labels, value: Number(value!.replace('Inf', 'Infinity')) };
}

function checkHistogram(name: string, series: readonly Series[]): void {
  const groups = new Map<string, Series[]>();
  for (const one of series) {
    const key = JSON.stringify({ ...one.labels, le: '' });
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  for (const group of groups.values()) {
    const buckets = group.filter((one) => one.name === `${name}_bucket`);
    const counts = group.filter((one) => one.name === `${name}_count`);
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('Inf', 'Infinity')));
    const grows = (numbers: readonly number[], strictly: boolean): boolean =>
      numbers.every(
        (value, index) => index === 0 || (strictly ? value > numbers[index - 1]! : value >= numbers[index - 1]!),
      );
    const isWhole =
      grows(bounds, true) &&
      bounds.at(-1) === Infinity &&
      grows(
        buckets.map(({ value }) => value),
        false,
      ) &&
      counts.length === 1 &&
      counts[0]?.value === buckets.at(-1)?.value &&
      group.length === buckets.length + 2;
    if (!isWhole) throw new Error(`${name} is no histogram: ${JSON.stringify(group)}`);
  }
}
