/** The log, as the rooms see it: a named event and small facts; never the content of a demande. */
export interface Log {
  debug(name: string, facts?: LogFacts): void;
  info(name: string, facts?: LogFacts): void;
  warn(name: string, facts?: LogFacts): void;
  error(name: string, facts?: LogFacts): void;
}

export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** A log that says nothing, for tests and short commands. */
export const SILENT_LOG: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
