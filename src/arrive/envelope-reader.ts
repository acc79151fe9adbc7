/** What reading a file as an interfaceNuu gives: its envelope, or why it cannot be routed and where. */
import type { Envelope } from "../domain/flux.ts";
import type { Control } from "../domain/outcome.ts";
import type { FileDocument } from "../domain/sne-operation.ts";

export type EnvelopeReading =
  | { readonly kind: "read"; readonly envelope: Omit<Envelope, "sequence"> }
  | { readonly kind: "unreadable"; readonly control: Control };

/**
 * Reads the whole file: a document that is not well-formed to its last byte is unreadable. Never
 * resolves an entity, never follows a reference. Synchronous: it is on the path of every arrival.
 *
 * @param document - which of the documents rooted in interfaceNuu it must be @defaultValue "demande"
 */
export type ReadEnvelope = (file: Uint8Array, document?: FileDocument) => EnvelopeReading;
