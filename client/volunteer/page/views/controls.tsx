import type { Actions } from '../actions.ts';
import type { PageState } from '../page-state.ts';
import { count } from '../words.ts';

/** The dial, the conditions and the one button. */
export function Controls({ state, actions }: { state: PageState; actions: Actions }) {
  const { phase, settings, support } = state;
  const running = phase === 'running' || phase === 'stopping';
  // Over plain http a tab without an invitation has no way in, so the button would only lead to a refusal.
  const blocked = support.missing !== null || (state.admission.type === 'stranger' && !support.secureContext);
  return (
    <section class="controls" aria-label="Controls">
      <Dial cores={settings.cores} available={support.cores} disabled={blocked} actions={actions} />
      <fieldset class="conditions" disabled={blocked}>
        <legend class="unseen">Conditions</legend>
        <Choice
          label="Pause on battery"
          hint={support.battery ? null : 'This browser does not tell pages about the battery.'}
          checked={settings.pauseOnBattery && support.battery}
          disabled={!support.battery}
          onChange={(pauseOnBattery) => actions.set({ pauseOnBattery })}
        />
        <Choice
          label="Pause when the tab is hidden"
          hint={null}
          checked={settings.pauseWhenHidden}
          disabled={false}
          onChange={(pauseWhenHidden) => actions.set({ pauseWhenHidden })}
        />
        <Choice
          label="Keep the screen on meanwhile"
          hint={support.wakeLock ? null : 'This browser does not let this page do that.'}
          checked={settings.keepAwake && support.wakeLock}
          disabled={!support.wakeLock}
          onChange={(keepAwake) => actions.set({ keepAwake })}
        />
      </fieldset>
      {running ? (
        <button type="button" class="button stop" disabled={phase === 'stopping'} onClick={() => actions.stop()}>
          Stop
        </button>
      ) : (
        <button type="button" class="button begin" disabled={blocked} onClick={() => actions.begin()}>
          {phase === 'stopped' ? 'Begin again' : 'Begin'}
        </button>
      )}
    </section>
  );
}

function Dial(props: { cores: number; available: number; disabled: boolean; actions: Actions }) {
  const { cores, available, disabled, actions } = props;
  const inWords = `${cores} of ${count(available, 'core', 'cores')}`;
  return (
    <div class="dial">
      <label for="cores">
        Lend
        <span class="dial-value" aria-hidden="true">
          {inWords}
        </span>
      </label>
      <div class={available > 16 ? 'cells small' : 'cells'} aria-hidden="true">
        {Array.from({ length: available }, (_, i) => (
          <span key={i} class={i < cores ? 'cell lent' : 'cell'} />
        ))}
      </div>
      <input
        id="cores"
        type="range"
        min={1}
        max={available}
        step={1}
        value={cores}
        disabled={disabled || available === 1}
        aria-valuetext={inWords}
        onInput={(event) => actions.set({ cores: Number(event.currentTarget.value) })}
      />
    </div>
  );
}

function Choice(props: {
  label: string;
  hint: string | null;
  checked: boolean;
  disabled: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label class={props.disabled ? 'choice unavailable' : 'choice'}>
      <input
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span>
        {props.label}
        {props.hint !== null && <small>{props.hint}</small>}
      </span>
    </label>
  );
}
