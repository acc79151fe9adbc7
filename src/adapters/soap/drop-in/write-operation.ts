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
import { parameterError, type Served, type ServiceError } from "../service-call.ts";
import type { SoapResult } from "../soap-message.ts";
import type { ServeSneOperation } from "./drop-in-endpoint.ts";

/** A certificate is a few KB; it is kept beside the flux, not with its files. */
const MAX_CERTIFICATE_BYTES = 64 * 1024;
/** Of the controls, in the sentence; all of them are in the detail. */
const MOST_SHOWN = 5;

export function makeWriteOperation(options: {
  readonly writeThrough: WriteThrough;
  readonly outbox: Pick<Outbox, "file">;
  readonly collect: Collect;
}): ServeSneOperation {
  const { writeThrough, outbox, collect } = options;

  async function answerOf(
    { flux, files }: Extract<WriteThroughResult, { kind: "concluded" }>,
    shape: SneOperationShape,
  ): Promise<Served> {
    const { verdict } = flux;
    if (verdict?.by !== "sne") return { kind: "error", error: settled(flux, verdict) };
    const [answer, attestation] =
      files === undefined
        ? await Promise.all([outbox.file(flux.id, "answer"), outbox.file(flux.id, "attestation")])
        : [files.answer, files.attestation];
    if (answer === undefined) {
      return { kind: "error", error: { code: "FILES_ERASED", fluxId: flux.id } };
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
      return parameterError("certificat", `plus de ${MAX_CERTIFICATE_BYTES} octets.`);
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
        return { kind: "error", error: pending(result.flux) };
      case "refused":
        return { kind: "error", error: refused(result.controls) };
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
function pending(flux: Flux): ServiceError {
  const code: ErrorCode =
    flux.state === "inDoubt"
      ? "FLUX_IN_DOUBT"
      : flux.state === "failed"
        ? "FLUX_FAILED"
        : "FLUX_DEFERRED";
  return { code, message: errorText(code, { fluxId: flux.id }), fluxId: flux.id };
}

/** Concluded by an operator, or by us: the SNE gave no file to hand over. */
function settled(flux: Flux, verdict: Verdict | undefined): ServiceError {
  const outcome =
    verdict?.kind === "accepted"
      ? `acceptée, numéro unique ${verdict.numeroUnique}`
      : verdict?.kind === "refused"
        ? `refusée, ${verdict.controls[0]?.message ?? "doublons"}`
        : "abandonnée par un exploitant";
  const message = errorText("FLUX_SETTLED", { fluxId: flux.id, outcome });
  return { code: "FLUX_SETTLED", message, fluxId: flux.id };
}

/** Refused before anything was kept: each control with its place in the file. */
function refused(controls: readonly Control[]): ServiceError {
  const [only, ...others] = controls;
  const lines = controls.slice(0, MOST_SHOWN).map(placed);
  if (only !== undefined && others.length === 0 && isErrorCode(only.code)) {
    return { code: only.code, message: lines.join(), controls };
  }
  return {
    code: "SCHEMA_INVALID",
    message: `${errorText("SCHEMA_INVALID")} ${lines.join(" ; ")}`,
    controls,
  };
}

function placed({ message, field, line, column }: Control): string {
  const place =
    line === undefined ? [] : [`ligne ${line}${column === undefined ? "" : `, colonne ${column}`}`];
  const where = [...place, ...(field === undefined ? [] : [field])].join(", ");
  return where === "" ? message : `${message} (${where})`;
}

/** The SNE's own label is not kept; a PDF says what it is (ISO 32000, 7.5.2). */
function typeOf({ bytes }: { readonly bytes: Uint8Array }): string {
  const isPdf = Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "%PDF-";
  return isPdf ? "application/pdf" : "application/octet-stream";
}
