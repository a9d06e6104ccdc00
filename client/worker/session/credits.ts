import type { LinkId } from './messages.ts';

interface Share {
  /** Tasks that the edge may send and has not sent. What is being taken back counts until the edge has confirmed it. */
  granted: number;
  /** Tasks wait there that this worker has no credit for. */
  isHungry: boolean;
  /** A withdrawal is on its way. */
  isWithdrawing: boolean;
  /** The edge has been asked to say when tasks wait. */
  isWatched: boolean;
  /** When it was last given credits, counted in turns. */
  turn: number;
}

/** What to say to one link. */
export interface CreditMove {
  readonly link: LinkId;
  readonly add: number;
  /** Null for no withdrawal; 0 takes nothing back, and asks to be told when tasks wait. */
  readonly withdraw: number | null;
}

/**
 * Divides the room of one worker among the shards of its edges. At no time do all of them together have more credits than there is room.
 * Room goes first to where tasks are known to wait; what others have and do not use is taken back for them.
 */
export class Credits {
  readonly #shares = new Map<LinkId, Share>();
  #turn = 0;

  /** Of all links together. */
  get granted(): number {
    let sum = 0;
    for (const { granted } of this.#shares.values()) sum += granted;
    return sum;
  }

  grantedTo(link: LinkId): number {
    return this.#shares.get(link)?.granted ?? 0;
  }

  /** A connection begins: what an earlier one was granted is void. */
  begin(link: LinkId, granted: number): void {
    this.#shares.set(link, { granted, isHungry: false, isWithdrawing: false, isWatched: false, turn: this.#turn++ });
  }

  end(link: LinkId): void {
    this.#shares.delete(link);
  }

  /** A task arrived. */
  used(link: LinkId): void {
    const share = this.#shares.get(link);
    if (share) share.granted = Math.max(0, share.granted - 1);
  }

  /** The edge says that tasks wait. It may have crossed with credits: then it says it again, if they were not enough. */
  waiting(link: LinkId): void {
    const share = this.#shares.get(link);
    if (share) share.isHungry = share.granted === 0;
  }

  /** The edge has confirmed a withdrawal: so many it had left. */
  withdrawn(link: LinkId, count: number): void {
    const share = this.#shares.get(link);
    if (!share) return;
    share.isWithdrawing = false;
    share.granted = Math.max(0, share.granted - count);
  }

  /** Whether `move` would find something to do. */
  needsMove(room: Room): boolean {
    return this.#plan(room).length > 0;
  }

  /** Decides, and counts it as done. */
  move(room: Room): CreditMove[] {
    const moves = this.#plan(room);
    for (const { link, add, withdraw } of moves) {
      const share = this.#shares.get(link);
      if (!share) continue;
      share.granted += add;
      if (add > 0) Object.assign(share, { isHungry: false, turn: this.#turn++ });
      if (withdraw !== null) {
        share.isWatched = true;
        share.isWithdrawing = true;
      }
    }
    return moves;
  }

  #plan(room: Room): CreditMove[] {
    return room.isShared ? this.#division(room) : this.#all(room);
  }

  /** Where credits never have to move, everything goes to the only link. */
  #all({ links: [link], free, roomOf }: Room): CreditMove[] {
    const share = link === undefined ? undefined : this.#shares.get(link);
    if (link === undefined || share === undefined) return [];
    const add = Math.min(free - this.granted, roomOf(link));
    return add > 0 ? [{ link, add, withdraw: null }] : [];
  }

  #division({ links, free, roomOf, heldOf }: Room): CreditMove[] {
    const known = links.flatMap((link) => {
      const share = this.#shares.get(link);
      return share ? [{ link, share, granted: share.granted }] : [];
    });
    const adds = new Map<LinkId, number>();
    const added = (link: LinkId): number => adds.get(link) ?? 0;
    const hungry = known.filter(({ share }) => share.isHungry);
    let left = Math.max(0, free - this.granted);
    const [only] = known;
    if (known.length === 1 && only) {
      const add = Math.max(0, Math.min(left, roomOf(only.link)));
      if (add > 0) adds.set(only.link, add);
      left = 0;
    }
    for (; left > 0; left--) {
      const able = (some: typeof known) => some.filter(({ link }) => added(link) < roomOf(link));
      const needy = able(hungry).length > 0 ? able(hungry) : able(known);
      const share = ({ link, granted }: Known[number]) => granted + added(link) + heldOf(link);
      const [poorest] = needy.sort((a, b) => share(a) - share(b) || a.share.turn - b.share.turn);
      if (poorest === undefined) break;
      adds.set(poorest.link, added(poorest.link) + 1);
    }
    const withdrawals = withdrawalsFor(known, hungry, added, heldOf);
    return known.flatMap(({ link, share }): CreditMove[] => {
      const asked = share.isWithdrawing ? undefined : withdrawals.get(link);
      const withdraw = asked ?? (share.isWatched ? null : 0);
      const add = added(link);
      return add === 0 && withdraw === null ? [] : [{ link, add, withdraw }];
    });
  }
}

/** What there is to divide. */
export interface Room {
  /** Those that are connected. */
  readonly links: readonly LinkId[];
  /** Tasks that can be taken beyond those that are held, granted ones included. */
  readonly free: number;
  /** How many more credits one link may have. */
  readonly roomOf: (link: LinkId) => number;
  /** How many of its tasks are held. */
  readonly heldOf: (link: LinkId) => number;
  /** Whether there is more than one link, so that credits may have to move. */
  readonly isShared: boolean;
}

type Known = { link: LinkId; share: Share; granted: number }[];

/** From whom to take back: everything idle for those where tasks wait; one for a link that has nothing at all. */
function withdrawalsFor(
  known: Known,
  hungry: Known,
  added: (link: LinkId) => number,
  heldOf: (link: LinkId) => number,
): Map<LinkId, number> {
  const isUnfed = ({ link }: Known[number]) => added(link) === 0;
  const others = known.filter(({ share, granted }) => !share.isHungry && granted > 0);
  if (hungry.some(isUnfed)) return new Map(others.map(({ link, granted }) => [link, granted]));
  const isPoor = known.some((one) => one.granted === 0 && isUnfed(one) && heldOf(one.link) === 0);
  const [richest] = others.filter(({ granted }) => granted > 1).sort((a, b) => b.granted - a.granted);
  const isOnItsWay = known.some(({ share, granted }) => share.isWithdrawing && granted > 0);
  return new Map(isPoor && richest && !isOnItsWay ? [[richest.link, 1]] : []);
}
