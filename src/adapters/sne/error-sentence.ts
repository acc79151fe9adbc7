/**
 * The SNE's one known server error: a sentence, anywhere in what is not an answer (sne-facts,
 * section 2). libsne finds it by its text; so do we, since no status or code is known to go with it.
 */

export const ERROR_SENTENCE =
  "Une erreur inattendue est survenue lors du traitement de la demande.";

/** Without its full stop; all ASCII, hence the same bytes in every encoding the SNE may use. */
const ESSENCE = ERROR_SENTENCE.slice(0, -1);
const ESSENCE_BYTES = Buffer.from(ESSENCE, "latin1");
/** How far it is looked for, bytes. */
const REACH = 1024 * 1024;

export function bytesHoldErrorSentence(bytes: Uint8Array): boolean {
  const reach = Math.min(bytes.byteLength, REACH);
  return Buffer.from(bytes.buffer, bytes.byteOffset, reach).includes(ESSENCE_BYTES);
}

export function textHoldsErrorSentence(text: string): boolean {
  return text.includes(ESSENCE);
}
