/**
 * Mounts a list of routes on express: what is not listed answers 404, and a method that a path does
 * not take answers 405 with `Allow` (RFC 9110 section 15.5.6).
 */
import type { Express, Request, Response } from "express";
import { ERRORS, type ErrorCode } from "../../domain/errors.ts";
import type { InHand } from "./in-hand.ts";
import { sendProblem } from "./problem.ts";
import type { Caller, IdentifyCaller } from "./access.ts";

export type Handle = (request: Request, response: Response) => Promise<void> | void;

export interface Route {
  readonly method: "get" | "post";
  /** An express path (`/api/v1/fluxes/:id`). */
  readonly path: string;
  readonly handle: Handle;
}

export function mountRoutes(app: Express, routes: readonly Route[], inHand: InHand): void {
  for (const [path, ofPath] of Map.groupBy(routes, (route) => route.path)) {
    const route = app.route(path);
    for (const { method, handle } of ofPath) {
      route[method]((request, response) =>
        inHand.track(Promise.resolve(handle(request, response))),
      );
    }
    const allowed = ofPath.flatMap(({ method }) => (method === "get" ? ["GET", "HEAD"] : ["POST"]));
    route.all((request, response) =>
      sendProblem(request, response, "METHOD_NOT_ALLOWED", {
        headers: { Allow: allowed.join(", ") },
      }),
    );
  }
}

/** Lets a handler run only for someone known, and tells it who. */
export function forCaller(
  identify: IdentifyCaller,
  handle: (request: Request, response: Response, caller: Caller) => Promise<void>,
): Handle {
  return (request, response) => {
    const access = identify(request);
    return access.kind === "denied"
      ? sendDenied(request, response, access.code, identify)
      : handle(request, response, access.caller);
  };
}

/** RFC 9110 section 15.5.2: a 401 names the ways to authenticate. */
export function sendDenied(
  request: Request,
  response: Response,
  code: ErrorCode,
  { challenges }: Pick<IdentifyCaller, "challenges">,
): Promise<void> {
  const headers = ERRORS[code].status === 401 ? { "WWW-Authenticate": challenges } : {};
  return sendProblem(request, response, code, { headers });
}

/** Lets a handler run only for the operator. */
export function forOperator(
  identify: IdentifyCaller,
  handle: (request: Request, response: Response) => Promise<void>,
): Handle {
  return forCaller(identify, (request, response, caller) =>
    caller.kind === "operator"
      ? handle(request, response)
      : sendProblem(request, response, "NOT_PERMITTED"),
  );
}
