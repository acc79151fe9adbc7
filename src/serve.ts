/**
 * The `serve` command: reads the settings, runs the gateway until a signal, stops it cleanly.
 *
 * SIGTERM and SIGINT stop taking, finish what is in hand, and exit under GATEWAY_STOP_MS and a
 * little; a second signal exits at once, which the store survives as it survives `kill -9`.
 */
import { flushCompileCache } from "node:module";
import { readGuichetsFile } from "./adapters/config/guichets-file.ts";
import { makePinoLog } from "./adapters/log/pino-log.ts";
import { messageOf, messageWithCauseOf } from "./domain/errors.ts";
import { buildGateway, type Address, type Gateway } from "./gateway.ts";
import { partitionNames, shownStores } from "./open-stores.ts";
import { systemChance, systemClock } from "./runtime/clock.ts";
import { describeProblems, readSettings } from "./runtime/settings.ts";

/** Longest time a stop may take beyond the work in hand, ms; then the process leaves all the same. */
const STOP_MARGIN_MS = 1_500;

export const NO_SNE_NOTICE = `
  Aucune adresse du SNE n'est réglée : les flux seront reçus et gardés, et attendront.

    - pour essayer, démarrez le simulateur du SNE dans un autre terminal :
        npm run passerelle -- standin --port 8090
      puis relancez avec son adresse :
        GATEWAY_SNE_URL=http://127.0.0.1:8090/services/DemandeLogementImplService/ npm start
    - pour voir le produit entier d'un coup :   npm run demo
    - pour le vrai SNE : GATEWAY_SNE_URL, GATEWAY_SNE_TLS_CERT et GATEWAY_SNE_TLS_KEY (docs/settings.md)
`;

export interface ServeOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** For people: what is on standard error; logs go to standard output. */
  readonly tell: (text: string) => void;
  /** Resolves when the process is asked to stop. */
  readonly stopAsked: Promise<string>;
  /** Ends the process at once, whatever still runs in it. */
  readonly leave: (code: number) => void;
}

/** @returns the exit code: 0 after a clean stop, 1 when it could not start or stop, 2 for settings */
export async function serve(options: ServeOptions): Promise<number> {
  const { tell } = options;
  const reading = readSettings(options.environment);
  if (reading.kind === "invalid") {
    tell(
      `La passerelle ne démarre pas : des réglages sont à corriger.\n${describeProblems(reading.problems)}\n`,
    );
    return 2;
  }
  const { settings } = reading;
  const found = readGuichetsFile(settings.guichetsFile, partitionNames(settings));
  if (found.kind === "invalid") {
    const lines = found.problems.map(
      ({ line, column, message }) => `  ${settings.guichetsFile}:${line}:${column} ${message}`,
    );
    tell(
      `La passerelle ne démarre pas : le fichier des guichets est à corriger.\n${lines.join("\n")}\n`,
    );
    return 2;
  }

  const clock = systemClock();
  const log = makePinoLog({ level: settings.logLevel, name: settings.name });
  const fatal = Promise.withResolvers<string>();
  let gateway: Gateway;
  try {
    gateway = await buildGateway({
      settings,
      guichets: found.guichets,
      version: options.version,
      clock,
      chance: systemChance(),
      log,
      onFatal: (error) => {
        log.error("gateway.fatal", { error: error.message });
        fatal.resolve("fatal");
      },
    });
    await gateway.start();
  } catch (error) {
    tell(`La passerelle ne démarre pas : ${messageWithCauseOf(error)}\n`);
    log.flush();
    return 1;
  }

  const { http, smtp } = gateway.addresses();
  const scheme = settings.httpTlsCert === undefined ? "http" : "https";
  tell(
    [
      `Passerelle SNE ${options.version} en service.`,
      `  REST, santé, métriques : ${http === undefined ? "arrêté" : `${scheme}://${shown(http)}`}`,
      `  SMTP : ${smtp === undefined ? "arrêté" : shown(smtp)}`,
      `  Guichets : ${found.guichets.all.map((guichet) => guichet.code).join(", ")}`,
      `  Base : ${shownStores(settings)}`,
      settings.sneUrl === undefined ? NO_SNE_NOTICE : `  SNE : ${settings.sneUrl}`,
      "",
    ].join("\n"),
  );
  log.info("gateway.listening", {
    http: http === undefined ? undefined : shown(http),
    smtp: smtp === undefined ? undefined : shown(smtp),
  });

  // Written now rather than at the end: a process that is killed leaves the next start as quick.
  flushCompileCache();

  const why = await Promise.race([options.stopAsked, fatal.promise]);
  const stopped = await stopWithin(gateway, settings.stopMs + STOP_MARGIN_MS, tell);
  log.flush();
  // What did not stop (a database that does not answer…) would hold the process for as long as it lasts.
  if (stopped === "late") options.leave(1);
  return why === "fatal" || stopped !== "clean" ? 1 : 0;
}

function shown({ host, port }: Address): string {
  return `${host}:${port}`;
}

async function stopWithin(
  gateway: Gateway,
  limitMs: number,
  tell: (text: string) => void,
): Promise<"clean" | "failed" | "late"> {
  const late = Symbol("late");
  const timer = new AbortController();
  const failures = await Promise.race([
    gateway.stop(),
    systemClock()
      .wait(limitMs, timer.signal)
      .then(() => late),
  ]);
  timer.abort();
  if (typeof failures === "symbol") {
    tell(
      "L'arrêt a pris trop de temps ; ce qui était en transit sera en doute au prochain démarrage.\n",
    );
    return "late";
  }
  for (const { name, error } of failures)
    tell(`${name} ne s'est pas arrêté : ${messageOf(error)}\n`);
  return failures.length === 0 ? "clean" : "failed";
}
