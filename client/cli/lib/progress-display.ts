/** One thing under way. */
export interface ProgressRow {
  readonly label: string;
  /** 0 … 1. */
  readonly fraction: number;
  /** What a person wants to know of it just now. */
  readonly detail: string;
}

/** Where to write: standard output, or a test. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const barWidth = 24;
/** On a terminal narrower than this the bars are half as wide, so that there is room for words. */
const narrowColumns = 100;
/** Without a terminal a row is told each time it has come so much further. */
const plainStep = 0.1;
const clearLine = '\u001b[2K';

/** Rows with bars that move on a terminal; elsewhere a line now and then, as a log wants it. */
export class ProgressDisplay {
  readonly #screen: Screen;
  readonly #rows = new Map<string, ProgressRow>();
  /** The step at which each row was last told. */
  readonly #told = new Map<string, number>();
  #drawnLines = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  update(id: string, row: ProgressRow): void {
    this.#rows.set(id, row);
    if (this.#screen.isTTY === true) this.#draw();
    else this.#tell(id, row);
  }

  /** Prints a line of its own, above the bars. */
  note(text: string): void {
    this.#erase();
    this.#screen.write(`${text}\n`);
    if (this.#screen.isTTY === true) this.#draw();
  }

  /** Leaves the bars as they are and forgets them. */
  finish(): void {
    this.#rows.clear();
    this.#told.clear();
    this.#drawnLines = 0;
  }

  #draw(): void {
    const labelWidth = Math.max(0, ...[...this.#rows.values()].map((row) => row.label.length));
    const columns = this.#screen.columns ?? 80;
    const width = columns < narrowColumns ? barWidth / 2 : barWidth;
    this.#erase();
    for (const row of this.#rows.values()) {
      const percent = `${Math.floor(row.fraction * 100)} %`.padStart(5);
      const line = `  ${row.label.padEnd(labelWidth)}  ${bar(row.fraction, width)} ${percent}  ${row.detail}`;
      // A line that wraps could not be erased again.
      this.#screen.write(`${line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`}\n`);
    }
    this.#drawnLines = this.#rows.size;
  }

  #erase(): void {
    if (this.#drawnLines === 0) return;
    this.#screen.write(
      `\u001b[${this.#drawnLines}A${`${clearLine}\n`.repeat(this.#drawnLines)}\u001b[${this.#drawnLines}A`,
    );
    this.#drawnLines = 0;
  }

  #tell(id: string, row: ProgressRow): void {
    const step = Math.floor(row.fraction / plainStep);
    if (this.#told.get(id) === step) return;
    this.#told.set(id, step);
    this.#screen.write(`${row.label}: ${Math.floor(row.fraction * 100)} %, ${row.detail}\n`);
  }
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar in eighths of a character. @param fraction 0 … 1 */
export function bar(fraction: number, width: number): string {
  const units = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8);
  const filled = '█'.repeat(Math.floor(units / 8)) + (eighths[units % 8] ?? '');
  return filled.padEnd(width, '░');
}
