/**
 * An operation of the SNE that writes, asked of us: its file is kept as a flux, then the caller waits
 * for what the SNE answers, and gets it as it came (file, attestation, anomalies).
 *
 * Promise: nothing is answered that is not durable; the same file sent again gets the first one's
 * answer; a caller that cannot have the answer now learns why, and by which identifier to follow.
 */
import type { WriteThrough, WriteThroughResult } from "../../../arrive/write-through.ts";
import type { Collect } from "../../../acknowledge/collect.ts";
import { errorText, isErrorCode, type ErrorCode } from "../../../domain/errors.ts";
import type { Flux } from "../../../domain/flux.ts";
import type { Control, Verdict } from "../../../domain/outcome.ts";
import { isWriteOperation, type SneCall } from "../../../domain/sne-operation.ts";
import type { Outbox } from "../../../keep/outbox.ts";
import type { SneOperationShape } from "../../../wire/sne-contract.ts";
import type { SoapParameters } from "../read-parameters.ts";
import type { SoapFault, SoapResult } from "../soap-message.ts";
import { faultOfCode, type ServeOperation, type Served } from "./drop-in-endpoint.ts";

/** A certificate is a few KB; it is kept beside the flux, not with its files. */
const MAX_CERTIFICATE_BYTES = 64 * 1024;
/** Shown of a list of controls. */
const MOST_CONTROLS = 20;

export function makeWriteOperation(options: {
  readonly writeThrough: WriteThrough;
  readonly outbox: Pick<Outbox, "file">;
  readonly collect: Collect;
}): ServeOperation {
  const { writeThrough, outbox, collect } = options;

  async function answerOf(
    { flux, files }: Extract<WriteThroughResult, { kind: "concluded" }>,
    shape: SneOperationShape,
  ): Promise<Served> {
    const { verdict } = flux;
    if (verdict?.by !== "sne") return { kind: "fault", fault: settled(flux, verdict) };
    const [answer, attestation] =
      files === undefined
        ? await Promise.all([outbox.file(flux.id, "answer"), outbox.file(flux.id, "attestation")])
        : [files.answer, files.attestation];
    if (answer === undefined) {
      return { kind: "fault", fault: about(flux, faultOfCode("FILES_ERASED")) };
    }
    const [name, file, attestationName, attestationFile] = shape.results;
    if (name === undefined || file === undefined) throw new Error(`${shape.name} gives no file`);
    const results: SoapResult[] = [
      { name: name.name, text: answer.name },
      { name: file.name, file: answer.bytes, contentType: "text/xml" },
    ];
    if (attestation !== undefined && attestationName && attestationFile) {
      results.push(
        { name: attestationName.name, text: attestation.name },
        { name: attestationFile.name, file: attestation.bytes, contentType: typeOf(attestation) },
      );
    }
    return { kind: "answer", results, sent: () => collect(flux) };
  }

  return async ({ shape, parameters, guichet, http }) => {
    const call = callOf(shape, parameters);
    if (call === "certificateTooLarge") {
      const text = `certificat dépasse ${MAX_CERTIFICATE_BYTES} octets.`;
      return { kind: "fault", fault: { who: "sender", code: "INVALID_REQUEST", text } };
    }
    const [name, file] = shape.parameters;
    const bytes = parameters.file(file?.name ?? "")?.bytes ?? new Uint8Array();
    const result = await writeThrough(
      {
        channel: "soap",
        sender: [guichet],
        files: [{ name: parameters.text(name?.name ?? "") ?? "", bytes }],
        call,
        origin: {
          from: `guichet ${guichet.code}`,
          ...(http.remoteAddress === undefined ? {} : { remoteAddress: http.remoteAddress }),
        },
        returnTo: () => ({ channel: "soap" }),
      },
      http.gone,
    );
    switch (result.kind) {
      case "concluded":
        return answerOf(result, shape);
      case "pending":
        return { kind: "fault", fault: pending(result.flux) };
      case "refused":
        return { kind: "fault", fault: refused(result.controls) };
    }
  };
}

/** What the caller asked beside its file, to be told to the SNE as it is. */
function callOf(
  shape: SneOperationShape,
  parameters: SoapParameters,
): SneCall | "certificateTooLarge" {
  if (!isWriteOperation(shape.name)) throw new Error(`${shape.name} does not write`);
  const certificate = parameters.file("certificat")?.bytes;
  if (certificate !== undefined && certificate.byteLength > MAX_CERTIFICATE_BYTES) {
    return "certificateTooLarge";
  }
  const certificateName = parameters.text("nomCertificat");
  const complet = parameters.text("complet");
  return {
    operation: shape.name,
    ...(certificateName === undefined ? {} : { certificateName }),
    ...(certificate === undefined
      ? {}
      : { certificate: Buffer.from(certificate).toString("base64") }),
    ...(complet === undefined ? {} : { complet }),
  };
}

/** There is no verdict yet: whether the machine goes on, or a person must look. */
function pending(flux: Flux): SoapFault {
  const code: ErrorCode =
    flux.state === "inDoubt"
      ? "FLUX_IN_DOUBT"
      : flux.state === "failed"
        ? "FLUX_FAILED"
        : "FLUX_DEFERRED";
  return about(flux, faultOfCode(code, errorText(code, { fluxId: flux.id })));
}

/** Concluded by an operator, or by us: the SNE gave no file to hand over. */
function settled(flux: Flux, verdict: Verdict | undefined): SoapFault {
  const outcome =
    verdict?.kind === "accepted"
      ? `acceptée, numéro unique ${verdict.numeroUnique}`
      : verdict?.kind === "refused"
        ? `refusée, ${verdict.controls[0]?.message ?? "doublons"}`
        : "abandonnée par un exploitant";
  return about(
    flux,
    faultOfCode("FLUX_SETTLED", errorText("FLUX_SETTLED", { fluxId: flux.id, outcome })),
  );
}

/** Refused before anything was kept: each control with its place in the file. */
function refused(controls: readonly Control[]): SoapFault {
  const [only, ...others] = controls;
  const isOne = only !== undefined && others.length === 0 && isErrorCode(only.code);
  const code: ErrorCode = isOne && isErrorCode(only.code) ? only.code : "SCHEMA_INVALID";
  const lines = controls.slice(0, MOST_CONTROLS).map(placed);
  const text = isOne ? lines[0] : `${errorText("SCHEMA_INVALID")} ${lines.join(" ; ")}`;
  return {
    who: "sender",
    code,
    text: text ?? errorText(code),
    detail: lines.map((line) => ({ name: "controle", text: line })),
  };
}

function placed({ message, field, line, column }: Control): string {
  const place =
    line === undefined ? [] : [`ligne ${line}${column === undefined ? "" : `, colonne ${column}`}`];
  const where = [...place, ...(field === undefined ? [] : [field])].join(", ");
  return where === "" ? message : `${message} (${where})`;
}

function about(flux: Flux, fault: SoapFault): SoapFault {
  return { ...fault, detail: [{ name: "identifiant", text: flux.id }] };
}

/** The SNE's own label is not kept; a PDF says what it is (ISO 32000, 7.5.2). */
function typeOf({ bytes }: { readonly bytes: Uint8Array }): string {
  const isPdf = Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "%PDF-";
  return isPdf ? "application/pdf" : "application/octet-stream";
}
