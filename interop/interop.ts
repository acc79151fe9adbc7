/**
 * `npm run interop`: clients made by third-party toolkits, from our WSDLs and from the ministry's,
 * against the stand-in, a server of Apache CXF's, and the gateway; then our own client against that
 * server. Prints a table, then every call that was not as it should be.
 *
 * Exit 1 when a call failed, or, with `PASSERELLE_REQUIRE_INTEROP=1`, when something could not be had.
 * Arguments filter: `npm run interop -- gSOAP` runs the rows whose words hold that one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { API_KEY, GUICHET } from "../test/support/world.ts";
import { cxfPlan, startCxfFace } from "./cxf/cxf-face.ts";
import { CXF } from "./cxf/cxf-toolkit.ts";
import type { Face } from "./face.ts";
import { EXAMPLES, type Example } from "./example.ts";
import {
  startGatewayFace,
  startGatewayTlsFace,
  type GatewayFace,
  type Plan,
} from "./gateway-face.ts";
import { GSOAP } from "./gsoap/gsoap-toolkit.ts";
import { LIBSNE, libsneSources } from "./libsne/libsne-toolkit.ts";
import { runOwnClient } from "./own-client.ts";
import { PHP } from "./php/php-toolkit.ts";
import { runExample } from "./run-example.ts";
import { runToolkit } from "./run-toolkit.ts";
import { makeReport } from "./report.ts";
import { startStandinFace } from "./standin-face.ts";
import { standinPlan } from "./standin-plan.ts";
import type { Toolkit } from "./toolkit.ts";
import { originalWsdls, ourWsdls, ROOT, type WsdlSet } from "./wsdl-set.ts";
import { ZEEP } from "./zeep/zeep-toolkit.ts";

const TOOLKITS: readonly Toolkit[] = [ZEEP, PHP, CXF, GSOAP, LIBSNE];

const OWN_CLIENT = "the gateway's client";

interface GatewayOfExamples {
  readonly face: Face;
  readonly identity: Readonly<Record<string, string>>;
  readonly standinControlUrl: string;
}

interface Gateways {
  readonly clear: GatewayOfExamples;
  readonly tls: GatewayOfExamples;
}

const words = process.argv.slice(2).map((word) => word.toLowerCase());
const report = makeReport({ write: (text) => process.stdout.write(text) });
const wanted = (...said: readonly string[]): boolean =>
  words.every((word) => said.join(" ").toLowerCase().includes(word));

const sets = await findSets();
const faces: Face[] = [];
const behind: Face[] = [];
try {
  const standin = await startFace("stand-in", () => startStandinFace());
  const target = await startFace("CXF target", () => startCxfFace(sets.at(-1) ?? ourWsdls()));
  const gateway = standin && (await startGatewayOn(standin.urls.demandeLogement));
  if (target !== undefined) {
    const { demandeLogement: url } = target.urls;
    await startFace("gateway, CXF target behind", () =>
      startGatewayFace("gateway > CXF target", url, {
        plan: (folder, run) => Promise.resolve(cxfPlan(folder, run)),
        // A client of the ministry's on one side, a server of theirs on the other, us in between.
        sets: ["originals"],
      }),
    );
  }
  const secure = await startTlsFaces();
  for (const toolkit of TOOLKITS) await runAll(toolkit);
  if (target !== undefined && wanted(OWN_CLIENT, target.name)) {
    report.row({
      ...{ toolkit: OWN_CLIENT, version: "–", wsdl: "ours", face: target.name, soap: "1.2" },
      ...{ mtom: true, verdicts: await runOwnClient(target, Date.now() % 1_000_000_000) },
    });
  }
  if (standin !== undefined && gateway !== undefined && secure !== undefined) {
    const gateways = {
      clear: {
        face: gateway,
        identity: { PASSERELLE_GUICHET: GUICHET, PASSERELLE_CLE: API_KEY },
        standinControlUrl: standin.controlUrl,
      },
      tls: secure,
    };
    for (const example of EXAMPLES) await runVariants(example, gateways);
  }
} finally {
  for (const face of [...behind, ...faces].toReversed()) await face.stop();
}
process.exitCode = report.end(process.env["PASSERELLE_REQUIRE_INTEROP"] === "1");

function startGatewayOn(standinUrl: string): Promise<GatewayFace | undefined> {
  return startFace("gateway, stand-in behind", () =>
    startGatewayFace("gateway > stand-in", standinUrl, { plan: planOn(standinUrl) }),
  );
}

/** A stand-in's own rules, met through the gateway, which refuses by itself what is no XML. */
function planOn(standinUrl: string): Plan {
  return (folder, run, guichet) =>
    standinPlan({ standinUrl, folder, run, guichet, unreadable: /« interfaceNuu » est attendu/ });
}

