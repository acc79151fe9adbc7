/** One toolkit, with the WSDLs of one set, against one face: every call it can make, judged. */
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readReports, writeJob, type CallReport } from "./call-lines.ts";
import type { ExpectedCall, Face } from "./face.ts";
import type { Framing, Prepared, Toolkit } from "./toolkit.ts";
import type { WsdlSet } from "./wsdl-set.ts";

export interface RunOf {
  readonly toolkit: Toolkit;
  readonly prepared: Extract<Prepared, { kind: "ready" }>;
  readonly set: WsdlSet;
  readonly face: Face;
  readonly framing: Framing;
}

export interface CallVerdict {
  readonly operation: string;
  readonly expects: "answer" | "fault";
  readonly report?: CallReport;
  /** Undefined: as it should be. */
  readonly complaint?: string;
  /** The complaint is the toolkit's own fault, known. */
  readonly limit?: string;
}

let runs = 0;

/** Never rejects for what a toolkit does: its failure is the verdict of all its calls. */
export async function runToolkit(run: RunOf): Promise<readonly CallVerdict[]> {
  const { toolkit, prepared, set, face, framing } = run;
  runs += 1;
  const folder = mkdtempSync(join(tmpdir(), "passerelle-interop-"));
  try {
    const out = join(folder, "out");
    mkdirSync(out);
    const planned = (await face.plan(folder, (Date.now() % 1_000_000_000) + runs)).filter(
      ({ operation, unsendable }) =>
        (toolkit.operations ?? [operation]).some((name) => name === operation) &&
        !(unsendable === true && toolkit.checksFiles === true),
    );
    const job = join(folder, "job.txt");
    writeFileSync(job, writeJob({ ...settingsOf(run), out }, planned));
    const call = await prepared.makeCaller(set);
    const { code, out: said, err } = await call(job);
    const reports = readReports(said);
    return planned.map((expected, index): CallVerdict => {
      const report = reports[index];
      const { operation, expects } = expected;
      if (report === undefined) {
        const last = err.trim().split("\n").slice(-3).join(" ");
        return { operation, expects, complaint: `no report (exit ${code}) ${last}` };
      }
      const complaint = judge(expected, report, toolkit);
      if (complaint === undefined) return { operation, expects, report };
      const limit = face.alwaysMtom === true ? toolkit.limitOf?.(report, complaint) : undefined;
      return { operation, expects, report, ...(limit === undefined ? { complaint } : { limit }) };
    });
  } catch (error) {
    const complaint = error instanceof Error ? error.message : String(error);
    return [{ operation: "all", expects: "answer", complaint: `${framing}: ${complaint}` }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function settingsOf({ set, face, framing }: RunOf): Record<string, string> {
  return {
    "wsdl.demandeLogement": set.paths.demandeLogement,
    "wsdl.rechercheDemande": set.paths.rechercheDemande,
    "wsdl.gestionPartageeEvt": set.paths.gestionPartageeEvt,
    "url.demandeLogement": face.urls.demandeLogement,
    "url.rechercheDemande": face.urls.rechercheDemande,
    "url.gestionPartageeEvt": face.urls.gestionPartageeEvt,
    mtom: framing === "mtom" ? "on" : "off",
    ...face.credentials,
    ...face.tls,
  };
}

function judge(
  { operation, expects, check }: ExpectedCall,
  report: CallReport,
  toolkit: Toolkit,
): string | undefined {
  if (report.operation !== operation) return `it reported ${report.operation}`;
  const wanted = expects === "answer" ? "answered" : "fault";
  if (report.kind !== wanted) {
    const code = report.fields.get("code") ?? "";
    return `${report.kind} ${code} ${report.fields.get("text") ?? ""}`.trim();
  }
  const complaint = check(report);
  if (complaint?.startsWith("no attestation") === true && toolkit.noAttestation === true) {
    return undefined;
  }
  return complaint;
}
