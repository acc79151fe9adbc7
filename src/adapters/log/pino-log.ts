/**
 * JSON logs on standard output, one line per event, by pino. Promise: only named facts are written,
 * and the fields that could carry personal data are cut out whatever a caller puts there.
 */
import { destination, pino } from "pino";
import type { Log, LogFacts } from "../../runtime/log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface PinoLog extends Log {
  /** Writes what is still in memory; call it before the process ends. */
  flush(): void;
}

/** @param name - the gateway's name, on every line */
export function makePinoLog({ level, name }: { level: LogLevel; name: string }): PinoLog {
  const output = destination({ fd: 1, sync: true });
  const logger = pino(
    {
      level,
      base: { gateway: name },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: "event",
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ["nom", "prenom", "subject", "numeroUnique", "numUnique", "body"],
        remove: true,
      },
    },
    output,
  );
  const at =
    (write: "debug" | "info" | "warn" | "error") =>
    (event: string, facts: LogFacts = {}): void => {
      logger[write](facts, event);
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    flush: () => output.flushSync(),
  };
}
