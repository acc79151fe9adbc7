/** Names that SOAP 1.1, SOAP 1.2 and XOP give to things, and the version a namespace says. */
import type { SoapVersion } from "./soap-message.ts";

export const ENVELOPE_NAMESPACES: Readonly<Record<SoapVersion, string>> = {
  "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
  "1.2": "http://www.w3.org/2003/05/soap-envelope",
};
export const XOP_NAMESPACE = "http://www.w3.org/2004/08/xop/include";
export const XSI_NAMESPACE = "http://www.w3.org/2001/XMLSchema-instance";

/** Media type of an envelope of each version (SOAP 1.1 section 6, RFC 3902). */
export const MEDIA_TYPES: Readonly<Record<SoapVersion, string>> = {
  "1.1": "text/xml",
  "1.2": "application/soap+xml",
};

/** The version of an envelope's namespace; undefined when it is of none. */
export function versionOf(namespace: string): SoapVersion | undefined {
  if (namespace === ENVELOPE_NAMESPACES["1.1"]) return "1.1";
  return namespace === ENVELOPE_NAMESPACES["1.2"] ? "1.2" : undefined;
}
