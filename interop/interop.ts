/**
 * `npm run interop`: clients made by third-party toolkits, from our WSDLs and from the ministry's,
 * against the stand-in, a server of Apache CXF's, and the gateway; our own client against that server;
 * the examples of `clients/`. Prints a table, then every call that was not as it should be.
 *
 * Exit 1 when a call failed, or, with `PASSERELLE_REQUIRE_INTEROP=1`, when something could not be had.
 * Arguments filter: `npm run interop -- gSOAP` runs the rows whose words hold that one.
 */
import { join } from "node:path";
import { CXF } from "./cxf/cxf-toolkit.ts";
import { EXAMPLES } from "./example.ts";
import type { Face } from "./face.ts";
import { GSOAP } from "./gsoap/gsoap-toolkit.ts";
import { LIBSNE, libsneSources } from "./libsne/libsne-toolkit.ts";
import { runOwnClient } from "./own-client.ts";
import { PHP } from "./php/php-toolkit.ts";
import { makeReport } from "./report.ts";
import { runToolkit } from "./run-toolkit.ts";
import { runVariants } from "./run-variants.ts";
import { startFaces } from "./start-faces.ts";
import type { Toolkit } from "./toolkit.ts";
import { originalWsdls, ourWsdls, ROOT, type WsdlSet } from "./wsdl-set.ts";
import { ZEEP } from "./zeep/zeep-toolkit.ts";

const TOOLKITS: readonly Toolkit[] = [ZEEP, PHP, CXF, GSOAP, LIBSNE];
const OWN_CLIENT = "the gateway's client";

const words = process.argv.slice(2).map((word) => word.toLowerCase());
const wanted = (...said: readonly string[]): boolean =>
  words.every((word) => said.join(" ").toLowerCase().includes(word));
const report = makeReport({ write: (text) => process.stdout.write(text) });

const sets = await findSets();
const faces = await startFaces(sets, report);
try {
  for (const toolkit of TOOLKITS) await runAll(toolkit, faces.all);
  const { target, clear, tls } = faces;
  if (target !== undefined && wanted(OWN_CLIENT, target.name)) {
    report.row({
      ...{ toolkit: OWN_CLIENT, version: "–", wsdl: "ours", face: target.name, soap: "1.2" },
      ...{ mtom: true, verdicts: await runOwnClient(target, Date.now() % 1_000_000_000) },
    });
  }
  for (const example of EXAMPLES) {
    await runVariants(example, { gateways: { clear, tls }, report, wanted });
  }
} finally {
  await faces.stop();
}
process.exitCode = report.end(process.env["PASSERELLE_REQUIRE_INTEROP"] === "1");

async function findSets(): Promise<readonly WsdlSet[]> {
  const beside = originalWsdls([join(ROOT, "../shared/sne-contract/originals")]);
  if (beside !== undefined) return [ourWsdls(), beside];
  try {
    const carried = originalWsdls([join(await libsneSources(), "ressources")]);
    if (carried !== undefined) return [ourWsdls(), carried];
    report.absent("the ministry's WSDLs", "libsne's source distribution does not carry them");
  } catch (error) {
    report.absent("the ministry's WSDLs", error);
  }
  return [ourWsdls()];
}

async function runAll(toolkit: Toolkit, on: readonly Face[]): Promise<void> {
  const rows = on
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
