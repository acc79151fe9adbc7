/** The wrong answers the stand-in gives when told to: what each order of that kind puts on the wire. */
import { SERVICE } from "./operations-table.ts";
import { SERVER_ERROR } from "./prepared-call.ts";
import { writeFault11, type AnswerField, type WrittenAnswer } from "./soap-answer.ts";
import type { FaultCode } from "./soap-request.ts";
import type { Plan } from "./steering.ts";

export type SteeringAct = NonNullable<Plan["act"]>;

/** How answers and faults are framed at that moment. */
export interface Framing {
  readonly answer: (
    element: string,
    fields: readonly AnswerField[],
    namespace?: string,
  ) => WrittenAnswer;
  readonly fault: (code: FaultCode, text: string) => WrittenAnswer;
}

/** @param element - of the true answer. @param fields - its content, empty when there was no effect */
export function steeredAnswer(
  act: SteeringAct,
  element: string,
  fields: readonly AnswerField[],
  framing: Framing,
): WrittenAnswer {
  switch (act.do) {
    case "truncate":
      return truncated(framing.answer(element, fields));
    case "wrongElement":
      return framing.answer("autreReponse", fields);
    case "wrongNamespace":
      return framing.answer(element, fields, `${SERVICE}autre/`);
    case "emptyBody":
      return { status: 200, contentType: "application/soap+xml", body: new Uint8Array() };
    case "htmlPage":
      return { status: 200, contentType: "text/html; charset=utf-8", body: HTML_PAGE };
    case "serverError":
      return act.as === "fault"
        ? framing.fault("Receiver", SERVER_ERROR)
        : framing.answer("demandeLogementException", [{ name: "message", text: SERVER_ERROR }]);
    case "fault":
      return framing.fault(act.who === "sender" ? "Sender" : "Receiver", act.text);
    case "fault11":
      return writeFault11("Server", act.text);
    case "httpStatus":
      // 204 and 304 have no body (RFC 9110 section 6.4.1).
      return [204, 304].includes(act.status)
        ? plainText(act.status, "")
        : plainText(act.status, "Ceci n'est pas le SNE : réponse demandée au simulateur.\n");
    default:
      throw new Error(`${act.do} is no answer`);
  }
}

export function plainText(status: number, text: string): WrittenAnswer {
  return { status, contentType: "text/plain; charset=utf-8", body: Buffer.from(text, "utf8") };
}

const HTML_PAGE = Buffer.from(
  "<!doctype html><title>Maintenance</title><p>Site en maintenance. (Ceci n'est pas le SNE : simulateur.)</p>\n",
  "utf8",
);

/** Without its closing boundary, or the end of its envelope: what a server that dies while answering sends. */
function truncated(answer: WrittenAnswer): WrittenAnswer {
  const body = Buffer.from(answer.body);
  const boundary = body.lastIndexOf("--uuid:");
  const end = boundary < 0 ? body.lastIndexOf("</soap:Envelope>") : boundary;
  return { ...answer, body: body.subarray(0, end) };
}
