/** How many of the violations of one kind are told in words. */
const maxTold = 10;

/** What was done, and how often each thing that must hold did not, with the first of each in words. */
export function table(done: Readonly<Record<string, number>>, found: Readonly<Record<string, string[]>>): string {
  const rows = [
    ...Object.entries(done).map(([what, count]): [string, number] => [what.replaceAll('_', ' '), count]),
    ...Object.entries(found).map(([what, faults]): [string, number] => [`violated: ${what}`, faults.length]),
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, count]) => `${what.padEnd(width)} ${String(count).padStart(7)}`);
  const told = Object.values(found).flatMap((faults) => faults.slice(0, maxTold));
  return [...lines, ...told].join('\n');
}
