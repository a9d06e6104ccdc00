import type { TaskName } from '#catalog';
import type { PageState } from './page-state.ts';

/** What a core is doing, said to somebody who knows nothing of task types. */
const doing: Partial<Record<TaskName, string>> = {
  train_surrogate: 'Training a model',
  run_cmaes_optimization: 'Searching for better designs',
  score_candidates: 'Scoring untried designs',
  evaluate_candidates: 'Trying out designs',
  compute_pareto_front: 'Weighing trade-offs',
  starmap: 'Working through a list',
  ping: 'Answering a roll call',
};

export function taskInWords(task: string): string {
  return doing[task as TaskName] ?? task.charAt(0).toUpperCase() + task.slice(1).replaceAll('_', ' ');
}

/** The colour of a task type in pictures, 0 … 4; the last one is for all that have none of their own. */
export function kindOf(task: string): number {
  const kinds: Partial<Record<TaskName, number>> = {
    train_surrogate: 0,
    run_cmaes_optimization: 1,
    score_candidates: 2,
    evaluate_candidates: 3,
  };
  return kinds[task as TaskName] ?? 4;
}

export function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}

/** `4 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60).toLocaleString('en')} h ${minutes % 60} min`;
}

/** A measured value with four significant digits. */
export function measured(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e6 || size < 1e-3)
    ? value.toExponential(3)
    : value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

/** The connection in a word or two, for the corner of the page, and how to colour it. */
export interface LinkInWords {
  tone: 'quiet' | 'good' | 'waiting' | 'bad';
  text: string;
}

export function linkInWords(state: PageState): LinkInWords {
  if (state.problem !== null) return { tone: 'bad', text: 'Not connected' };
  if (state.phase === 'idle' || state.phase === 'stopped') return { tone: 'quiet', text: 'Not connected' };
  if (state.offline) return { tone: 'waiting', text: 'No network' };
  if (state.hold !== null) return { tone: 'quiet', text: 'Paused' };
  switch (state.work.link.type) {
    case 'off':
      return { tone: 'quiet', text: 'Not connected' };
    case 'connecting':
      return { tone: 'waiting', text: 'Connecting' };
    case 'online':
      return { tone: 'good', text: 'Connected' };
    case 'retrying':
      return { tone: 'waiting', text: 'Reconnecting' };
    case 'refused':
    case 'dismissed':
      return { tone: 'bad', text: 'Not connected' };
  }
}

/** Between two short tasks the words stay as they are, so that they neither flicker nor are read out again and again. */
const settledMs = 4000;

/** What is going on, as a headline and one sentence. */
export interface Headline {
  title: string;
  text: string;
}

export function headline(state: PageState): Headline {
  const { support, problem, phase, work } = state;
  if (support.missing !== null) return { title: 'This browser can’t take part.', text: support.missing };
  if (problem !== null) return problemInWords(state);
  if (phase === 'idle') return invitation(state);
  if (phase === 'stopping') return { title: 'Stopping.', text: 'Handing back what is unfinished.' };
  if (phase === 'stopped') return farewell(state);
  if (state.hold !== null) return holdInWords(state.hold);
  const computing = work.cores.some((task) => task !== null);
  if (state.offline || work.link.type === 'retrying') {
    const what = state.offline ? 'This device has no network.' : 'The server does not answer.';
    const working = computing ? 'What was begun is still being computed, and is handed in later. ' : '';
    return { title: what, text: `${working}Nothing needs doing: the tab comes back by itself.` };
  }
  if (work.link.type !== 'online') return { title: 'Connecting.', text: 'Saying hello to the server.' };
  if (computing || state.nowMs - (work.recent.at(-1)?.endedAtMs ?? 0) < settledMs) {
    return {
      title: `Computing on ${count(state.settings.cores, 'core', 'cores')}.`,
      text: 'You can use the device as usual, or close the tab at any moment. Nothing gets lost.',
    };
  }
  return {
    title: 'Ready, and nothing to do.',
    text:
      state.admission.type === 'invited'
        ? 'There is no work just now. It arrives by itself while this tab stays open.'
        : 'There is no work for uninvited tabs just now: they are only given what can be checked. It would arrive by itself.',
  };
}

function invitation({ admission, support }: PageState): Headline {
  if (admission.type === 'invited') {
    return {
      title: 'Lend this tab to an experiment.',
      text: 'Somebody invited you to help. Part of this device’s computing power joins theirs for as long as the tab is open.',
    };
  }
  if (!support.secureContext) {
    return {
      title: 'Lend this tab to an experiment.',
      text: 'This page came over a plain http connection, on which browsers withhold what a tab needs to prove who it is. An invite link from whoever runs this server works all the same.',
    };
  }
  return {
    title: 'Lend this tab to an experiment.',
    text: 'Part of this device’s computing power joins others’ for as long as the tab is open. Without an invite link you are given only work whose results can be checked.',
  };
}

function farewell({ work }: PageState): Headline {
  const { succeeded, computedMs } = work.totals;
  return {
    title: succeeded > 0 ? 'Stopped. Thank you.' : 'Stopped.',
    text:
      succeeded > 0
        ? `This tab finished ${count(succeeded, 'task', 'tasks')} in ${duration(computedMs)} of computing. What was unfinished has been handed back.`
        : 'Nothing is being computed any more.',
  };
}

function holdInWords(hold: NonNullable<PageState['hold']>): Headline {
  switch (hold) {
    case 'battery':
      return {
        title: 'Paused while on battery.',
        text: 'Unfinished work was handed back for others to continue. It goes on when the device is plugged in, or when you untick the box.',
      };
    case 'hidden':
      return { title: 'Paused while hidden.', text: 'It goes on when you look at this tab.' };
    case 'frozen':
      return { title: 'Put to sleep by the browser.', text: 'It goes on when you come back to this tab.' };
  }
}

function problemInWords({ problem, admission }: PageState): Headline {
  switch (problem?.code) {
    case 'token_expired':
      return {
        title: 'This invitation has run out.',
        text: 'Ask whoever sent the link for a fresh one, and open it here.',
      };
    case 'unauthorized':
    case 'forbidden':
      return admission.type === 'invited'
        ? {
            title: 'This invitation is not valid here.',
            text: 'It may have been withdrawn, or cut short when it was copied. Ask for a fresh link.',
          }
        : { title: 'The server did not let this tab in.', text: problem.message };
    case 'rate_limited':
      return {
        title: 'Too many tabs from your network.',
        text: 'The server limits how many join from one place. Try again in a while.',
      };
    case 'upgrade_required':
      return {
        title: 'This page is out of date.',
        text: 'The server has moved on to a newer version. Reload the page to go on.',
      };
    case 'dismissed':
      return {
        title: 'The server asked this tab to stop.',
        text: 'Whoever runs it needs no more help just now. What was unfinished has been handed back.',
      };
    default:
      return { title: 'It can’t go on.', text: problem?.message ?? 'Reload the page to try again.' };
  }
}

/** A campaign’s present state, as a sentence fragment. */
export function campaignStateInWords(state: string): string {
  const words: Record<string, string> = {
    RUNNING: 'running',
    PAUSED: 'paused',
    SUCCESS: 'finished',
    FAILURE: 'failed',
    STOPPED: 'stopped',
  };
  return words[state] ?? state.toLowerCase();
}
