import { useEffect } from 'preact/hooks';
import type { Actions } from '../actions.ts';
import type { PageState } from '../page-state.ts';
import { headline, linkInWords } from '../words.ts';
import { Campaigns } from './campaigns.tsx';
import { Controls } from './controls.tsx';
import { Cores } from './cores.tsx';
import { Facts } from './facts.tsx';
import { Tally } from './tally.tsx';
import { Timeline } from './timeline.tsx';
import { Wordmark } from './wordmark.tsx';

/** The whole page, a function of its state. */
export function App({ state, actions }: { state: PageState; actions: Actions }) {
  const link = linkInWords(state);
  const { title, text } = headline(state);
  const begun = state.phase !== 'idle';
  useEffect(() => {
    document.title = begun ? `${title.slice(0, -1)} · Tabgrid` : 'Tabgrid';
  }, [begun, title]);
  const computing = state.phase === 'running' && state.hold === null && state.problem === null;
  return (
    <>
      <header class="masthead">
        <Wordmark />
        <p class={`link link-${link.tone}`}>
          <span class="link-dot" aria-hidden="true" />
          {link.text}
        </p>
      </header>
      <main class={begun ? 'begun' : 'inviting'}>
        <section class="opening" aria-live="polite">
          <h1>{title}</h1>
          <p class="lead">{text}</p>
        </section>
        <Controls state={state} actions={actions} />
        {begun && (
          <div class="work">
            {computing && <Cores work={state.work} lent={state.settings.cores} nowMs={state.nowMs} />}
            {state.campaigns.map((picture) => (
              <Campaigns key={picture.campaign.campaign_id} picture={picture} />
            ))}
            <Timeline work={state.work} nowMs={state.nowMs} />
            <Tally work={state.work} lifetime={state.lifetime} fleet={state.fleet} />
          </div>
        )}
        <Facts admission={state.admission} open={!begun} />
      </main>
    </>
  );
}
