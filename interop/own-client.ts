/**
 * Our own client of the SNE against a server that is not ours: every operation, and what it makes of
 * a fault. The other half of the proof: the toolkits are clients that are not ours.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { isWriteOperation, READ_OPERATIONS } from "../src/domain/sne-operation.ts";
import type { Registry, SneValue } from "../src/forward/registry.ts";
import { sneOperation } from "../src/wire/sne-contract.ts";
import { makeSneClient } from "../test/support/sne-client.ts";
import type { CallReport, PlannedCall } from "./call-lines.ts";
import type { Face } from "./face.ts";
import type { CallVerdict } from "./run-toolkit.ts";
import { writeFileSync } from "node:fs";

/** @param face - without credentials: the client is pointed straight at it */
export async function runOwnClient(face: Face, run: number): Promise<readonly CallVerdict[]> {
  const folder = mkdtempSync(join(tmpdir(), "passerelle-interop-"));
  const registry = await makeSneClient(face.urls.demandeLogement, { urls: face.urls });
  try {
    const verdicts: CallVerdict[] = [];
    for (const expected of await face.plan(folder, run)) {
      const { operation, expects } = expected;
      const report = await callBy(registry, expected, folder, verdicts.length);
      const wanted = expects === "answer" ? "answered" : "fault";
      const complaint =
        report.kind === wanted
          ? expected.check(report)
          : `${report.kind}: ${report.fields.get("text") ?? ""}`;
      verdicts.push({
        operation,
        expects,
        report,
        ...(complaint === undefined ? {} : { complaint }),
      });
    }
    return verdicts;
  } finally {
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same report as the callers write (call-lines.ts). */
async function callBy(
  registry: Registry,
  { operation, parameters }: PlannedCall,
  folder: string,
  number: number,
): Promise<CallReport> {
  const signal = AbortSignal.timeout(60_000);
  const fields = new Map<string, string>();
  const keep = (name: string, bytes: Uint8Array): void => {
    const path = join(folder, `${number}-${name}`);
    writeFileSync(path, bytes);
    fields.set(name, `@${path}`);
  };
  const reportOf = (kind: CallReport["kind"]): CallReport => ({ operation, kind, fields });
  const { parameters: shape, results } = sneOperation(operation);
  if (isWriteOperation(operation)) {
    const [name = "", file = ""] = shape.map((parameter) => parameters[parameter.name] ?? "");
    const answer = await registry.write({
      call: { operation, certificateName: parameters["nomCertificat"] ?? "" },
      file: { name: basename(name), bytes: readFileSync(file.slice(1)) },
      kind: operation === "getNumUnique" ? "CRE" : "",
      signal,
    });
    if (answer.kind === "answered") {
      keep(results[1]?.name ?? "", answer.answer.bytes);
      if (answer.attestation !== undefined) keep("attestation", answer.attestation.bytes);
      return reportOf("answered");
    }
    return failed(answer, fields, reportOf);
  }
  const question = READ_OPERATIONS.find((known) => known === operation);
  if (question === undefined) throw new Error(`no operation ${operation}`);
  const answer = await registry.read({
    operation: question,
    parameters: shape.flatMap(({ name, type }): SneValue[] => {
      const value = parameters[name];
      if (value === undefined) return [];
      if (type === "file")
        return [{ name, file: readFileSync(value.slice(1)), contentType: "text/xml" }];
      return [type === "code" ? { name, code: value } : { name, text: value }];
    }),
    signal,
  });
  if (answer.kind !== "read") return failed(answer, fields, reportOf);
  for (const result of answer.results) {
    if ("file" in result) keep(result.name, result.file);
    else if ("text" in result) fields.set(result.name, result.text);
  }
  return reportOf("answered");
}

function failed(
  answer: { readonly kind: string },
  fields: Map<string, string>,
  reportOf: (kind: CallReport["kind"]) => CallReport,
): CallReport {
  if (answer.kind === "fault" && "text" in answer && "who" in answer) {
    fields.set("code", String(answer.who));
    fields.set("text", String(answer.text));
    return reportOf("fault");
  }
  fields.set("text", JSON.stringify(answer));
  return reportOf("error");
}
