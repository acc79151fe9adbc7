/**
 * What node-soap writes an envelope from, and the envelope with its values put in. node-soap is given
 * a mark for each value, never the value: it lets a text that begins with `<![CDATA[` through as
 * markup, and a file has no place in its objects. The names, their order and their namespaces are
 * its own, from the WSDL.
 */
import type { SneValue } from "../../forward/registry.ts";
import { SNE_NAMESPACE, type SneOperationShape } from "../../wire/sne-contract.ts";
import { escapeXml } from "../../wire/xml-text.ts";
import { includeOf, type AttachedFile } from "./soap-request.ts";

/** One call, as node-soap takes it and as it leaves. */
export interface CallEnvelope {
  /** For node-soap: a mark where each value goes. */
  readonly given: object;
  /** The envelope node-soap made, with the values in it. */
  readonly filled: (envelope: string) => string;
  readonly files: readonly AttachedFile[];
}

const MARK = /%%(\d{1,3})%%/g;

/** @throws Error when a value is of no parameter of the operation, or of another type */
export function callEnvelope(shape: SneOperationShape, values: readonly SneValue[]): CallEnvelope {
  const put: string[] = [];
  const mark = (xml: string): string => `%%${put.push(xml) - 1}%%`;
  const files: AttachedFile[] = [];
  const given: Record<string, unknown> = {};
  const left = new Set(values);
  for (const { name, type } of shape.parameters) {
    const value = values.find((one) => one.name === name);
    if (value === undefined) continue;
    left.delete(value);
    if (type === "file" && "file" in value) {
      const id = `${name}@passerelle`;
      files.push({ id, contentType: partType(name), bytes: value.file });
      given[name] = { ...typeAttribute(value.contentType, mark), $xml: mark(includeOf(id)) };
    } else if (type === "code" && "code" in value) {
      given[name] = { attributes: { code: mark(escapeXml(value.code)) } };
    } else if ((type === "text" || type === "dateTime") && "text" in value) {
      given[name] = mark(escapeXml(value.text));
    } else {
      throw new Error(`${name} of ${shape.name} is a ${type}`);
    }
  }
  const [odd] = left;
  if (odd !== undefined) throw new Error(`${shape.name} takes no ${odd.name}, or takes it once`);
  return {
    given,
    filled: (envelope) => envelope.replace(MARK, (_mark, index) => put[Number(index)] ?? ""),
    files,
  };
}

/** Of the MIME part, as libsne labels the two kinds of file. */
function partType(name: string): string {
  return name === "certificat" ? "application/octet-stream" : "text/xml";
}

function typeAttribute(contentType: string | undefined, mark: (xml: string) => string): object {
  if (contentType === undefined) return {};
  // Declared on the spot: the prefix the WSDL gives this namespace is its own affair.
  return {
    attributes: { "xmlns:svc": SNE_NAMESPACE, "svc:contentType": mark(escapeXml(contentType)) },
  };
}
