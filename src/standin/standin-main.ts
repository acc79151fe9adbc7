/**
 * The stand-in SNE as a program: a separate process that serves the three services as their
 * contract says, for the demonstration, the tests and administrators who try the gateway. It is no
 * SNE and says so everywhere; it shares no code with the gateway's client but `src/wire`.
 */
import { readFile } from "node:fs/promises";
import { makeStandinXml } from "../adapters/standin-xml/make-standin-xml.ts";
import { systemChance, systemClock } from "../runtime/clock.ts";
import { makeControlService } from "./control-service.ts";
import { makeDemandeBook } from "./demande-book.ts";
import { NO_DIARY, openDiary, readDiary } from "./diary.ts";
import { makeEffectLedger } from "./effect-ledger.ts";
import { makeEventBook } from "./event-book.ts";
import { makeHttpPort } from "./http-port.ts";
import { makeOperations } from "./operations.ts";
import { SERVICE_NAMES, SERVICES, type ServiceName } from "./operations-table.ts";
import type { Order } from "./orders.ts";
import { restore } from "./restore.ts";
import { playScenario, readScenario } from "./scenario.ts";
import { makeSoapService } from "./soap-service.ts";
import { HELP, readArguments, readPaths } from "./standin-options.ts";
import type { StandinArguments, StandinOptions } from "./standin-options.ts";
import { makeSteering } from "./steering.ts";

export interface RunningStandin {
  /** Address of `DemandeLogementImplService`, path included. */
  readonly url: string;
  /** Of `RechercheDemandeImplService`. */
  readonly searchUrl: string;
  /** Of `GestionPartageeEVTImplService`. */
  readonly eventsUrl: string;
  /** Address of the control port, without path. */
  readonly controlUrl: string;
  /** Cuts what is in progress; may be called twice. */
  stop(): Promise<void>;
}

const MAX_BODY_BYTES = 50 * 1024 * 1024;
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Starts a stand-in in this process; resolves when both ports listen. */
export async function runStandin(options: StandinOptions = {}): Promise<RunningStandin> {
  const { host = "127.0.0.1", port = 0, controlPort = 0, tls, dataFile } = options;
  const paths = readPaths(options);
  const say = (text: string): void => {
    if (options.quiet !== true) process.stderr.write(`[simulateur] ${text}\n`);
  };
  const report = (error: unknown): void => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };
  const clock = systemClock();
  const chance = systemChance();
  const xml = makeStandinXml();
  const steering = makeSteering({ fraction: () => chance.fraction() });
  const events = makeEventBook();
  const book = makeDemandeBook({
    maxFileBytes: MAX_FILE_BYTES,
    deleted: (numUnique) => {
      events.drop(numUnique);
    },
  });
  const ledger = makeEffectLedger();
  const scenario =
    options.scenarioFile === undefined
      ? []
      : readScenario(await readFile(options.scenarioFile, "utf8"));
  if (dataFile !== undefined) {
    const { entries, torn } = readDiary(dataFile);
    restore({ entries, book, events, ledger, xml });
    if (torn) say(`${dataFile} : dernière ligne incomplète, retirée`);
  }
  const diary = dataFile === undefined ? NO_DIARY : openDiary(dataFile);
  const stopped = new AbortController();
  const prepare = makeOperations({ book, events, ledger, diary, xml });

  const wsdl = async (service: ServiceName): Promise<string> => {
    const file = new URL(`../../wsdl/${SERVICES[service].wsdl}`, import.meta.url);
    const text = await readFile(file, "utf8");
    const address = `${soap.url}${paths[service]}/`;
    return text.replace(/(<soap12:address location=")[^"]*"/, (_, start) => `${start}${address}"`);
  };
  const services = new Map(
    SERVICE_NAMES.map((name) => [paths[name], { name, wsdl: () => wsdl(name) }]),
  );
  const soap = makeHttpPort(
    { host, port, ...(tls === undefined ? {} : { tls }) },
    makeSoapService({
      prepare,
      ledger,
      steering,
      xml,
      clock,
      chance,
      services,
      maxBodyBytes: MAX_BODY_BYTES,
      stopped: stopped.signal,
      report,
    }),
  );

  const applyOne = async (order: Order): Promise<void> => {
    switch (order.order) {
      case "line":
        steering.setLine(order.line);
        if (order.line.is === "down" && order.line.how === "refuse") await soap.close(order.cut);
        else await soap.open();
        return;
      case "rule": {
        const { act, when, effect, times } = order;
        steering.addRule({ act, when, effect, ...(times === undefined ? {} : { times }) });
        return;
      }
      case "remove":
        steering.removeRule(order.id);
        return;
      case "settings":
        steering.setSettings(order.settings);
        return;
      case "clear":
        steering.clear();
        await soap.open();
        return;
      case "forget":
        diary.forget();
        book.forget();
        events.forget();
        ledger.forget();
        return;
    }
  };
  // One list of orders at a time: two that open and close the port would cross.
  let last = Promise.resolve();
  const apply = (orders: readonly Order[]): Promise<void> => {
    const done = last.then(async () => {
      for (const order of orders) await applyOne(order);
    });
    last = done.catch(() => undefined);
    return done;
  };

  const control = makeHttpPort(
    { host, port: controlPort },
    makeControlService({ steering, ledger, book, events, apply, report }),
  );
  try {
    await soap.open();
    await control.open();
  } catch (error) {
    await soap.close(true);
    diary.close();
    throw error;
  }
  // What a scenario orders for the start is in force before anyone is told of the address.
  await apply(scenario.filter(({ atMs }) => atMs === 0).flatMap(({ orders }) => orders));
  const later = scenario.filter(({ atMs }) => atMs > 0);
  const playing = playScenario(later, { apply, clock, stopped: stopped.signal }).catch(report);

  return {
    url: `${soap.url}${paths.DemandeLogementImplService}/`,
    searchUrl: `${soap.url}${paths.RechercheDemandeImplService}/`,
    eventsUrl: `${soap.url}${paths.GestionPartageeEVTImplService}/`,
    controlUrl: control.url,
    stop: async () => {
      stopped.abort();
      await playing;
      await last;
      await control.close(true);
      await soap.close(true);
      diary.close();
    },
  };
}

/**
 * The command line: runs until SIGINT or SIGTERM, resolves with the exit status.
 * @param argv - without the program's own name
 */
export async function standinMain(argv: readonly string[]): Promise<number> {
  let options: StandinArguments;
  try {
    options = readArguments(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const running = await runStandin(options);
  if (options.quiet !== true) process.stderr.write(banner(running));
  if (options.json) {
    const { url, searchUrl, eventsUrl, controlUrl } = running;
    const ready = { event: "standin.ready", url, searchUrl, eventsUrl, controlUrl };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
  }
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await running.stop();
  return 0;
}

function banner({ url, searchUrl, eventsUrl, controlUrl }: RunningStandin): string {
  return `
  ┌──────────────────────────────────────────────────────────────┐
  │  CECI N'EST PAS LE SNE.                                      │
  │  Simulateur : ses numéros et ses attestations ne valent rien │
  │  N'y envoyez aucune donnée de vraies personnes.              │
  └──────────────────────────────────────────────────────────────┘
  demandes    ${url}
  recherche   ${searchUrl}
  événements  ${eventsUrl}
  commande    ${controlUrl}/standin
`;
}