/** For a client that speaks mutual TLS only, in the forms it can read. */
async function startTlsFaces(): Promise<GatewayOfExamples | undefined> {
  const since = "latest";
  await startFace("stand-in under TLS", () =>
    startStandinFace({ settings: { since, attestation: "text" }, mutualTls: true }),
  );
  // Its attestations are binary: read through the gateway all the same.
  const back = await startStandinFace({ settings: { since } });
  behind.push(back);
  const { demandeLogement: standinUrl } = back.urls;
  const face = await startFace("gateway under TLS", () =>
    startGatewayTlsFace("gateway > stand-in", standinUrl, planOn(standinUrl)),
  );
  return face && { face, identity: {}, standinControlUrl: back.controlUrl };
}

async function findSets(): Promise<readonly WsdlSet[]> {
  const folders = [join(ROOT, "../shared/sne-contract/originals")];
  let originals = originalWsdls(folders);
  if (originals === undefined) {
    try {
      originals = originalWsdls([join(await libsneSources(), "ressources")]);
    } catch (error) {
      report.absent("the ministry's WSDLs", error);
    }
  }
  return originals === undefined ? [ourWsdls()] : [ourWsdls(), originals];
}

async function startFace<T extends Face>(
  name: string,
  start: () => Promise<T>,
): Promise<T | undefined> {
  try {
    const face = await start();
    faces.push(face);
    return face;
  } catch (error) {
    report.absent(name, error);
    return undefined;
  }
}

async function runAll(toolkit: Toolkit): Promise<void> {
  const rows = faces
    .filter((face) => (face.tls !== undefined) === (toolkit.tlsOnly === true))
    .flatMap((face) =>
      (toolkit.noWsdl === true ? sets.slice(0, 1) : sets).flatMap((set) =>
        toolkit.framings.map((framing) => ({ face, set, framing })),
      ),
    )
    .filter(({ face, set }) => face.sets?.includes(set.name) !== false || sets.length === 1)
    .filter(({ face, set, framing }) => wanted(toolkit.name, face.name, set.name, framing));
  if (rows.length === 0) return;
  const prepared = await toolkit.prepare();
  if (prepared.kind === "absent") {
    report.absent(toolkit.name, prepared.why);
    return;
  }
  for (const row of rows) {
    const verdicts = await runToolkit({ toolkit, prepared, ...row });
    report.row({
      toolkit: toolkit.name,
      version: prepared.version,
      wsdl: toolkit.noWsdl === true ? "none" : row.set.name,
      face: row.face.name,
      soap: "1.2",
      mtom: row.framing === "mtom",
      verdicts,
    });
  }
}

interface Variant {
  readonly soap: "1.1" | "1.2";
  readonly mtom: boolean;
  readonly tls?: true;
}

async function runVariants(example: Example, gateways: Gateways): Promise<void> {
  const framings = example.mtom ? [true, false] : [false];
  const variants: readonly Variant[] = [
    ...framings.map((mtom) => ({ soap: "1.2", mtom }) as const),
    ...framings.map((mtom) => ({ soap: "1.1", mtom }) as const),
    { soap: "1.2", mtom: example.mtom, tls: true },
  ];
  for (const [index, variant] of variants.entries()) {
    const against = variant.tls === true ? `${example.name}, mutual TLS` : example.name;
    if (!wanted(example.toolkit, against, variant.soap)) continue;
    try {
      await runVariant(example, variant, index === 0, against, gateways);
    } catch (error) {
      report.absent(against, error);
    }
  }
}

async function runVariant(
  example: Example,
  variant: Variant,
  whole: boolean,
  face: string,
  { clear, tls }: Gateways,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "passerelle-exemple-"));
  try {
    const secured = variant.tls === true ? await example.secure(folder) : undefined;
    const built = secured?.built ?? (await example.build());
    const gateway = secured === undefined ? clear : tls;
    const { demandeLogement: sneUrl } = gateway.face.urls;
    const verdicts = await runExample({
      ...{ built, soap: variant.soap, mtom: variant.mtom, whole },
      run: Date.now() % 1_000_000_000,
      identity: secured?.env ?? gateway.identity,
      serviceUrl: new URL("passerelle", sneUrl).href,
      standinControlUrl: gateway.standinControlUrl,
      ...(secured === undefined ? { apiUrl: new URL(sneUrl).origin } : {}),
    });
    report.row({
      ...{ toolkit: example.toolkit, version: built.version, wsdl: "passerelle.wsdl" },
      ...{ face, soap: variant.soap, mtom: variant.mtom, verdicts },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
