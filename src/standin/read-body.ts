/** Reads the body of an HTTP request, within a limit. */
import type { IncomingMessage } from "node:http";

/**
 * The body; `tooLarge` past the limit (the rest is let through unread); `left` when the client went
 * away before the end. Never rejects. @param limit - bytes
 */
export function readBody(
  req: IncomingMessage,
  limit: number,
): Promise<Uint8Array | "tooLarge" | "left"> {
  return new Promise((resolve) => {
    const announced = Number(req.headers["content-length"] ?? 0);
    const chunks: Buffer[] = [];
    let size = 0;
    let over = announced > limit;
    if (over) {
      resolve("tooLarge");
      req.resume();
      return;
    }
    req.on("data", (chunk: Buffer) => {
      if (over) return;
      size += chunk.length;
      if (size > limit) {
        over = true;
        chunks.length = 0;
        resolve("tooLarge");
        return;
      }
      chunks.push(chunk);
    });
    req.on("end", () => {
      resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks));
    });
    req.on("close", () => {
      resolve("left");
    });
    req.on("error", () => {
      resolve("left");
    });
  });
}
