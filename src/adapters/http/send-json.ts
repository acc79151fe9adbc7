/** Answers JSON in French, never kept by a cache: a state may change at the next moment. */
import type { Response } from "express";

export function sendJson(response: Response, status: number, body: unknown): void {
  response
    .status(status)
    .set({ "Content-Language": "fr", "Cache-Control": "no-store" })
    .type("application/json")
    .send(JSON.stringify(body));
}
