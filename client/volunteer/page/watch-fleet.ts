import { readCampaigns, readFleet } from './fleet.ts';
import type { Volunteer } from './volunteer.ts';

/** The clock of the page, in ms; the rest counts its ticks. */
const tickMs = 1000;
const campaignTicks = 4;
const fleetTicks = 6;

/** Moves the page’s clock on, and keeps the picture of the work fresh where the token may read it, while somebody looks. */
export function watchFleet(volunteer: Volunteer): void {
  const { store } = volunteer;
  let ticks = 0;
  let reading = false;

  const read = async (token: string) => {
    const [campaigns, fleet] = await Promise.allSettled([
      ticks % campaignTicks === 0 ? readCampaigns(token, store.value.campaigns) : store.value.campaigns,
      ticks % fleetTicks === 0 ? readFleet(token) : store.value.fleet,
    ]);
    // What could not be read stays as it was: the connection’s own state tells what is wrong.
    if (campaigns.status === 'fulfilled') store.update({ campaigns: campaigns.value });
    if (fleet.status === 'fulfilled') store.update({ fleet: fleet.value });
    ticks++;
  };

  const tick = () => {
    const { phase, offline } = store.value;
    if (document.hidden || phase === 'idle') return;
    store.update({ nowMs: Date.now() });
    const token = volunteer.readingToken;
    if (token === null || reading || offline) return;
    reading = true;
    void read(token).finally(() => (reading = false));
  };
  setInterval(tick, tickMs);
  document.addEventListener('visibilitychange', tick);
}
