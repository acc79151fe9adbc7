/**
 * Deposit by REST (capability A6): one file a request, answered at once.
 *
 * Promise: 201 and 200 are written only after `receive` has resolved, so what they say is kept is on
 * disk. They are the accusé de dépôt (we hold it), never the acquittement (the SNE answered).
 */
import type { Request, Response } from "express";
import type { Arrival, Receive, Reception } from "../../arrive/arrival.ts";
import type { Events } from "../../domain/events.ts";
import { gatewayError, isErrorCode, messageOf, systemCodeOf } from "../../domain/errors.ts";
import type { Flux } from "../../domain/flux.ts";
import type { Guichet } from "../../domain/guichet.ts";
import type { Control } from "../../domain/outcome.ts";
import type { StoredFile } from "../../keep/outbox.ts";
import type { IdentifyCaller } from "./access.ts";
import { fluxPath, fluxView } from "./flux-view.ts";
import { forCaller, sendDenied, type Route } from "./mount-routes.ts";
import { sendProblem } from "./problem.ts";
import { readUpload } from "./read-upload.ts";
import { sendJson } from "./send-json.ts";

/** Printable ASCII, 1 to 255 characters: what every client and log can carry. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

export function makeDepositRoutes({
  identify,
  receive,
  events,
  maxBytes,
}: {
  identify: IdentifyCaller;
  receive: Receive;
  events: Events;
  /** The largest file taken, bytes. */
  maxBytes: number;
}): readonly Route[] {
  const deposit = forCaller(identify, async (request, response, caller) => {
    if (caller.kind === "operator") {
      // From this machine without a key: someone who forgot it rather than an operator.
      if (caller.by === "loopback") {
        await sendDenied(request, response, "AUTHENTICATION_REQUIRED", identify);
      } else {
        await sendProblem(request, response, "NOT_PERMITTED", {
          detail: "La clé d'exploitant ne dépose pas de flux.",
          advice: "Utilisez la clé du guichet qui envoie le fichier.",
        });
      }
      return;
    }
    const keys = request.headersDistinct["idempotency-key"] ?? [];
    if (keys.length > 1 || (keys[0] !== undefined && !IDEMPOTENCY_KEY.test(keys[0]))) {
      const message = "De 1 à 255 caractères ASCII imprimables sont attendus, une seule fois.";
      await sendProblem(request, response, "INVALID_REQUEST", {
        details: { detail: "l'en-tête Idempotency-Key n'a pas une forme acceptable" },
        fields: [{ field: "Idempotency-Key", message }],
      });
      return;
    }
    const upload = await readUpload(request, response, maxBytes);
    switch (upload.kind) {
      case "gone":
        response.destroy();
        return;
      case "problem":
        return sendProblem(request, response, upload.code, upload.facts);
      case "read": {
        const arrival = arrivalOf(request, caller.guichet, upload.file, keys[0]);
        const [reception] = await receiveOrTell(arrival);
        if (reception === undefined) throw gatewayError("INTERNAL_ERROR");
        return answer(request, response, caller.guichet, reception);
      }
    }
  });

  async function receiveOrTell(arrival: Arrival): Promise<readonly Reception[]> {
    try {
      return await receive(arrival);
    } catch (error) {
      events.emit("arrival.turnedAway", {
        ...(arrival.sender[0] === undefined ? {} : { guichet: arrival.sender[0].code }),
        detail: { channel: "rest", code: systemCodeOf(error) ?? messageOf(error) },
      });
      throw error;
    }
  }

  return [{ method: "post", path: "/api/v1/fluxes", handle: deposit }];
}

function arrivalOf(
  request: Request,
  guichet: Guichet,
  file: StoredFile,
  key: string | undefined,
): Arrival {
  const { remoteAddress } = request.socket;
  return {
    channel: "rest",
    sender: [guichet],
    files: [file],
    origin: {
      from: `guichet ${guichet.code}`,
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
    },
    // One guichet's keys are not another's: the same word is two arrivals.
    ...(key === undefined ? {} : { arrivalKey: `rest:${guichet.code}:${key}` }),
    returnTo: () => ({ channel: "rest" }),
    answersAtOnce: true,
  };
}

function answer(
  request: Request,
  response: Response,
  guichet: Guichet,
  reception: Reception,
): Promise<void> {
  switch (reception.kind) {
    case "kept":
    case "quarantined":
      return accept(response, guichet, reception.flux, { status: 201, repeated: false });
    case "repeated":
      return accept(response, guichet, reception.flux, { status: 200, repeated: true });
    case "sameArrival":
      response.set("Idempotent-Replayed", "true");
      return accept(response, guichet, reception.flux, { status: 200, repeated: true });
    case "refused":
      return refuse(request, response, reception.controls);
    case "notAllowed":
      return sendProblem(request, response, "GUICHET_NOT_ALLOWED", {
        detail: reception.control.message,
        controls: [reception.control],
      });
    case "keyConflict":
      return sendProblem(request, response, "IDEMPOTENCY_CONFLICT", {
        fluxId: reception.first.id,
      });
  }
}

function accept(
  response: Response,
  guichet: Guichet,
  flux: Flux,
  { status, repeated }: { status: 200 | 201; repeated: boolean },
): Promise<void> {
  response.location(fluxPath(flux.id));
  sendJson(response, status, { ...fluxView(flux, { kind: "guichet", guichet }), repeated });
  return Promise.resolve();
}

/** One control that is an error of ours names the problem; findings of the schema share one name. */
function refuse(request: Request, response: Response, controls: readonly Control[]): Promise<void> {
  const [only, ...others] = controls;
  if (only !== undefined && others.length === 0 && isErrorCode(only.code)) {
    return sendProblem(request, response, only.code, { detail: only.message, controls });
  }
  return sendProblem(request, response, "SCHEMA_INVALID", { controls });
}
