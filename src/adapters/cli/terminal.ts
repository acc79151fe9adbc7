/**
 * Where the command line writes: lines for a person, JSON for a program. Promise: no colour where
 * nobody sees it (pipe, file, NO_COLOR), and a reader who leaves early (`| head`) is no error.
 */
import type { Writable } from "node:stream";
import { styleText } from "node:util";

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export type Tone = "good" | "bad" | "warning" | "faint" | "strong" | "accent";

export interface Terminal {
  /** Columns at hand: the terminal's, else COLUMNS when it is set; else Infinity, nothing is cut. */
  readonly width: number;
  /** True when a person watches the output as it comes. */
  readonly isLive: boolean;
  line(text?: string): void;
  /** Replaces the line written by the last `status`; nothing when nobody watches. */
  status(text: string): void;
  /** A line on the error output. */
  errorLine(text: string): void;
  json(value: unknown): void;
  errorJson(value: unknown): void;
  readonly paint: (tone: Tone, text: string) => string;
}

const STYLES = {
  good: "green",
  bad: "red",
  warning: "yellow",
  faint: "dim",
  strong: "bold",
  accent: "cyan",
} as const;

export function makeTerminal({
  stdout,
  stderr,
  env,
}: {
  stdout: Output;
  stderr: Output;
  env: Readonly<Record<string, string | undefined>>;
}): Terminal {
  const isLive = stdout.isTTY === true && env["TERM"] !== "dumb";
  // https://no-color.org: present and not empty, whatever its value.
  const isPainted = isLive && (env["NO_COLOR"] ?? "") === "";
  let statusShown = false;
  let isGone = false;

  for (const stream of new Set([stdout, stderr])) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      isGone = true;
    });
  }
  function write(stream: Output, text: string): void {
    if (!isGone) stream.write(text);
  }
  function clearStatus(): void {
    if (statusShown) write(stdout, "\r\u001b[2K");
    statusShown = false;
  }

  return {
    width: isLive ? Math.max(40, stdout.columns ?? 80) : columnsOf(env["COLUMNS"]),
    isLive,
    line: (text = "") => {
      clearStatus();
      write(stdout, `${text}\n`);
    },
    status: (text) => {
      if (!isLive) return;
      clearStatus();
      write(stdout, text.slice(0, (stdout.columns ?? 80) - 1));
      statusShown = true;
    },
    errorLine: (text) => {
      clearStatus();
      write(stderr, `${text}\n`);
    },
    json: (value) => write(stdout, `${JSON.stringify(value, undefined, 2)}\n`),
    errorJson: (value) => write(stderr, `${JSON.stringify(value, undefined, 2)}\n`),
    paint: (tone, text) =>
      isPainted ? styleText(STYLES[tone], text, { validateStream: false }) : text,
  };
}

function columnsOf(text: string | undefined): number {
  const columns = Number(text ?? "");
  return Number.isInteger(columns) && columns >= 40 ? columns : Infinity;
}
