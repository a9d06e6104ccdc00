/** Nine tabs in a grid, some of them at work. */
export function Wordmark() {
  const cells = [1, 0, 1, 0, 1, 0, 0, 2, 1];
  return (
    <p class="wordmark">
      <svg viewBox="0 0 16 16" width="22" height="22" aria-hidden="true">
        {cells.map((kind, i) => (
          <rect
            key={i}
            class={`cell-${kind}`}
            x={1 + 5 * (i % 3)}
            y={1 + 5 * Math.floor(i / 3)}
            width="4"
            height="4"
            rx="1"
          />
        ))}
      </svg>
      Tabgrid
    </p>
  );
}
