/**
 * The express application: which routes there are, what comes before them, and what is said of a
 * request that none of them takes. No error ever shows its stack.
 */
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import helmet from "helmet";
import { GatewayError, messageWithCauseOf } from "../../domain/errors.ts";
import type { Chance, Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { InHand } from "./in-hand.ts";
import type { Metrics } from "./metrics.ts";
import { mountRoutes, type Route } from "./mount-routes.ts";
import { sendProblem } from "./problem.ts";

export function makeHttpApp({
  routes,
  alwaysServed,
  isStopping,
  inHand,
  metrics,
  clock,
  chance,
  log,
}: {
  routes: readonly Route[];
  /** Served even while the gateway stops: health and metrics. */
  alwaysServed: readonly Route[];
  isStopping: () => boolean;
  inHand: InHand;
  metrics: Metrics;
  clock: Clock;
  chance: Chance;
  log: Log;
}): Express {
  const app = express();
  // A 304 would say "you have it" without our knowing that it was read.
  app.disable("etag");
  app.enable("case sensitive routing");
  app.enable("strict routing");
  // Queries are read by `read-flux-query.ts`, as the URL standard says, not by express.
  app.set("query parser", false);

  // Among others: no x-powered-by, nosniff, no framing.
  app.use(helmet({ contentSecurityPolicy: { directives: { "default-src": ["'none'"] } } }));
  app.use(measure);
  app.use(refuseMalformedPath);
  mountRoutes(app, alwaysServed, inHand);
  app.use((request, response, next) => {
    if (!isStopping()) {
      next();
      return;
    }
    log.info("http.turnedAway", { code: "STOPPING" });
    response.set("Connection", "close");
    return sendProblem(request, response, "STOPPING");
  });
  mountRoutes(app, routes, inHand);
  app.use((request, response) =>
    sendProblem(request, response, "NOT_FOUND", {
      detail: "Rien ne se trouve à cette adresse.",
      advice: "Le contrat est à /api/v1/openapi.json.",
    }),
  );
  app.use(tell);
  return app;

  function measure(request: Request, response: Response, next: NextFunction): void {
    const startedAt = clock.now();
    response.once("close", () => {
      const route = request.route as { readonly path?: unknown } | undefined;
      const path = typeof route?.path === "string" ? route.path : "(aucune)";
      const method = ["GET", "HEAD", "POST"].find((known) => known === request.method) ?? "autre";
      const ms = clock.now() - startedAt;
      metrics.requestAnswered(method, path, response.statusCode, ms / 1000);
      // The route, never the address asked: a query may hold a numéro unique.
      log.debug("http.answered", { method, route: path, status: response.statusCode, ms });
    });
    next();
  }

  function refuseMalformedPath(request: Request, response: Response, next: NextFunction): unknown {
    try {
      decodeURIComponent(request.path);
    } catch {
      return sendProblem(request, response, "INVALID_REQUEST", {
        details: { detail: "l'adresse contient un codage « % » incorrect" },
      });
    }
    next();
    return undefined;
  }

  /* Express knows a handler of errors by its four parameters. */
  /* eslint-disable @typescript-eslint/no-unused-vars */
  function tell(
    error: unknown,
    request: Request,
    response: Response,
    _next: NextFunction,
  ): Promise<void> {
    /* eslint-enable @typescript-eslint/no-unused-vars */
    if (error instanceof GatewayError && error.code !== "INTERNAL_ERROR") {
      log.warn("http.turnedAway", { code: error.code });
      return sendProblem(request, response, error.code, { details: error.details });
    }
    const correlationId = Buffer.from(chance.bytes(8)).toString("hex");
    log.error("http.unexpected", {
      correlationId,
      error: messageWithCauseOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
    return sendProblem(request, response, "INTERNAL_ERROR", { correlationId });
  }
}
