/**
 * `retirerAcquittement` and `confirmerAcquittement`: the acquittement and the SNE's own files, byte for
 * byte, as often as needed; and the guichet's word that it has them.
 *
 * Promise: it counts as collected only once the whole answer was handed to the network; a guichet that
 * lost it on the way fetches it again.
 */
import type { Collect } from "../../../acknowledge/collect.ts";
import type { Confirm } from "../../../acknowledge/confirm.ts";
import type { AcquittementParcel } from "../../../acknowledge/return-channel.ts";
import type { Flux } from "../../../domain/flux.ts";
import type { Outbox, StoredFile } from "../../../keep/outbox.ts";
import type { SoapResult } from "../soap-message.ts";
import { element, instant } from "../elements.ts";
import { STATE_CODES } from "./flux-elements.ts";
import { findOwn, NOT_FOUND } from "./follow.ts";
import type { ServeOperation } from "../service-call.ts";

export function makeFetchAcquittement({
  outbox,
  composeParcel,
  collect,
}: {
  outbox: Pick<Outbox, "find">;
  composeParcel: (flux: Flux) => Promise<AcquittementParcel | undefined>;
  collect: Collect;
}): ServeOperation {
  return async ({ parameters, guichet }) => {
    const flux = await findOwn(outbox, guichet, parameters.text("identifiant"));
    if (flux === undefined) return NOT_FOUND;
    const parcel = await composeParcel(flux);
    if (parcel === undefined) {
      return { kind: "error", error: { code: "NOT_YET", fluxId: flux.id } };
    }
    return {
      kind: "answer",
      results: [
        file("acquittement", parcel.xml, "application/xml"),
        ...(parcel.answer === undefined
          ? []
          : [file("reponseSne", parcel.answer, "application/xml")]),
        ...(parcel.attestation === undefined
          ? []
          : [file("attestation", parcel.attestation, "application/octet-stream")]),
      ],
      sent: () => collect(flux),
    };
  };
}

export function makeConfirmAcquittement({
  outbox,
  confirm,
}: {
  outbox: Pick<Outbox, "find">;
  confirm: Confirm;
}): ServeOperation {
  return async ({ parameters, guichet }) => {
    const flux = await findOwn(outbox, guichet, parameters.text("identifiant"));
    if (flux === undefined) return NOT_FOUND;
    const result = await confirm(flux, "soap");
    if (result.kind === "notYet") {
      return { kind: "error", error: { code: "NOT_YET", fluxId: flux.id } };
    }
    return {
      kind: "answer",
      results: [
        {
          name: "confirmation",
          children: [
            ...element("identifiant", flux.id),
            ...element("etat", STATE_CODES[result.flux.state]),
            ...instant("confirmeLe", result.at),
          ],
        },
      ],
    };
  };
}

function file(
  name: string,
  { name: fileName, bytes }: StoredFile,
  contentType: string,
): SoapResult {
  return {
    name,
    children: [...element("nomFichier", fileName), { name: "contenu", file: bytes, contentType }],
  };
}
