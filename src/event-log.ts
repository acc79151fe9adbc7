/**
 * Writes every event to the log, one line each; those that ask for a person are warnings. File names
 * and notes may carry a person's name: they stay in the journal, out of the logs.
 */
import type { Events } from "./domain/events.ts";
import type { Log } from "./runtime/log.ts";

const UNLOGGED = new Set(["fileName", "note", "reason", "text"]);
const WARNINGS = new Set([
  "flux.failed",
  "flux.putInDoubt",
  "flux.quarantined",
  "breaker.opened",
  "store.failed",
  "step.failed",
  "arrival.turnedAway",
  "acquittement.postponed",
]);

export function logEvents(events: Events, log: Log): void {
  events.listen(({ name, fluxId, guichet, detail }) => {
    const facts = Object.entries(detail).filter(([key]) => !UNLOGGED.has(key));
    const line = {
      ...Object.fromEntries(facts),
      ...(fluxId === undefined ? {} : { fluxId }),
      ...(guichet === undefined ? {} : { guichet }),
    };
    if (WARNINGS.has(name)) log.warn(name, line);
    else log.info(name, line);
  });
}
