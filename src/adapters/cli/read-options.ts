/** Reads the values of options: what is not understood is told in French, with a suggestion. */
import { InvalidArgumentError } from "commander";
import { FLUX_STATES } from "../../domain/flux-state.ts";
import { suggest } from "../../runtime/suggest.ts";

/** Seconds, 0 to 86400; `1.5` is taken. */
export function readSeconds(text: string): number {
  const seconds = Number(text.replace(",", "."));
  if (text.trim() === "" || !(seconds >= 0 && seconds <= 86_400)) {
    throw new InvalidArgumentError("Un nombre de secondes est attendu, 86400 au plus.");
  }
  return seconds;
}

/** A number of lines, 1 to 500. */
export function readLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d{1,3}$/.test(text) || limit < 1 || limit > 500) {
    throw new InvalidArgumentError("Un nombre de 1 à 500 est attendu.");
  }
  return limit;
}

/** One state or several, separated by commas or by repeating the option. */
export function readStates(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").map((word) => readOneOf(word.trim(), FLUX_STATES))];
}

export const RESOLUTIONS = ["accepted", "refused", "resend", "failed"] as const;

export function readResolution(text: string): string {
  return readOneOf(text, RESOLUTIONS);
}

function readOneOf(text: string, known: readonly string[]): string {
  if (known.includes(text)) return text;
  const meant = suggest(text, known);
  throw new InvalidArgumentError(
    meant === undefined
      ? `Valeurs possibles : ${known.join(", ")}.`
      : `Vouliez-vous dire ${meant} ? Valeurs possibles : ${known.join(", ")}.`,
  );
}
