/**
 * Liveness, readiness and metrics (capability F7). Open to whoever reaches the port: they tell
 * counts, codes of guichets and states of parts, never a flux nor its content. Where that is too
 * much, the port is bound to an inner address or a proxy keeps these paths (docs/operations.md).
 */
import type { Health } from "../../operate/health.ts";
import type { Metrics } from "./metrics.ts";
import type { Route } from "./mount-routes.ts";
import { sendJson } from "./send-json.ts";

export function makeHealthRoutes({
  health,
  metrics,
  version,
}: {
  health: Health;
  metrics: Metrics;
  version: string;
}): readonly Route[] {
  return [
    {
      method: "get",
      path: "/livez",
      handle: (_request, response) => sendJson(response, 200, { alive: true, version }),
    },
    {
      method: "get",
      path: "/readyz",
      handle: async (_request, response) => {
        const readiness = await health.readiness();
        sendJson(response, readiness.ready ? 200 : 503, readiness);
      },
    },
    {
      method: "get",
      path: "/metrics",
      handle: async (_request, response) => {
        const text = await metrics.expose();
        response.set({ "Content-Type": metrics.contentType, "Cache-Control": "no-store" });
        response.status(200).send(text);
      },
    },
  ];
}
