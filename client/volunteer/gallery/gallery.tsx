import { render } from 'preact';
import { App } from '../page/views/app.tsx';
import { states } from './states.ts';

/** Shows one state of the page, `?state=<name>`, or the list of them. Not part of what is built. */
const root = document.getElementById('page');
const name = new URLSearchParams(location.search).get('state');
const state = name === null ? undefined : states[name];
const nothing = () => undefined;

if (root !== null) {
  render(
    state === undefined ? (
      <ul>
        {Object.keys(states).map((each) => (
          <li key={each}>
            <a href={`?state=${each}`}>{each}</a>
          </li>
        ))}
      </ul>
    ) : (
      <App state={state} actions={{ begin: nothing, stop: nothing, set: nothing }} />
    ),
    root,
  );
}
