import { Philox } from './philox.as';

/** Fisher–Yates on n 32-bit words at `items`, last place first. */
export function shuffle(rng: Philox, items: usize, n: i32): void {
  for (let last = n - 1; last > 0; last--) {
    const other = items + ((<usize>rng.integer(<u32>last + 1)) << 2);
    const place = items + ((<usize>last) << 2);
    const kept = load<u32>(place);
    store<u32>(place, load<u32>(other));
    store<u32>(other, kept);
  }
}
