/**
 * Reads the query of a list of fluxes: what is not understood is told, field by field, rather than
 * ignored (an ignored filter would show too much and look right).
 */
import { FLUX_STATES, readFluxState, type FluxState } from "../../domain/flux-state.ts";
import type { FluxQuery } from "../../keep/outbox.ts";
import { suggest } from "../../runtime/suggest.ts";
import type { FieldFault } from "./problem.ts";

export type FluxQueryReading =
  | { readonly kind: "read"; readonly query: FluxQuery }
  | { readonly kind: "faults"; readonly faults: readonly FieldFault[] };

const PARAMETERS = [
  "state",
  "guichet",
  "numUnique",
  "sha256",
  "receivedFrom",
  "receivedBefore",
  "order",
  "limit",
  "after",
] as const;

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** A date, or a date and a time with its offset (RFC 3339). */
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

export function readFluxQuery(parameters: URLSearchParams): FluxQueryReading {
  const faults: FieldFault[] = [];
  function fault(field: string, message: string): void {
    faults.push({ field, message });
  }

  for (const name of new Set(parameters.keys())) {
    if (PARAMETERS.some((known) => known === name)) continue;
    const meant = suggest(name, PARAMETERS);
    fault(
      name.slice(0, 60),
      meant === undefined
        ? "Paramètre inconnu."
        : `Paramètre inconnu ; vouliez-vous dire ${meant} ?`,
    );
  }

  /** The one value of a parameter, its shape checked. */
  function one(
    name: (typeof PARAMETERS)[number],
    shape: RegExp,
    expected: string,
  ): string | undefined {
    const values = parameters.getAll(name);
    const [value] = values;
    if (value === undefined) return undefined;
    if (values.length > 1) fault(name, "Paramètre donné plusieurs fois.");
    else if (!shape.test(value)) fault(name, expected);
    else return value;
    return undefined;
  }

  function date(name: "receivedFrom" | "receivedBefore"): number | undefined {
    const expected = "Une date ISO 8601 est attendue : 2026-03-31 ou 2026-03-31T08:00:00Z.";
    const text = one(name, DATE, expected);
    if (text === undefined) return undefined;
    const at = Date.parse(text);
    // Date.parse takes 31 February for 2 March.
    const day = text.slice(0, 10);
    const dayAt = Date.parse(day);
    const isADay = !Number.isNaN(dayAt) && new Date(dayAt).toISOString().startsWith(day);
    if (isADay && !Number.isNaN(at)) return at;
    fault(name, expected);
    return undefined;
  }

  const states: FluxState[] = [];
  for (const word of parameters.getAll("state").flatMap((value) => value.split(","))) {
    const state = readFluxState(word);
    if (state !== undefined) states.push(state);
    else fault("state", `États possibles : ${FLUX_STATES.join(", ")}.`);
  }

  const short = /^[\x21-\x7e]{1,64}$/;
  const guichet = one("guichet", /^[0-9A-Za-z]{1,5}$/, "Un code de guichet est attendu.");
  const numUnique = one("numUnique", short, "Un numéro unique est attendu.");
  const sha256 = one("sha256", /^[0-9a-f]{64}$/, "64 chiffres hexadécimaux sont attendus.");
  const order = one("order", /^(oldestFirst|newestFirst)$/, "oldestFirst ou newestFirst.");
  const after = one(
    "after",
    /^[\x21-\x7e]{1,1000}$/,
    "La valeur « next » d'une page est attendue.",
  );
  const limitText = one("limit", /^[0-9]{1,3}$/, `Un nombre de 1 à ${MAX_LIMIT} est attendu.`);
  const limit = limitText === undefined ? DEFAULT_LIMIT : Number(limitText);
  if (limit < 1 || limit > MAX_LIMIT) fault("limit", `Un nombre de 1 à ${MAX_LIMIT} est attendu.`);
  const receivedFrom = date("receivedFrom");
  const receivedBefore = date("receivedBefore");

  if (faults.length > 0) return { kind: "faults", faults };
  return {
    kind: "read",
    query: {
      limit,
      ...(states.length === 0 ? {} : { states: [...new Set(states)] }),
      ...(guichet === undefined ? {} : { guichet }),
      ...(numUnique === undefined ? {} : { numUnique }),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(receivedFrom === undefined ? {} : { receivedFrom }),
      ...(receivedBefore === undefined ? {} : { receivedBefore }),
      ...(order === "newestFirst" ? { order: "newestFirst" as const } : {}),
      ...(after === undefined ? {} : { after }),
    },
  };
}
