/**
 * `store copy`: shows how far a copy is, then how it ended. Promise: a password in an address is never
 * shown, and every end that is not the copy's says what to do next.
 */
import { ERRORS, GatewayError, messageOf } from "../../domain/errors.ts";
import type { Difference } from "../../operate/compare-stores.ts";
import type { CopyEnd, CopyStep } from "../../operate/store-copy.ts";
import { shownStore, storeKind, UNKNOWN_STORE } from "../../runtime/store-address.ts";
import { EXIT, UsageError, type CliContext } from "./cli-context.ts";

/** The work itself, made by the composition. */
export interface StoreCommands {
  copy(ends: { from: string; to: string }): AsyncGenerator<CopyStep, CopyEnd>;
  abandon(ends: { from: string; to: string }): Promise<"erased" | "untouched">;
}

type Context = Pick<CliContext, "terminal" | "wantsJson" | "clock">;

const VARIABLE = /^[A-Z][A-Z0-9_]*$/;
const BAR = 30;
/** Without a terminal, one line for so much of the work. */
const LINE_EVERY = 0.1;

/** JSON: `{ "outcome", "from", "to", "counts"?, "damaged"?, "different"?, "differences"?, … }`. */
export async function copyStoreCommand(
  context: Context,
  given: { readonly from: string; readonly to: string; readonly abandon: boolean },
  { store, env }: { store: StoreCommands; env: Readonly<Record<string, string | undefined>> },
): Promise<number> {
  const read = (name: string, text: string): string => {
    // The name of a variable, for an address with a password: arguments show in lists of processes.
    const address = (VARIABLE.test(text) ? env[text] : undefined) ?? text;
    if (storeKind(address) !== undefined) return address;
    throw new UsageError(`${name} n'est pas une adresse de base : ${UNKNOWN_STORE}.`);
  };
  const ends = { from: read("FROM", given.from), to: read("TO", given.to) };
  const shown = { from: shownStore(ends.from), to: shownStore(ends.to) };
  try {
    if (given.abandon) {
      const target = await store.abandon(ends);
      return tellAbandoned(context, shown, target);
    }
    const copying = store.copy(ends);
    const progress = makeProgress(context);
    let step = await copying.next();
    while (step.done !== true) {
      progress(step.value);
      step = await copying.next();
    }
    return tellEnd(context, shown, step.value);
  } catch (error) {
    return tellError(context, error);
  }
}

function makeProgress({ terminal, wantsJson, clock }: Context): (step: CopyStep) => void {
  let phase: CopyStep["kind"] | undefined;
  let startedAt = 0;
  let doneAtStart = 0;
  let nextLine = 0;
  return (step) => {
    if (wantsJson) return;
    const isNew = step.kind !== phase;
    phase = step.kind;
    if (step.kind === "waiting") {
      const text = `En attente de ${step.leases} flux ou acquittements encore en main d'une passerelle…`;
      if (terminal.isLive) terminal.status(text);
      else if (isNew) terminal.errorLine(text);
      return;
    }
    const { done, total } = step;
    if (isNew) {
      startedAt = clock.now();
      doneAtStart = done;
      nextLine = 0;
    }
    const share = total === 0 ? 1 : done / total;
    const label = step.kind === "copying" ? "Copie" : "Vérification";
    const seconds = (clock.now() - startedAt) / 1_000;
    const rate = seconds < 1 ? "" : `, ${Math.round((done - doneAtStart) / seconds)} par seconde`;
    const figures = `${done}/${total} flux${rate}`;
    if (terminal.isLive) {
      const full = Math.round(share * BAR);
      terminal.status(`${label} [${"█".repeat(full)}${"░".repeat(BAR - full)}] ${figures}`);
    } else if (share >= nextLine || done === total) {
      if (share < nextLine) return;
      terminal.errorLine(`${label} : ${figures}`);
      nextLine = done === total ? Infinity : share + LINE_EVERY;
    }
  };
}

type Shown = { readonly from: string; readonly to: string };

function tellEnd({ terminal, wantsJson }: Context, shown: Shown, end: CopyEnd): number {
  const code = end.kind === "moved" || end.kind === "alreadyMoved" ? EXIT.ok : EXIT.negative;
  if (wantsJson) {
    const { kind: outcome, ...rest } = end;
    const facts = "comparison" in rest ? rest.comparison : rest;
    terminal.json({ outcome, ...shown, ...facts });
    return code;
  }
  switch (end.kind) {
    case "moved":
      terminal.line(
        terminal.paint("good", `Copie achevée et vérifiée : ${end.counts.received} flux reçus.`),
      );
      for (const id of end.damaged) {
        terminal.line(`  ! ${id} : son fichier d'origine manquait déjà, ou était déjà altéré.`);
      }
      terminal.line(`Donnez ${shown.to} à GATEWAY_STORE, puis démarrez la passerelle.`);
      terminal.line(
        `${shown.from} ne s'ouvrira plus ; elle garde des données personnelles : effacez-la une fois la nouvelle base sauvegardée.`,
      );
      break;
    case "alreadyMoved":
      terminal.line(`La copie était déjà achevée : les flux sont dans ${shown.to}.`);
      break;
    case "interrupted":
      terminal.errorLine(
        `Copie interrompue à ${end.done}/${end.total} flux ; rien n'est perdu. La même commande la reprend ; avec --abandon, elle y renonce.`,
      );
      break;
    case "different":
      terminal.errorLine(
        terminal.paint("bad", `La copie diffère de sa source (${end.comparison.different}) :`),
      );
      for (const difference of end.comparison.differences) {
        terminal.errorLine(`  - ${differenceText(difference)}`);
      }
      terminal.errorLine(
        "Aucune des deux bases ne s'ouvre. Renoncez à cette copie (--abandon), puis recommencez-la.",
      );
  }
  return code;
}

function differenceText(difference: Difference): string {
  switch (difference.kind) {
    case "missing":
      return `${difference.fluxId} manque, ou n'est pas à son rang`;
    case "foreign":
      return `${difference.fluxId} n'est pas dans la source`;
    case "changed":
      return `${difference.fluxId} n'est pas le même (faits, journal ou fichiers)`;
    case "count":
      return `${difference.name} : ${difference.from} à la source, ${difference.to} dans la copie`;
    case "values":
      return `${difference.name} : valeurs différentes`;
  }
}

function tellAbandoned(
  { terminal, wantsJson }: Context,
  shown: Shown,
  target: "erased" | "untouched",
): number {
  if (wantsJson) terminal.json({ outcome: "abandoned", ...shown, target });
  else {
    terminal.line(`Copie abandonnée : une passerelle peut de nouveau ouvrir ${shown.from}.`);
    terminal.line(
      target === "erased"
        ? `${shown.to} est effacée.`
        : `${shown.to} n'a pas été touchée : elle est absente, muette, ou n'est pas cette copie.`,
    );
  }
  return EXIT.ok;
}

function tellError({ terminal, wantsJson }: Context, error: unknown): number {
  if (!(error instanceof GatewayError)) throw error;
  const { code } = error;
  const { advice } = ERRORS[code];
  const why = error.cause === undefined ? "" : messageOf(error.cause);
  const cause = why === "" || why === error.message ? "" : ` (${why})`;
  if (wantsJson) {
    const message = `${error.message}${cause}`;
    terminal.errorJson({ error: { code, message, advice, exitCode: EXIT.negative } });
  } else {
    terminal.errorLine(`${error.message}${cause} [${code}]`);
    terminal.errorLine(`  ${advice}`);
  }
  return EXIT.negative;
}
