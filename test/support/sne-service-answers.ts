/** Answers of any operation of the SNE's three services as bytes, for the scripted server. */
import { envelope, include, multipartAnswer, rootPart, SNE } from "./sne-answers.ts";
import { httpAnswer } from "./scripted-soap-server.ts";

/** The element an operation answers with, around what is given. */
export function element(name: string, children: string): string {
  return `<ns2:${name} xmlns:ns2="${SNE}">${children}</ns2:${name}>`;
}

/** A file of events, as the contract describes it; what is given follows `operation`. */
export function eventsFile(more = "", numUnique = "1110318016982G1104"): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><ns2:interfaceNuu xmlns:ns2="http://nuu.application.i2/" versionInterface="02.00">` +
    `<ns2:entete><ns2:typeFichier>EVT</ns2:typeFichier><ns2:codeGuichet>G1104</ns2:codeGuichet></ns2:entete>` +
    `<ns2:operation><ns2:numUnique>${numUnique}</ns2:numUnique></ns2:operation>${more}</ns2:interfaceNuu>`
  );
}

/** A whole answer with MTOM: each file raw in its own part, after the root. */
export function mtomAnswer(
  name: string,
  children: readonly (readonly [
    name: string,
    value: string | { readonly file: Uint8Array | string },
  ])[],
  options: Parameters<typeof multipartAnswer>[1] = { start: "<racine@sne>" },
): Buffer {
  const inside = children.map(([child, value]) =>
    typeof value === "string"
      ? `<${child}>${value}</${child}>`
      : `<${child} xmlns:c="${SNE}" c:contentType="text/xml">${include(`${child}@sne`)}</${child}>`,
  );
  const files = children.flatMap(([child, value]) =>
    typeof value === "string"
      ? []
      : [{ id: `${child}@sne`, type: "application/octet-stream", bytes: value.file }],
  );
  return multipartAnswer([rootPart(envelope(element(name, inside.join("")))), ...files], options);
}

/** The same in one envelope, files in base64. */
export function plainAnswer(
  name: string,
  children: string,
  { status = 200 }: { readonly status?: number } = {},
): Buffer {
  return httpAnswer(
    status,
    { "Content-Type": "application/soap+xml; charset=utf-8" },
    envelope(element(name, children)),
  );
}
