/**
 * Reads the body of a request into memory, never more than a limit: what is over is known while it
 * comes, or before, when the sender announces its length.
 */
import type { Request, Response } from "express";

export type BodyReading =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "tooLarge" }
  /** The sender left before the end: nobody is there to be answered. */
  | { readonly kind: "gone" };

/** @param maxBytes - the largest body taken, bytes */
export function readBody(
  request: Request,
  response: Response,
  maxBytes: number,
): Promise<BodyReading> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes) return Promise.resolve({ kind: "tooLarge" });
  // Asked only now, so that a body that would be refused is never sent (RFC 9110 section 10.1.1).
  if (request.headers.expect !== undefined) response.writeContinue();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    function end(reading: BodyReading): void {
      request.off("data", take).off("end", whole).off("close", gone).off("error", gone);
      // A late error must not be one that nobody listens to.
      request.on("error", () => undefined);
      resolve(reading);
    }
    function take(chunk: Buffer): void {
      length += chunk.length;
      if (length > maxBytes) {
        request.pause();
        end({ kind: "tooLarge" });
      } else {
        chunks.push(chunk);
      }
    }
    function whole(): void {
      end({ kind: "read", bytes: Buffer.concat(chunks, length) });
    }
    function gone(): void {
      end({ kind: "gone" });
    }
    request.on("data", take).on("end", whole).on("close", gone).on("error", gone);
  });
}
