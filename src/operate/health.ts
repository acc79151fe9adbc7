/**
 * Liveness and readiness, told apart: alive means this process still turns; ready means it can keep
 * a flux. An SNE that is down makes nothing unready: keeping is what the gateway is for.
 */
import { messageOf } from "../domain/errors.ts";
import type { BreakerState } from "../forward/breaker.ts";
import type { Outbox } from "../keep/outbox.ts";

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly detail: string;
  }[];
}

export interface Health {
  readiness(): Promise<Readiness>;
  /** From now on the gateway is not ready: it is stopping. */
  stopping(): void;
}

export function makeHealth({
  outbox,
  breakerState,
}: {
  outbox: Pick<Outbox, "probe">;
  /** Undefined when no SNE address is set. */
  breakerState: () => BreakerState | undefined;
}): Health {
  let isStopping = false;
  return {
    stopping: () => {
      isStopping = true;
    },
    readiness: async () => {
      let store = { name: "store", ok: true, detail: "écrit" };
      try {
        await outbox.probe();
      } catch (error) {
        store = { name: "store", ok: false, detail: messageOf(error) };
      }
      const sne = breakerState();
      const checks = [
        store,
        // For the reader only: it never makes the gateway unready.
        { name: "sne", ok: true, detail: sne ?? "aucune adresse réglée" },
        {
          name: "process",
          ok: !isStopping,
          detail: isStopping ? "en cours d'arrêt" : "en service",
        },
      ];
      return { ready: checks.every((check) => check.ok), checks };
    },
  };
}
