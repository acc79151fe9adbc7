/**
 * Where the demonstration is shown: scenes, sentences, what a guichet received, and a table that
 * moves while things happen. Without a terminal (CI, a file) the same is told in plain lines.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { createLogUpdate } from "log-update";
import pc from "picocolors";

const isLive = isatty(1) && process.env["CI"] === undefined;
/** No colour where there is no terminal, in CI either. */
export const paint = pc.createColors(isLive && pc.isColorSupported);
const MAX_WIDTH = 100;
/** Time to read between two scenes, where somebody reads, ms. */
const READING_MS = 700;
/** In plain lines, the least time between two lines of progress, ms. */
const PLAIN_EVERY_MS = 500;

export interface Progress {
  /** Shows a picture in place of the one before, or its one-line summary where there is no terminal. */
  show(picture: string, summary: string): void;
  /** Leaves the last picture on the screen. */
  done(): void;
}

function width(): number {
  // Without a terminal there are no columns, and some terminals say 0.
  const columns = isLive ? process.stdout.columns : 0;
  return columns >= 40 ? Math.min(MAX_WIDTH, columns) : MAX_WIDTH;
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** French marks stay with their word: no line begins with » nor ends with «. */
function glued(text: string): string {
  return text.replace(/« /g, "«\u00a0").replace(/ ([»:;?!])/g, "\u00a0$1");
}

/** Breaks a text at its spaces. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of glued(text).split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width()) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line].join("\n");
}

/** Folds a line that is wider than an exhibit, its rest set in. */
function fold(given: string): string[] {
  const line = glued(given);
  const room = exhibitWidth();
  if (stripVTControlCharacters(line).length <= room) return [line];
  const inset = `${/^ */.exec(line)?.[0] ?? ""}    `;
  const at = line.lastIndexOf(" ", room);
  const cut = at > inset.length ? at : room;
  return [line.slice(0, cut), ...fold(inset + line.slice(cut).trimStart())];
}

/** Columns inside an exhibit. */
export function exhibitWidth(): number {
  return width() - 4;
}

export const stage = {
  title(text: string, sentence: string): void {
    write(`\n${paint.bold(paint.cyan(text))}\n${wrap(sentence, "")}`);
  },

  /** Opens a scene, with the sentence that says what to look at. */
  async scene(number: number, title: string, sentence: string): Promise<void> {
    if (isLive && number > 1) await sleep(READING_MS);
    write(`\n${paint.bold(paint.cyan(`${number}. ${title}`))}`);
    write(paint.dim("─".repeat(Math.min(width(), title.length + 3))));
    write(`${wrap(sentence, "")}\n`);
  },

  say(text: string): void {
    write(wrap(text, ""));
  },

  /** Lines that are laid out already. */
  lines(lines: readonly string[]): void {
    for (const line of lines) write(line);
  },

  /** Something that was checked, not only said. */
  fact(text: string): void {
    write(`${paint.green("✓")} ${wrap(text, "  ").trimStart()}`);
  },

  warn(text: string): void {
    write(`${paint.yellow("!")} ${wrap(text, "  ").trimStart()}`);
  },

  failure(text: string): void {
    write(`${paint.red("✗")} ${wrap(text, "  ").trimStart()}`);
  },

  /** Something as it is: a mail, a file, the answer of a command. */
  exhibit(caption: string, lines: readonly string[]): void {
    write(`\n  ${paint.bold(caption)}`);
    for (const line of lines.flatMap(fold)) write(`  ${paint.dim("│")} ${line}`);
    write("");
  },

  progress(): Progress {
    if (isLive) {
      const update = createLogUpdate(process.stdout);
      return { show: (picture) => update(picture), done: () => update.done() };
    }
    let last = "";
    let at = 0;
    let pending = "";
    return {
      show: (_picture, summary) => {
        pending = summary;
        if (summary === last || Date.now() - at < PLAIN_EVERY_MS) return;
        last = summary;
        at = Date.now();
        write(`  ${summary}`);
      },
      done: () => {
        if (pending !== last) write(`  ${pending}`);
      },
    };
  },

  /** Shows the cursor again, whatever was going on. */
  restore(): void {
    if (isLive) process.stdout.write("\u001b[?25h");
  },
};

/** Polls until the condition holds; fails with a sentence a reader understands. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  withinMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let cause: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      cause = error;
    }
    await sleep(60);
  }
  throw new Error(`attendu en vain pendant ${withinMs / 1000} s : ${what}`, { cause });
}
