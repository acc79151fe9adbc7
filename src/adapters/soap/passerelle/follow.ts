/**
 * `suivreFlux` and `listerFluxDepuis`: where a flux is, why, what it waits for. A guichet sees its own
 * only: those of others are answered as if they were not.
 */
import { isFluxId } from "../../../domain/flux-id.ts";
import { FLUX_STATES, type FluxState } from "../../../domain/flux-state.ts";
import type { Flux } from "../../../domain/flux.ts";
import type { Guichet } from "../../../domain/guichet.ts";
import type { FluxQuery, Outbox } from "../../../keep/outbox.ts";
import type { TellWaiting } from "../../../operate/why-waiting.ts";
import { element } from "../elements.ts";
import { fluxElement, STATE_CODES } from "./flux-elements.ts";
import { parameterError, type ServeOperation, type Served } from "../service-call.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** Finds a flux of this guichet by its identifier. */
export async function findOwn(
  outbox: Pick<Outbox, "find">,
  guichet: Guichet,
  given: string | undefined,
): Promise<Flux | undefined> {
  const id = given?.trim() ?? "";
  if (!isFluxId(id)) return undefined;
  const flux = await outbox.find(id);
  return flux?.guichet === guichet.code ? flux : undefined;
}

export const NOT_FOUND: Served = { kind: "error", error: { code: "NOT_FOUND" } };

export function makeFollow({
  outbox,
  tellWaiting,
}: {
  outbox: Pick<Outbox, "find">;
  tellWaiting: TellWaiting;
}): ServeOperation {
  return async ({ parameters, guichet }) => {
    const flux = await findOwn(outbox, guichet, parameters.text("identifiant"));
    if (flux === undefined) return NOT_FOUND;
    return { kind: "answer", results: [fluxElement(flux, await tellWaiting(flux))] };
  };
}

export function makeList({ outbox }: { outbox: Pick<Outbox, "list"> }): ServeOperation {
  return async ({ parameters, guichet }) => {
    const since = parameters.text("depuis");
    const receivedFrom = since === undefined ? undefined : timeOf(since);
    const states = parameters.texts("etat").map((word) => stateOf(word.trim()));
    if (states.includes(undefined)) {
      const known = Object.values(STATE_CODES).join(", ");
      return parameterError("etat", `états possibles : ${known}.`);
    }
    const asked = parameters.text("limite")?.trim() ?? String(DEFAULT_LIMIT);
    const limit = /^\+?\d{1,6}$/.test(asked) ? Number(asked) : 0;
    if (limit < 1 || limit > MAX_LIMIT) {
      return parameterError("limite", `un nombre de 1 à ${MAX_LIMIT} est attendu.`);
    }
    const after = parameters.text("curseur")?.trim();
    if (after !== undefined && !/^[\x21-\x7e]{1,1000}$/.test(after)) {
      return parameterError("curseur", "le curseur d'une page est attendu, tel quel.");
    }
    const query: FluxQuery = {
      guichet: guichet.code,
      limit,
      ...(receivedFrom === undefined ? {} : { receivedFrom }),
      ...(states.length === 0
        ? {}
        : { states: [...new Set(states.filter((state) => state !== undefined))] }),
      ...(after === undefined ? {} : { after }),
    };
    const page = await outbox.list(query);
    return {
      kind: "answer",
      results: [...page.fluxes.map((flux) => fluxElement(flux)), ...element("curseur", page.next)],
    };
  };
}

function stateOf(code: string): FluxState | undefined {
  return FLUX_STATES.find((state) => STATE_CODES[state] === code);
}

/** @param text - an xs:dateTime already checked; without an offset, in UTC. @returns ms since the epoch */
function timeOf(text: string): number {
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}
