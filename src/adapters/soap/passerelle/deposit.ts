/**
 * `deposerFlux`: one file a call, answered at once, as the REST interface does.
 *
 * Promise: the accusé de dépôt is written only after `receive` has resolved, so what it says is kept is
 * on disk. A client library that sends again by itself is one flux, and is told so.
 */
import type { Arrival, Receive, Reception } from "../../../arrive/arrival.ts";
import type { Events } from "../../../domain/events.ts";
import {
  errorText,
  gatewayError,
  isErrorCode,
  messageOf,
  systemCodeOf,
} from "../../../domain/errors.ts";
import type { Flux } from "../../../domain/flux.ts";
import type { Control } from "../../../domain/outcome.ts";
import { element, instant } from "../elements.ts";
import { STATE_CODES } from "./flux-elements.ts";
import {
  parameterError,
  type ServeOperation,
  type Served,
  type ServiceRequest,
} from "../service-call.ts";

/** Printable ASCII, 1 to 255 characters, as the header of the REST interface. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;

export function makeDeposit({
  receive,
  events,
}: {
  receive: Receive;
  events: Events;
}): ServeOperation {
  return async (request) => {
    const key = request.parameters.text("cleIdempotence");
    if (key !== undefined && !IDEMPOTENCY_KEY.test(key)) {
      const expected = "de 1 à 255 caractères ASCII imprimables sont attendus.";
      return parameterError("cleIdempotence", expected);
    }
    const arrival = arrivalOf(request, key);
    try {
      const [reception] = await receive(arrival);
      if (reception === undefined) throw gatewayError("INTERNAL_ERROR");
      return answer(reception);
    } catch (error) {
      events.emit("arrival.turnedAway", {
        guichet: request.guichet.code,
        detail: { channel: "soap", code: systemCodeOf(error) ?? messageOf(error) },
      });
      throw error;
    }
  };
}

function arrivalOf(
  { parameters, guichet, http }: ServiceRequest,
  key: string | undefined,
): Arrival {
  return {
    channel: "soap",
    sender: [guichet],
    files: [
      {
        name: parameters.text("nomFichier") ?? "",
        bytes: parameters.file("fichier")?.bytes ?? new Uint8Array(),
      },
    ],
    origin: {
      from: `guichet ${guichet.code}`,
      ...(http.remoteAddress === undefined ? {} : { remoteAddress: http.remoteAddress }),
    },
    // One guichet's keys are not another's: the same word is two arrivals.
    ...(key === undefined ? {} : { arrivalKey: `soap:${guichet.code}:${key}` }),
    returnTo: () => ({ channel: "soap" }),
    answersAtOnce: true,
  };
}

function answer(reception: Reception): Served {
  switch (reception.kind) {
    case "kept":
    case "quarantined":
      return accept(reception.flux, false);
    case "repeated":
    case "sameArrival":
      return accept(reception.flux, true);
    case "refused":
      return refuse(reception.controls);
    case "notAllowed":
      return {
        kind: "error",
        error: {
          code: "GUICHET_NOT_ALLOWED",
          message: reception.control.message,
          controls: [reception.control],
        },
      };
    case "keyConflict":
      return {
        kind: "error",
        error: { code: "IDEMPOTENCY_CONFLICT", fluxId: reception.first.id },
      };
  }
}

function accept(flux: Flux, repeated: boolean): Served {
  return {
    kind: "answer",
    results: [
      {
        name: "accuseDepot",
        children: [
          ...element("identifiant", flux.id),
          ...element("etat", STATE_CODES[flux.state]),
          ...element("dejaRecu", repeated),
          ...instant("recuLe", flux.receivedAt),
          ...element("guichet", flux.guichet),
          ...element("nomFichier", flux.fileName),
          ...element("empreinteSha256", flux.sha256),
          ...element("taille", flux.size),
        ],
      },
    ],
  };
}

/** One control that is an error of ours names the fault; findings of the schema share one name. */
function refuse(controls: readonly Control[]): Served {
  const [only, ...others] = controls;
  const isOne = only !== undefined && others.length === 0 && isErrorCode(only.code);
  return {
    kind: "error",
    error:
      isOne && isErrorCode(only.code)
        ? { code: only.code, message: only.message, controls }
        : { code: "SCHEMA_INVALID", message: errorText("SCHEMA_INVALID"), controls },
  };
}
