import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function bench(...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/run.mjs', ...args], { cwd: root });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the benchmark of the kernels', () => {
  it('times us beside each peer, or says why a peer is missing', async () => {
    const lines = await bench('kernels', '--quick', '--only', 'mlp-small');
    expect(lines.map((line) => line.case)).toEqual(['mlp-small', 'mlp-small-tfjs']);
    const expected = [/^scikit-learn|^torch/, /^tfjs/];
    lines.forEach(({ ours, peers, missing = [], ratio }, i) => {
      expect(ours).toBeGreaterThan(0);
      const times = Object.values(peers as Record<string, number>);
      for (const name of [...Object.keys(peers as object), ...(missing as string[])])
        expect(name).toMatch(expected[i]!);
      expect(times.length + (missing as string[]).length).toBe(i === 0 ? 2 : 1);
      expect(ratio).toBe(times.length === 0 ? null : Math.min(...times) / (ours as number));
    });
  });

  it('runs a single case where one is asked for', async () => {
    const [line, ...others] = await bench('kernels', '--quick', '--only', 'gemm-128');
    expect(others).toEqual([]);
    expect(line).toMatchObject({ bench: 'kernels', case: 'gemm-128', unit: 'GFLOP/s' });
    expect(line?.ratio).toBeGreaterThan(0);
  });

  it('times Gaussian processes beside scikit-learn’s, with the quality of both', async () => {
    const [line] = await bench('kernels', '--quick', '--only', 'gp-100');
    expect(line).toMatchObject({ bench: 'kernels', case: 'gp-100', unit: 'processor s per fit' });
    const { peers, missing = [] } = line as { peers: object; missing?: string[] };
    expect([...Object.keys(peers), ...missing]).toEqual([expect.stringMatching(/^scikit-learn/)]);
    for (const figure of ['r2', ...(missing.length === 0 ? ['peer_r2'] : [])]) {
      expect(line?.[figure], figure).toBeGreaterThan(0.5);
    }
  });

  it('times fronts, which have no peer', async () => {
    const [line] = await bench('kernels', '--quick', '--only', 'pareto-3d');
    expect(line).toMatchObject({ case: 'pareto-3d', unit: 'processor s per front', peers: {}, ratio: null });
    expect(line?.ours).toBeGreaterThan(0);
  });

  it('answers rubbish with how it is used', async () => {
    await expect(bench('kernels', '--fast')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('usage'),
    });
  });
});

describe('the benchmark of the broker', () => {
  it('submits in bulk beside Celery with and without a log on disk, or says why it is missing', async () => {
    const [line, ...others] = await bench('broker', '--quick', '--only', 'bulk-vs-celery');
    expect(others).toEqual([]);
    expect(line).toMatchObject({ bench: 'broker', case: 'bulk-vs-celery', unit: 'tasks/s', batch: 1000 });
    expect(line?.workers).toMatch(/^tabgrid worker --pool threads /);
    const {
      ours,
      peers,
      missing = [],
      ratio,
    } = line as {
      ours: number;
      peers: Record<string, number>;
      missing?: string[];
      ratio: number | null;
    };
    expect(ours).toBeGreaterThan(0);
    expect(line?.solo).toMatchObject({ workers: expect.stringMatching(/^tabgrid worker --pool solo /) });
    expect((line?.solo as { ours: number }).ours).toBeGreaterThan(0);
    const rates = Object.values(peers);
    expect(rates.length + missing.length).toBe(2);
    expect(ratio).toBe(rates.length === 0 ? null : ours / Math.max(...rates));
    for (const name of Object.keys(peers)) expect(name).toMatch(/^Celery [\d.]+ \(prefork \d+, Redis [\d.]+, /);
    for (const reason of missing) expect(reason).toMatch(/^celery: ./);
  });

  it('counts every row that a task costs from its submission to its deletion', async () => {
    const [line, ...others] = await bench('broker', '--quick', '--only', 'rows-per-task-100');
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      bench: 'broker',
      case: 'rows-per-task-100',
      unit: 'rows written per task',
      peers: {},
    });
    const { ours, made_of: parts } = line as { ours: number; made_of: Record<string, number> };
    expect(parts).toMatchObject({
      'Broker: INSERT tasks': 1,
      'Broker: UPDATE tasks': 1,
      'Broker: DELETE tasks': 1,
    });
    expect(parts['Broker: INSERT events']).toBeGreaterThan(0);
    expect(ours).toBeCloseTo(
      Object.values(parts).reduce((sum, share) => sum + share),
      9,
    );
  });
});
