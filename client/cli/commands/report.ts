import { cpus, totalmem } from 'node:os';
import type { Command } from 'commander';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { createOutput } from '../lib/output.ts';
import { readDigest } from '../lib/kernels.ts';
import { explain } from '../lib/run.ts';
import { version } from '../lib/version.ts';

interface GridReport {
  reachable: boolean;
  reason?: string;
  workers?: number;
  queues?: Record<string, number>;
}

export function addReport(program: Command): void {
  withConnection(program.command('report'))
    .summary('describe this installation for a bug report')
    .description('Prints versions, the machine and the grid’s state. It holds no token and no data.')
    .action(async (flags: ConnectionOptions) => {
      const [processor] = cpus();
      const report = {
        tabgrid: version,
        kernels: await readDigest(),
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        processor: processor === undefined ? 'unknown' : `${cpus().length} × ${processor.model.trim()}`,
        memory_gb: Math.round(totalmem() / 1e9),
        url: flags.url,
        grid: await gridReport(flags),
      };
      createOutput(flags.json).result(report, () =>
        Object.entries(report)
          .map(([name, value]) => `${name.padEnd(10)}  ${typeof value === 'object' ? describeGrid(value) : value}`)
          .join('\n'),
      );
    });
}

function describeGrid({ reachable, reason, workers, queues }: GridReport): string {
  if (!reachable) return reason ?? 'not reachable';
  const waiting = Object.entries(queues ?? {}).map(([queue, count]) => `${count} waiting in ${queue}`);
  return [`${workers ?? 0} workers online`, ...waiting].join(', ');
}

async function gridReport(flags: ConnectionOptions): Promise<GridReport> {
  try {
    const grid = await connect(flags);
    const [workers, queues] = await Promise.all([grid.workers(), grid.queues()]);
    return {
      reachable: true,
      workers: workers.filter((worker) => worker.state === 'online').length,
      queues: Object.fromEntries(queues.map((queue) => [queue.queue, queue.waiting])),
    };
  } catch (error) {
    return { reachable: false, reason: explain(error) };
  }
}
