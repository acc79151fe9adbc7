/**
 * An operation of the SNE that reads, asked of us: passed through behind the breaker, its answer
 * given as it came. Nothing is kept: a question that fails is asked again by who asked it.
 *
 * Promise: while the SNE is known to be down no question is sent, and its caller is told at once.
 */
import { errorText, type ErrorCode } from "../../../domain/errors.ts";
import {
  isWriteOperation,
  READ_OPERATIONS,
  type ReadOperation,
} from "../../../domain/sne-operation.ts";
import type { ReadAnswer, ReadCall, SneValue } from "../../../forward/registry.ts";
import type { SneParameter } from "../../../wire/sne-contract.ts";
import type { SoapParameters } from "../read-parameters.ts";
import type { Served } from "../service-call.ts";
import type { SoapResult } from "../soap-message.ts";
import type { ServeSneOperation } from "./drop-in-endpoint.ts";

/** Asks the SNE; undefined when the breaker, or the lack of an address, forbids it now. */
export type AskSne = (call: ReadCall) => Promise<ReadAnswer | undefined>;

export function makeReadOperation({ ask }: { readonly ask: AskSne }): ServeSneOperation {
  return async ({ shape, parameters, http }) => {
    const answer = await ask({
      operation: readOperation(shape.name),
      parameters: shape.parameters.flatMap((parameter) => valueOf(parameter, parameters)),
      signal: http.gone,
    });
    return answer === undefined
      ? { kind: "error", error: { code: "SNE_SUSPENDED" } }
      : servedOf(answer);
  };
}

function readOperation(name: string): ReadOperation {
  const found = READ_OPERATIONS.find((operation) => operation === name);
  if (found === undefined || isWriteOperation(name)) throw new Error(`${name} does not only read`);
  return found;
}

function valueOf({ name, type }: SneParameter, parameters: SoapParameters): readonly SneValue[] {
  if (type === "file") {
    const file = parameters.file(name);
    if (file === undefined) return [];
    const { bytes, contentType } = file;
    return [{ name, file: bytes, ...(contentType === undefined ? {} : { contentType }) }];
  }
  const value = type === "code" ? parameters.code(name) : parameters.text(name);
  if (value === undefined) return [];
  return [type === "code" ? { name, code: value } : { name, text: value }];
}

function servedOf(answer: ReadAnswer): Served {
  switch (answer.kind) {
    case "read":
      return { kind: "answer", results: answer.results.map(resultOf) };
    case "fault":
      // The SNE's own words: a client written for it knows them.
      return {
        kind: "error",
        error: {
          code: answer.who === "sender" ? "SNE_REQUEST_REJECTED" : "SNE_SERVER_ERROR",
          message: answer.text,
          advice: "",
          who: answer.who,
        },
      };
    case "notProcessed": {
      const codes: Readonly<Record<typeof answer.why, ErrorCode>> = {
        unreachable: "SNE_UNREACHABLE",
        busy: "SNE_BUSY",
        accessRefused: "SNE_ACCESS_REFUSED",
        wrongAddress: "SNE_WRONG_ADDRESS",
        tooLarge: "SNE_REQUEST_REJECTED",
      };
      return notAnswered(codes[answer.why], answer.detail);
    }
    case "notRead":
      return notAnswered(
        answer.why === "noAnswer" ? "SNE_NO_ANSWER" : "SNE_UNREADABLE_ANSWER",
        answer.detail,
      );
  }
}

/** Reading has no effect: whatever went wrong, asking again is safe. */
function notAnswered(code: ErrorCode, detail: string): Served {
  return {
    kind: "error",
    error: {
      code,
      message: errorText(code, { detail }),
      advice: "La question peut être reposée : elle n'a pas d'effet.",
      who: "receiver",
    },
  };
}

function resultOf(value: SneValue): SoapResult {
  if ("file" in value) {
    return {
      name: value.name,
      file: value.file,
      contentType: value.contentType ?? "application/octet-stream",
    };
  }
  return { name: value.name, text: "text" in value ? value.text : value.code };
}
