import * as comlink from 'comlink';
import { render } from 'preact';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { App } from './views/app.tsx';
import { watchFleet } from './watch-fleet.ts';
import { useStore } from './store.ts';
import { Volunteer } from './volunteer.ts';

const worker = new Worker(new URL('../coordinator/coordinator.worker.ts', import.meta.url), {
  type: 'module',
  name: 'coordinator',
});
const volunteer = new Volunteer(comlink.wrap<Coordinator>(worker));
watchFleet(volunteer);

function Page() {
  return <App state={useStore(volunteer.store)} actions={volunteer} />;
}

const root = document.getElementById('page');
if (root !== null) {
  root.replaceChildren();
  render(<Page />, root);
}
