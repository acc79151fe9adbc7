/**
 * The stand-in SNE, with no gateway in between: whether it is a place where clients of the SNE work.
 * In clear HTTP, or under mutual TLS as the SNE itself.
 */
import { readFileSync } from "node:fs";
import { runStandin } from "../src/standin/standin-main.ts";
import { order } from "../test/support/standin-calls.ts";
import type { Face } from "./face.ts";
import { standinPlan } from "./standin-plan.ts";
import { TLS } from "./tls-files.ts";

const GUICHET = "75A01";

export interface StandinFace extends Face {
  readonly controlUrl: string;
}

/**
 * @param settings - of the stand-in (src/standin/README.md)
 * @param mutualTls - HTTPS, with client certificates required
 */
export async function startStandinFace({
  settings = {},
  mutualTls = false,
}: { settings?: object; mutualTls?: boolean } = {}): Promise<StandinFace> {
  const { ca, cert, key } = TLS.client;
  const read = (path: string): Buffer => readFileSync(path);
  const standin = await runStandin({
    quiet: true,
    ...(mutualTls
      ? { tls: { cert: read(TLS.server.cert), key: read(TLS.server.key), ca: read(ca) } }
      : {}),
  });
  await order(standin.controlUrl, { do: "settings", ...settings });
  const { url: standinUrl, searchUrl, eventsUrl, controlUrl } = standin;
  const host = new URL(standinUrl).host.replace("127.0.0.1", "localhost");
  return {
    name: "stand-in",
    alwaysMtom: true,
    controlUrl,
    urls: {
      demandeLogement: standinUrl,
      rechercheDemande: searchUrl,
      gestionPartageeEvt: eventsUrl,
    },
    ...(mutualTls ? { tls: { ca, cert, key, host } } : {}),
    plan: (folder, run) =>
      standinPlan({
        ...{ standinUrl, guichet: GUICHET, folder, run },
        ...(mutualTls ? { tls: { caFile: ca, certFile: cert, keyFile: key } } : {}),
      }),
    stop: () => standin.stop(),
  };
}
