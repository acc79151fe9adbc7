/**
 * Hands the acquittement of a flux to who asks for it (capability D1, by collection): our XML or the
 * same as JSON, the SNE's own answer file and its attestation, byte for byte.
 *
 * Promise: it can be fetched as often as needed, before and after it counts as collected. It counts
 * once the whole answer was handed to the network of a guichet that is to collect it; a guichet that
 * lost it on the way fetches it again.
 */
import type { Response } from "express";
import type { AcquittementParcel } from "../../acknowledge/return-channel.ts";
import { messageOf } from "../../domain/errors.ts";
import type { Flux } from "../../domain/flux.ts";
import type { Outbox, StoredFile } from "../../keep/outbox.ts";
import type { Log } from "../../runtime/log.ts";
import type { IdentifyCaller } from "./access.ts";
import { acquittementJson } from "./acquittement-json.ts";
import { findSeen } from "./api-follow.ts";
import type { Collect } from "../../acknowledge/collect.ts";
import type { Confirm } from "../../acknowledge/confirm.ts";
import { fluxView, iso } from "./flux-view.ts";
import type { InHand } from "./in-hand.ts";
import { forCaller, type Handle, type Route } from "./mount-routes.ts";
import { sendProblem } from "./problem.ts";
import { sendJson } from "./send-json.ts";

export function makeAcquittementRoutes({
  identify,
  outbox,
  composeParcel,
  collect,
  confirm,
  inHand,
  log,
}: {
  identify: IdentifyCaller;
  outbox: Pick<Outbox, "find">;
  composeParcel: (flux: Flux) => Promise<AcquittementParcel | undefined>;
  collect: Collect;
  confirm: Confirm;
  inHand: InHand;
  log: Log;
}): readonly Route[] {
  const acquittement = forCaller(identify, async (request, response, caller) => {
    const flux = await findSeen(outbox, request, caller);
    if (flux === undefined) return sendProblem(request, response, "NOT_FOUND");
    response.vary("Accept");
    const form = request.accepts(["application/xml", "text/xml", "application/json"]);
    if (form === false) return sendProblem(request, response, "NOT_ACCEPTABLE");
    const parcel = await composeParcel(flux);
    if (parcel === undefined) return sendProblem(request, response, "NOT_YET");

    // HEAD asks whether it is there; only who reads it has collected it.
    if (request.method === "GET" && caller.kind === "guichet") {
      response.once("finish", () => {
        void inHand.track(
          collect(flux).catch((error: unknown) => {
            // Still owed, and told so: the guichet, or another fetch, ends it later.
            log.error("acquittement.collectionNotKept", {
              fluxId: flux.id,
              error: messageOf(error),
            });
          }),
        );
      });
    }
    if (form === "application/json") {
      const json = JSON.stringify(await acquittementJson(parcel.xml.bytes));
      sendFile(response, { name: "", bytes: Buffer.from(json) }, "application/json; charset=utf-8");
    } else {
      sendFile(response, parcel.xml, `${form}; charset=utf-8`);
    }
  });

  /** The SNE's own files: they hold the demande, which only the guichet that sent it may read. */
  function ownFile(
    pick: (parcel: AcquittementParcel) => StoredFile | undefined,
    contentType: string,
  ): Handle {
    return forCaller(identify, async (request, response, caller) => {
      if (caller.kind === "operator") {
        return sendProblem(request, response, "NOT_PERMITTED", {
          detail: "Ce fichier contient des données personnelles : seul son guichet peut le lire.",
          advice: "Utilisez la clé du guichet.",
        });
      }
      const flux = await findSeen(outbox, request, caller);
      if (flux === undefined) return sendProblem(request, response, "NOT_FOUND");
      const parcel = await composeParcel(flux);
      if (parcel === undefined) return sendProblem(request, response, "NOT_YET");
      const file = pick(parcel);
      // Which of them there were is not known any more.
      if (file === undefined && flux.erasedAt !== undefined && flux.verdict?.by === "sne") {
        return sendProblem(request, response, "FILES_ERASED");
      }
      if (file === undefined) {
        return sendProblem(request, response, "NOT_FOUND", {
          detail: "Le SNE n'a pas rendu ce fichier pour ce flux.",
          advice: "Lisez l'acquittement : il dit ce qui a été répondu et par qui.",
        });
      }
      sendFile(response, file, contentType);
    });
  }

  const confirmation = forCaller(identify, async (request, response, caller) => {
    if (caller.kind === "operator") {
      return sendProblem(request, response, "NOT_PERMITTED", {
        detail: "Seul le guichet dit qu'il a bien reçu son acquittement.",
        advice: "Utilisez la clé du guichet.",
      });
    }
    const flux = await findSeen(outbox, request, caller);
    if (flux === undefined) return sendProblem(request, response, "NOT_FOUND");
    const result = await confirm(flux, "rest");
    if (result.kind === "notYet") return sendProblem(request, response, "NOT_YET");
    sendJson(response, 200, {
      ...fluxView(result.flux, caller),
      confirmedAt: iso(result.at),
    });
  });

  const path = "/api/v1/fluxes/:id/acquittement";
  return [
    { method: "get", path, handle: acquittement },
    { method: "post", path: `${path}/confirmation`, handle: confirmation },
    {
      method: "get",
      path: `${path}/reponse`,
      // The bytes are the SNE's, with the encoding its XML declares: no charset is added.
      handle: ownFile((parcel) => parcel.answer, "application/xml"),
    },
    {
      method: "get",
      path: `${path}/attestation`,
      handle: ownFile((parcel) => parcel.attestation, "application/octet-stream"),
    },
  ];
}

function sendFile(response: Response, file: StoredFile, contentType: string): void {
  if (file.name !== "") response.attachment(file.name);
  response.set({
    "Content-Type": contentType,
    "Content-Length": String(file.bytes.length),
    "Content-Language": "fr",
    "Cache-Control": "no-store",
  });
  // Without express's own `send`, which would add a charset to the type.
  response.end(Buffer.from(file.bytes));
}
