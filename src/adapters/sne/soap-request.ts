/**
 * Writes the SOAP 1.2 request as MTOM (W3C XOP 1.0 section 4, MTOM section 3): the envelope in the
 * root part, each file raw in a part of its own, named by `xop:Include`.
 *
 * node-soap labels such a message `text/xml`; the labels here are those of SOAP 1.2. The action
 * stands where its readers look: outer `action` parameter (libsne, Apache CXF: the first `action=`
 * of the header) and the root part's `type` (W3C examples). An empty certificate still has its part,
 * as libsne sends it: the one form the SNE is known to take.
 */
import { escapeXml } from "../../wire/xml-text.ts";
import { writeContentType } from "../../wire/content-type.ts";
import { writeMultipart } from "../../wire/multipart-related.ts";

const ROOT_ID = "<enveloppe@passerelle>";

/** A file beside the envelope. */
export interface AttachedFile {
  /** Content-ID without brackets. */
  readonly id: string;
  /** Of the MIME part. */
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export function writeSoapRequest(request: {
  readonly envelope: string;
  readonly action: string;
  readonly files: readonly AttachedFile[];
  /** Must not occur in any file: made of chance. */
  readonly boundary: string;
}): { readonly contentType: string; readonly body: Uint8Array } {
  const { envelope, action, files, boundary } = request;
  const body = writeMultipart(boundary, [
    {
      headers: {
        "Content-Type": writeContentType("application/xop+xml", {
          charset: "UTF-8",
          type: `application/soap+xml; action="${action}"`,
        }),
        "Content-Transfer-Encoding": "8bit",
        "Content-ID": ROOT_ID,
      },
      bytes: Buffer.from(envelope, "utf8"),
    },
    ...files.map(({ id, contentType, bytes }) => ({
      headers: {
        "Content-Type": contentType,
        "Content-Transfer-Encoding": "binary",
        "Content-ID": `<${id}>`,
      },
      bytes,
    })),
  ]);
  const contentType = writeContentType("multipart/related", {
    type: "application/xop+xml",
    boundary,
    start: ROOT_ID,
    "start-info": "application/soap+xml",
    action,
  });
  return { contentType, body };
}

/** The element content that names a file beside the envelope. */
export function includeOf(id: string): string {
  return `<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:${escapeXml(id)}"/>`;
}
