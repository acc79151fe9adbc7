/**
 * Makes what a sender receives for a flux: the text, our XML, and the SNE's own files byte for byte.
 * Made from what is stored alone, so that it can be made again, the same, as often as needed; once
 * the files were erased (retention) it comes without them, and says so.
 */
import type { Flux } from "../domain/flux.ts";
import type { Guichets } from "../domain/guichet.ts";
import type { Outbox, StoredFile } from "../keep/outbox.ts";
import { writeAcquittementText } from "./acquittement-text.ts";
import { writeAcquittementXml } from "./acquittement-xml.ts";
import type { AcquittementParcel } from "./return-channel.ts";

/** Composes the parcel of a flux; undefined while there is no verdict to tell. */
export type ComposeParcel = (
  flux: Flux,
  options?: { readonly repeatDelivery?: string },
) => Promise<AcquittementParcel | undefined>;

export function makeParcelComposer({
  outbox,
  guichets,
}: {
  outbox: Pick<Outbox, "file">;
  guichets: Guichets;
}): ComposeParcel {
  return async (flux, { repeatDelivery } = {}) => {
    const { verdict } = flux;
    if (verdict === undefined) return undefined;
    const [answer, attestation] = await Promise.all([
      outbox.file(flux.id, "answer"),
      outbox.file(flux.id, "attestation"),
    ]);
    const language =
      (flux.guichet === undefined ? undefined : guichets.byCode(flux.guichet))?.language ?? "fr";
    const files = named(flux, answer, attestation);
    const about = {
      isRepeat: repeatDelivery !== undefined,
      ...(files.attestation === undefined ? {} : { attestationName: files.attestation.name }),
    };
    return {
      fluxId: flux.id,
      parcelId: repeatDelivery === undefined ? flux.id : `${flux.id}.${repeatDelivery}`,
      language,
      ...writeAcquittementText(flux, verdict, language, about),
      xml: { name: files.xmlName, bytes: writeAcquittementXml(flux, verdict, about) },
      ...(files.answer === undefined ? {} : { answer: files.answer }),
      ...(files.attestation === undefined ? {} : { attestation: files.attestation }),
      originalName: flux.fileName,
    };
  };
}

/**
 * Names made from the sender's own, the same by every channel: whatever the SNE calls its files, they
 * stand beside the original and differ from one another. Their bytes are untouched.
 */
function named(
  flux: Flux,
  answer: StoredFile | undefined,
  attestation: StoredFile | undefined,
): { xmlName: string; answer?: StoredFile; attestation?: StoredFile } {
  const base = flux.fileName.replace(/\.xml$/i, "");
  const ending = /\.[0-9a-z]{1,5}$/i.exec(attestation?.name ?? "")?.[0] ?? ".pdf";
  return {
    xmlName: `${base}.acquittement.xml`,
    ...(answer === undefined
      ? {}
      : { answer: { name: `${base}.reponse.xml`, bytes: answer.bytes } }),
    ...(attestation === undefined
      ? {}
      : { attestation: { name: `${base}.attestation${ending}`, bytes: attestation.bytes } }),
  };
}
