import { median, ratioOf, type BenchLine, type Better } from './line.ts';
import type { Answer, Field } from './peer.ts';

/** One figure, ours and the peers’, by turns. */
export interface Contest {
  readonly bench: string;
  readonly case: string;
  readonly unit: string;
  readonly better: Better;
  /** Rounds; in each everyone has one turn. Odd, so that a median is one of them. */
  readonly rounds: number;
  ours(): number | Promise<number>;
  /** The same work for a peer, as the scripts in bench/peers take it. */
  readonly request: object;
  /** Which number of a peer’s answer counts. */
  read(answer: Answer): number;
}

/**
 * Everyone by turns, so that a machine that grows slower grows slower for all; medians over the rounds. One round before them warms compilers
 * and caches up and does not count, unless `rounds` is 1.
 */
export async function compete(contest: Contest, field: Field): Promise<BenchLine> {
  const { bench, unit, better, rounds } = contest;
  const ours: number[] = [];
  const theirs = new Map(field.peers.map((peer) => [peer.name, [] as number[]]));
  for (let round = rounds > 1 ? -1 : 0; round < rounds; round++) {
    const value = await contest.ours();
    if (round >= 0) ours.push(value);
    for (const peer of field.peers) {
      const answer = contest.read(await peer.ask(contest.request));
      if (round >= 0) theirs.get(peer.name)?.push(answer);
    }
  }
  const peers = Object.fromEntries([...theirs].map(([name, values]) => [name, median(values)]));
  const own = median(ours);
  return {
    bench,
    case: contest.case,
    unit,
    ours: own,
    peers,
    ratio: ratioOf(own, peers, better),
    ...(field.missing.length === 0 ? {} : { missing: field.missing }),
  };
}
