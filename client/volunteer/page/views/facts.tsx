import type { Admission } from '../page-state.ts';

/** What a person should know before pressing the button; folded away afterwards. */
export function Facts({ admission, open }: { admission: Admission; open: boolean }) {
  return (
    <section class="facts" aria-label="What to know">
      <details open={open}>
        <summary>What happens when you begin</summary>
        <p>
          The tab connects to this server and asks for small pieces of work: training a model on measurements, searching
          for a design that the model expects to be better, checking designs. Each core that you lend computes one piece
          at a time and sends back numbers.
        </p>
      </details>
      <details open={open}>
        <summary>What it can and can’t do</summary>
        <p>
          It runs only the code that this page came with, inside the browser’s sandbox: no files, no camera, no network
          beyond this server. The server sees your address, as every web server does, and is told your browser’s name
          and how many cores you lend.
          {admission.type === 'stranger' &&
            ' A key made in this browser, and kept in it, tells one tab from another.'}{' '}
          Nobody is tracked, and nothing is loaded from anywhere else.
        </p>
      </details>
      <details open={open}>
        <summary>You stay in charge</summary>
        <p>
          Nothing starts by itself. Turn the dial, stop, or close the tab whenever you like: unfinished pieces go back,
          and somebody else goes on from where you were. Computing uses power and warms the device; a laptop may become
          audible.
        </p>
      </details>
    </section>
  );
}
