/**
 * `send`: deposits files by REST, as a guichet would. Promise: run again after a crash or a doubt,
 * it deposits nothing twice (the Idempotency-Key is made from the content).
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import { EXIT, UsageError, type CliContext } from "./cli-context.ts";
import { reportVerdict } from "./flux-report.ts";
import type { Fields } from "./json-fields.ts";
import type { FluxView } from "./read-views.ts";
import { exitCodeOf, failureLines, failureView, type Failure } from "./tell-failure.ts";

export interface SendOptions {
  /** The name given to the one file, instead of its own. */
  readonly name?: string;
  /** How long to follow each flux, s. */
  readonly wait?: number;
  /** A new deposit even of a file already sent: what a refused or discarded one needs. */
  readonly again?: boolean;
}

interface Sent {
  readonly file: string;
  readonly flux: FluxView;
  readonly acquittement?: Fields;
}

type Result =
  | { readonly kind: "sent"; readonly sent: Sent }
  | { readonly kind: "failed"; readonly file: string; readonly failure: Failure };

const POLL_MS = 300;
const ANSWERED = ["accepted", "refused", "acknowledged", "discarded"];

/** JSON: `[{ "file", "flux": Flux, "acquittement"?: {…} } | { "file", "error": {…} }]`. */
export async function sendFiles(
  context: CliContext,
  paths: readonly string[],
  options: SendOptions,
): Promise<number> {
  if (options.name !== undefined && paths.length > 1) {
    throw new UsageError("--name ne peut nommer qu'un seul fichier.");
  }
  // All are read before any is sent: a misspelt path sends nothing.
  const files = await Promise.all(paths.map(async (path) => ({ path, bytes: await read(path) })));
  const results: Result[] = [];
  for (const { path, bytes } of files) {
    const result = await send(context, path, bytes, options);
    results.push(result);
    if (!context.wantsJson) tell(context, result, options);
    // Nobody answers: the next file would wait as long for nothing.
    if (result.kind === "failed" && result.failure.kind !== "problem") break;
  }
  if (context.wantsJson) context.terminal.json(results.map(resultView));
  return Math.max(...results.map((result) => exitCodeFor(result, options)));
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const why =
      systemCodeOf(error) === "ENOENT"
        ? "il n'existe pas"
        : systemCodeOf(error) === "EISDIR"
          ? "c'est un dossier"
          : messageOf(error);
    throw new UsageError(`Le fichier ${path} ne peut pas être lu : ${why}.`);
  }
}

async function send(
  context: CliContext,
  path: string,
  bytes: Uint8Array,
  options: SendOptions,
): Promise<Result> {
  const { client, clock } = context;
  const digest = createHash("sha256").update(bytes).digest("hex");
  const answer = await client.deposit({
    fileName: options.name ?? basename(path),
    bytes,
    idempotencyKey: options.again === true ? `sha256-${digest}-${clock.now()}` : `sha256-${digest}`,
  });
  if (answer.kind !== "ok") return { kind: "failed", file: path, failure: answer };
  const sent: Sent = { file: path, flux: answer.value };
  if (options.wait === undefined) return { kind: "sent", sent };
  return follow(context, sent, clock.now() + options.wait * 1_000);
}

/** Waits for the answer to one flux, then fetches its acquittement: that is its delivery. */
async function follow(context: CliContext, sent: Sent, until: number): Promise<Result> {
  const { client, clock, terminal, wantsJson } = context;
  const startedAt = clock.now();
  let flux = sent.flux;
  while (!ANSWERED.includes(flux.state) && clock.now() < until) {
    if (!wantsJson) {
      const seconds = Math.floor((clock.now() - startedAt) / 1_000);
      terminal.status(`  ${flux.waiting?.text ?? flux.stateLabel} (${seconds} s)`);
    }
    await clock.wait(POLL_MS);
    const again = await client.flux(flux.id);
    if (again.kind !== "ok") return { kind: "failed", file: sent.file, failure: again };
    flux = again.value;
  }
  if (!ANSWERED.includes(flux.state)) return { kind: "sent", sent: { ...sent, flux } };
  const acquittement = await client.acquittement(flux.id);
  if (acquittement.kind !== "ok") {
    return { kind: "failed", file: sent.file, failure: acquittement };
  }
  const told = await client.flux(flux.id);
  if (told.kind !== "ok") return { kind: "failed", file: sent.file, failure: told };
  return {
    kind: "sent",
    sent: { file: sent.file, flux: told.value, acquittement: acquittement.value },
  };
}

function tell({ terminal, readable }: CliContext, result: Result, options: SendOptions): void {
  if (result.kind === "failed") {
    const [first = "", ...rest] = failureLines(result.failure);
    terminal.errorLine(`${terminal.paint("bad", "✗")} ${result.file} : ${first}`);
    for (const line of rest) terminal.errorLine(line);
    return;
  }
  const { file, flux, acquittement } = result.sent;
  const before = flux.repeated ? " (déjà reçu : un seul effet)" : "";
  terminal.line(
    `${terminal.paint("good", "✓")} ${file} : flux ${terminal.paint("strong", flux.id)}${before}`,
  );
  terminal.line(`  ${flux.stateLabel}`);
  if (flux.verdict !== undefined) {
    for (const line of reportVerdict(flux.verdict, terminal, readable).slice(1))
      terminal.line(`  ${line}`);
  }
  if (flux.repeated && (flux.state === "discarded" || flux.verdict?.kind === "refused")) {
    terminal.line("  Pour le soumettre à nouveau tel quel, ajoutez --again.");
  }
  if (options.wait !== undefined && acquittement === undefined) {
    terminal.errorLine(
      `  Pas encore d'acquittement après ${options.wait} s. Le flux est gardé ; suivez-le :`,
    );
    terminal.errorLine(`  passerelle flux show ${flux.id}`);
  }
}

function resultView(result: Result): unknown {
  if (result.kind === "failed") return { file: result.file, error: failureView(result.failure) };
  const { file, flux, acquittement } = result.sent;
  return { file, flux: flux.raw, ...(acquittement === undefined ? {} : { acquittement }) };
}

function exitCodeFor(result: Result, options: SendOptions): number {
  if (result.kind === "failed") return exitCodeOf(result.failure);
  const { flux, acquittement } = result.sent;
  if (flux.verdict !== undefined && flux.verdict.kind !== "accepted") return EXIT.negative;
  return options.wait !== undefined && acquittement === undefined ? EXIT.negative : EXIT.ok;
}
