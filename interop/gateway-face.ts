/**
 * The gateway itself, a real process, in the place of the SNE: same paths, same clients. Behind it, a
 * stand-in or the target of Apache CXF's.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGatewayProcess, type GatewayProcess } from "../test/support/gateway-process.ts";
import { API_KEY, GUICHET, writeGuichets } from "../test/support/world.ts";
import type { ExpectedCall, Face } from "./face.ts";

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

/** The SNE's own services on the gateway. */
export async function startGatewayFace(
  name: string,
  sneUrl: string,
  plan: (folder: string, run: number, guichet: string) => Promise<readonly ExpectedCall[]>,
): Promise<Face> {
  const gateway = await startGateway(sneUrl);
  const services = `http://127.0.0.1:${gateway.process.httpPort}/services`;
  return {
    name,
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
