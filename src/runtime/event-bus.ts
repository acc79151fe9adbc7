/** Tells events to whoever listens, at once and in order. A listener that throws stops nobody. */
import type { Events, GatewayEvent } from "../domain/events.ts";
import { messageOf } from "../domain/errors.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

export function makeEventBus({ clock, log }: { clock: Clock; log: Log }): Events {
  const listeners: ((event: GatewayEvent) => void)[] = [];
  return {
    listen: (listener) => {
      listeners.push(listener);
    },
    emit: (name, { fluxId, guichet, detail }) => {
      const event: GatewayEvent = {
        name,
        at: clock.now(),
        ...(fluxId === undefined ? {} : { fluxId }),
        ...(guichet === undefined ? {} : { guichet }),
        detail: detail ?? {},
      };
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          log.error("event.listenerFailed", { event: name, error: messageOf(error) });
        }
      }
    },
  };
}
