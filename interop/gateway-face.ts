/**
 * The gateway itself, a real process, in the place of the SNE: same paths, same clients. Behind it, a
 * stand-in or the target of Apache CXF's.
 */
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGatewayProcess, type GatewayProcess } from "../test/support/gateway-process.ts";
import { API_KEY, GUICHET, writeGuichets } from "../test/support/world.ts";
import type { ExpectedCall, Face } from "./face.ts";
import { TLS } from "./tls-files.ts";

export interface RunningGateway {
  readonly process: GatewayProcess;
  readonly folder: string;
  stop(): Promise<void>;
}

/** Starts one on a store of its own; `sneUrl` is the address of the first service behind it. */
export async function startGateway(
  sneUrl: string,
  settings: Readonly<Record<string, string>> = {},
  guichet: Readonly<Record<string, unknown>> = {},
): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), "passerelle-interop-gw-"));
  mkdirSync(join(folder, "data"));
  const process = await startGatewayProcess({
    HOME: folder,
    GATEWAY_NAME: "interop",
    GATEWAY_HTTP_PORT: "0",
    GATEWAY_SMTP_PORT: "0",
    GATEWAY_STORE: join(folder, "data", "passerelle.db"),
    GATEWAY_GUICHETS: writeGuichets(folder, guichet),
    GATEWAY_SNE_URL: sneUrl,
    ...settings,
  });
  return {
    process,
    folder,
    stop: async () => {
      const { code } = await process.terminate();
      rmSync(folder, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the gateway ended with ${String(code)}: ${process.told()}`);
    },
  };
}

export type Plan = (
  folder: string,
  run: number,
  guichet: string,
) => Promise<readonly ExpectedCall[]>;

/** The SNE's own services on the gateway, in clear HTTP: guichets are known by Basic. */
export async function startGatewayFace(
  name: string,
  sneUrl: string,
  {
    plan,
    sets,
    settings = {},
  }: {
    readonly plan: Plan;
    readonly sets?: NonNullable<Face["sets"]>;
    readonly settings?: Readonly<Record<string, string>>;
  },
): Promise<Face> {
  const gateway = await startGateway(sneUrl, settings);
  const services = `http://127.0.0.1:${gateway.process.httpPort}/services`;
  return {
    name,
    ...(sets === undefined ? {} : { sets }),
    urls: {
      demandeLogement: `${services}/DemandeLogementImplService`,
      rechercheDemande: `${services}/RechercheDemandeImplService`,
      gestionPartageeEvt: `${services}/GestionPartageeEVTImplService`,
    },
    credentials: { user: GUICHET, password: API_KEY },
    plan: (folder, run) => plan(folder, run, GUICHET),
    stop: () => gateway.stop(),
  };
}

/** The same under mutual TLS: the guichet is known by its certificate alone, as at the SNE. */
export async function startGatewayTlsFace(name: string, sneUrl: string, plan: Plan): Promise<Face> {
  const { ca, cert, key } = TLS.client;
  const { fingerprint256 } = new X509Certificate(readFileSync(cert));
  const gateway = await startGateway(
    sneUrl,
    {
      GATEWAY_HTTP_TLS_CERT: TLS.server.cert,
      GATEWAY_HTTP_TLS_KEY: TLS.server.key,
      GATEWAY_HTTP_TLS_CA: ca,
      GATEWAY_HTTP_AUTH: "certificate",
    },
    { certificates: [fingerprint256] },
  );
  const host = `localhost:${gateway.process.httpPort}`;
  return {
    name,
    urls: {
      demandeLogement: `https://${host}/services/DemandeLogementImplService`,
      rechercheDemande: `https://${host}/services/RechercheDemandeImplService`,
      gestionPartageeEvt: `https://${host}/services/GestionPartageeEVTImplService`,
    },
    tls: { ca, cert, key, host },
    plan: (folder, run) => plan(folder, run, GUICHET),
    stop: () => gateway.stop(),
  };
}
