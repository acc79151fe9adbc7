/** The options of the stand-in, as a test gives them and as the command line does. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { TlsFiles } from "./http-port.ts";
import { SERVICE_NAMES, SERVICES, type ServiceName } from "./operations-table.ts";

export interface StandinOptions {
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** SOAP port; 0 (any) unless told. */
  readonly port?: number;
  /** Control port; 0 (any) unless told. Always plain HTTP, on the same host. */
  readonly controlPort?: number;
  /** `/services/DemandeLogementImplService` unless told. */
  readonly path?: string;
  /** `/services/RechercheDemandeImplService` unless told. */
  readonly searchPath?: string;
  /** `/services/GestionPartageeEVTImplService` unless told. */
  readonly eventsPath?: string;
  /** HTTPS; with `ca`, client certificates are required. */
  readonly tls?: TlsFiles;
  /** Remembers in this file what it took, and starts from it. */
  readonly dataFile?: string;
  /** Orders played at start. */
  readonly scenarioFile?: string;
  /** Says nothing on standard error. */
  readonly quiet?: boolean;
}

/** The path of each service, without its trailing slash; no two the same. */
export function readPaths(options: StandinOptions): Readonly<Record<ServiceName, string>> {
  const given: Readonly<Record<ServiceName, string | undefined>> = {
    DemandeLogementImplService: options.path,
    RechercheDemandeImplService: options.searchPath,
    GestionPartageeEVTImplService: options.eventsPath,
  };
  const pathOf = (name: ServiceName): string =>
    `/${(given[name] ?? SERVICES[name].path).replace(/^\/+|\/+$/g, "")}`;
  const paths = {
    DemandeLogementImplService: pathOf("DemandeLogementImplService"),
    RechercheDemandeImplService: pathOf("RechercheDemandeImplService"),
    GestionPartageeEVTImplService: pathOf("GestionPartageeEVTImplService"),
  };
  if (new Set(Object.values(paths)).size < SERVICE_NAMES.length) {
    throw new Error("deux services ont le même chemin");
  }
  return paths;
}

export const HELP = `Simulateur du SNE pour la passerelle. CE N'EST PAS LE SNE.

  --host ADRESSE        127.0.0.1
  --port N              port SOAP (8090)
  --control-port N      port de commande (8091)
  --path CHEMIN         ${SERVICES.DemandeLogementImplService.path}
  --search-path CHEMIN  ${SERVICES.RechercheDemandeImplService.path}
  --events-path CHEMIN  ${SERVICES.GestionPartageeEVTImplService.path}
  --tls-cert F --tls-key F [--tls-ca F]   HTTPS ; avec --tls-ca, certificat client exigé
  --data FICHIER        se souvient d'un démarrage à l'autre
  --scenario FICHIER    ordres joués au démarrage (config/standin-scenario.example.json)
  --json                une ligne JSON sur la sortie standard quand il est prêt
  --quiet               pas de bannière
`;

export interface StandinArguments extends StandinOptions {
  /** A line of JSON on standard output when ready. */
  readonly json: boolean;
  readonly help: boolean;
}

/** @throws Error saying what is wrong, for the person who typed it */
export function readArguments(argv: readonly string[]): StandinArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      host: { type: "string" },
      port: { type: "string", default: "8090" },
      "control-port": { type: "string", default: "8091" },
      path: { type: "string" },
      "search-path": { type: "string" },
      "events-path": { type: "string" },
      "tls-cert": { type: "string" },
      "tls-key": { type: "string" },
      "tls-ca": { type: "string" },
      data: { type: "string" },
      scenario: { type: "string" },
      json: { type: "boolean", default: false },
      quiet: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { host, path, data, scenario } = values;
  const { "search-path": searchPath, "events-path": eventsPath } = values;
  const tls = readTls(values["tls-cert"], values["tls-key"], values["tls-ca"]);
  return {
    port: readPort("--port", values.port),
    controlPort: readPort("--control-port", values["control-port"]),
    quiet: values.quiet,
    json: values.json,
    help: values.help,
    ...(host === undefined ? {} : { host }),
    ...(path === undefined ? {} : { path }),
    ...(searchPath === undefined ? {} : { searchPath }),
    ...(eventsPath === undefined ? {} : { eventsPath }),
    ...(tls === undefined ? {} : { tls }),
    ...(data === undefined ? {} : { dataFile: data }),
    ...(scenario === undefined ? {} : { scenarioFile: scenario }),
  };
}

function readPort(name: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) throw new Error(`${name} : de 0 à 65535`);
  return port;
}

function readTls(
  cert: string | undefined,
  key: string | undefined,
  ca: string | undefined,
): TlsFiles | undefined {
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Error("--tls-cert va avec --tls-key");
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
  };
}
