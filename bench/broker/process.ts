import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';

/** Processor time of a process, user and system. Linux counts it in hundredths of a second (proc(5), USER_HZ); null elsewhere. */
export async function cpuMs(pid: number): Promise<number | null> {
  if (platform() !== 'linux') return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Memory that a process has in RAM. */
export function residentMegabytes(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}
