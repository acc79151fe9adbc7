/**
 * Follow-up by REST: where a flux is, why, since when, and all that happened to it. A guichet sees
 * its own fluxes only; those of others answer 404, as if they were not.
 */
import type { Request } from "express";
import { isFluxId } from "../../domain/flux-id.ts";
import type { Flux } from "../../domain/flux.ts";
import type { Outbox } from "../../keep/outbox.ts";
import type { Clock } from "../../runtime/clock.ts";
import { maySee, type Caller, type IdentifyCaller } from "./access.ts";
import { fluxPath, fluxView, journalView } from "./flux-view.ts";
import { forCaller, type Route } from "./mount-routes.ts";
import { sendProblem } from "./problem.ts";
import { readFluxQuery } from "./read-flux-query.ts";
import { sendJson } from "./send-json.ts";
import { makeTellWaiting, type BreakerView } from "../../operate/why-waiting.ts";

/** Finds the flux of a path, when it is one of ours and this caller may see it. */
export async function findSeen(
  outbox: Pick<Outbox, "find">,
  request: Request,
  caller: Caller,
): Promise<Flux | undefined> {
  const id = request.params["id"];
  if (typeof id !== "string" || !isFluxId(id)) return undefined;
  const flux = await outbox.find(id);
  return flux !== undefined && maySee(caller, flux.guichet) ? flux : undefined;
}

export function makeFollowRoutes({
  identify,
  outbox,
  breaker,
  clock,
}: {
  identify: IdentifyCaller;
  outbox: Pick<Outbox, "find" | "holderOf" | "list" | "journal">;
  /** Absent when no SNE address is set. */
  breaker?: BreakerView;
  clock: Clock;
}): readonly Route[] {
  const tellWaiting = makeTellWaiting({
    outbox,
    clock,
    ...(breaker === undefined ? {} : { breaker }),
  });
  const list = forCaller(identify, async (request, response, caller) => {
    const { searchParams } = new URL(request.url, "http://localhost");
    const reading = readFluxQuery(searchParams);
    if (reading.kind === "faults") {
      return sendProblem(request, response, "INVALID_REQUEST", {
        details: { detail: "des paramètres ne sont pas acceptables" },
        fields: reading.faults,
      });
    }
    const asked = reading.query.guichet;
    if (caller.kind === "guichet" && asked !== undefined && asked !== caller.guichet.code) {
      return sendProblem(request, response, "NOT_PERMITTED", {
        detail: "Un guichet ne voit que ses propres flux.",
        advice: "Retirez le paramètre guichet, ou donnez-lui le code de votre guichet.",
      });
    }
    const own = caller.kind === "guichet" ? { guichet: caller.guichet.code } : {};
    const page = await outbox.list({ ...reading.query, ...own });
    let next: string | undefined;
    if (page.next !== undefined) {
      searchParams.set("after", page.next);
      next = `/api/v1/fluxes?${searchParams.toString()}`;
    }
    sendJson(response, 200, {
      fluxes: page.fluxes.map((flux) => fluxView(flux, caller)),
      ...(page.next === undefined ? {} : { next: page.next }),
      links: { self: request.originalUrl, ...(next === undefined ? {} : { next }) },
    });
  });

  const show = forCaller(identify, async (request, response, caller) => {
    const flux = await findSeen(outbox, request, caller);
    if (flux === undefined) return sendProblem(request, response, "NOT_FOUND");
    sendJson(response, 200, fluxView(flux, caller, await tellWaiting(flux)));
  });

  const journal = forCaller(identify, async (request, response, caller) => {
    const flux = await findSeen(outbox, request, caller);
    if (flux === undefined) return sendProblem(request, response, "NOT_FOUND");
    const entries = await outbox.journal(flux.id);
    sendJson(response, 200, {
      fluxId: flux.id,
      journal: journalView(entries, caller),
      links: { self: `${fluxPath(flux.id)}/journal`, flux: fluxPath(flux.id) },
    });
  });

  return [
    { method: "get", path: "/api/v1/fluxes", handle: list },
    { method: "get", path: "/api/v1/fluxes/:id", handle: show },
    { method: "get", path: "/api/v1/fluxes/:id/journal", handle: journal },
  ];
}
