/** What an operator does and asks by REST (capabilities F5, E5): four moves and the bilan. */
import type { Request, Response } from "express";
import type { Flux } from "../../domain/flux.ts";
import { isFluxId } from "../../domain/flux-id.ts";
import type { Outbox } from "../../keep/outbox.ts";
import type { OperationResult, Operations } from "../../operate/operations.ts";
import { readBilan } from "../../reconcile/bilan.ts";
import { readContentType } from "../../wire/content-type.ts";
import type { IdentifyCaller } from "./access.ts";
import { fluxView, iso } from "./flux-view.ts";
import { forOperator, type Route } from "./mount-routes.ts";
import { hasBody, sendProblem } from "./problem.ts";
import { readBody } from "./read-body.ts";
import {
  readDiscard,
  readPlainOperation,
  readResolution,
  type OperationReading,
} from "./read-operation.ts";
import { sendJson } from "./send-json.ts";

/** An order of an operator is a few hundred bytes. */
const MAX_JSON_BYTES = 16 * 1024;

export function makeOperationRoutes({
  identify,
  operations,
  outbox,
  numeroUniquePattern,
}: {
  identify: IdentifyCaller;
  operations: Operations;
  outbox: Pick<Outbox, "counts">;
  numeroUniquePattern: RegExp;
}): readonly Route[] {
  function operation<T>(
    name: string,
    read: (body: unknown) => OperationReading<T>,
    run: (fluxId: string, order: T) => Promise<OperationResult>,
  ): Route {
    const handle = forOperator(identify, async (request, response) => {
      const id = request.params["id"];
      if (typeof id !== "string" || !isFluxId(id)) {
        return sendProblem(request, response, "NOT_FOUND");
      }
      const body = await readJson(request, response);
      if (body === undefined) return;
      const order = read(body.value);
      if (order.kind === "faults") {
        return sendProblem(request, response, "INVALID_REQUEST", {
          details: { detail: "des champs ne sont pas acceptables" },
          fields: order.faults,
        });
      }
      return answer(request, response, await run(id, order.value));
    });
    return { method: "post", path: `/api/v1/fluxes/:id/${name}`, handle };
  }

  const bilan = forOperator(identify, async (_request, response) => {
    const counted = readBilan(await outbox.counts());
    sendJson(response, 200, { ...counted, oldestKeptAt: iso(counted.oldestKeptAt) });
  });

  return [
    operation(
      "resolve",
      (body) => readResolution(body, numeroUniquePattern),
      (id, { resolution, operator }) => operations.resolve(id, resolution, operator),
    ),
    operation("resubmit", readPlainOperation, (id, { operator }) =>
      operations.resubmit(id, operator),
    ),
    operation("release", readPlainOperation, (id, { operator }) =>
      operations.release(id, operator),
    ),
    operation("discard", readDiscard, (id, { reason, operator }) =>
      operations.discard(id, reason, operator),
    ),
    { method: "get", path: "/api/v1/bilan", handle: bilan },
  ];
}

function answer(request: Request, response: Response, result: OperationResult): Promise<void> {
  switch (result.kind) {
    case "done":
      sendJson(response, 200, fluxView(result.flux, { kind: "operator", by: "key" }));
      return Promise.resolve();
    case "notFound":
      return sendProblem(request, response, "NOT_FOUND");
    case "notAllowed":
      return sendProblem(request, response, "MOVE_NOT_ALLOWED", {
        details: { state: result.flux.state },
        fluxId: result.flux.id,
      });
    case "repeatOf":
      return sendProblem(request, response, "MOVE_NOT_ALLOWED", {
        detail:
          "Un autre flux porte le même contenu : libérer celui-ci l'enverrait deux fois au SNE.",
        advice: "Suivez l'autre flux (fluxId) ; abandonnez celui-ci.",
        fluxId: result.first.id,
      });
    case "unknownGuichet":
      return sendProblem(request, response, "MOVE_NOT_ALLOWED", unknownGuichet(result.flux));
  }
}

function unknownGuichet(flux: Flux): { detail: string; advice: string; fluxId: string } {
  const named = flux.envelope?.numGuichet;
  return {
    detail:
      named === undefined
        ? "Le fichier n'a pas pu être lu : on ne sait pas quel guichet il concerne."
        : `Le guichet ${named} que nomme le fichier n'est pas déclaré.`,
    advice: "Déclarez le guichet dans config/guichets.json, ou abandonnez le flux.",
    fluxId: flux.id,
  };
}

/** The JSON of a request, `{}` when it has no body; undefined once a problem was answered. */
async function readJson(
  request: Request,
  response: Response,
): Promise<{ readonly value: unknown } | undefined> {
  if (!hasBody(request)) return { value: {} };
  const type = request.headers["content-type"];
  const coding = request.headers["content-encoding"] ?? "identity";
  if (readContentType(type)?.type !== "application/json" || coding !== "identity") {
    await sendProblem(request, response, "UNSUPPORTED_MEDIA_TYPE", {
      detail: "Un corps application/json, non compressé, est attendu.",
      advice: "Envoyez Content-Type: application/json.",
    });
    return undefined;
  }
  const body = await readBody(request, response, MAX_JSON_BYTES);
  if (body.kind === "gone") {
    response.destroy();
    return undefined;
  }
  if (body.kind === "tooLarge") {
    await sendProblem(request, response, "FILE_TOO_LARGE", {
      detail: `Le corps dépasse ${MAX_JSON_BYTES} octets.`,
      advice: "Un ordre d'exploitant tient en quelques centaines d'octets.",
    });
    return undefined;
  }
  try {
    return { value: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body.bytes)) };
  } catch {
    await sendProblem(request, response, "INVALID_REQUEST", {
      details: { detail: "le corps n'est pas du JSON en UTF-8" },
    });
    return undefined;
  }
}
