/**
 * Refuses a call for the name of its certificate. Confirmed (libsne): the SNE does so for the two
 * "DepuisLe" operations, in these words. Which names it likes is not known.
 */
import type { OperationName } from "./operations-table.ts";
import type { SoapCall } from "./soap-request.ts";

/** Operations that look at it: the two "DepuisLe", all that carry one, none. */
export type CertificateCheck = "since" | "all" | "none";
/**
 * What a name must be: `given` (not empty), or `libsne`: the shape of the one public client
 * (`CERG1226-202601150930.pem`); that the SNE wants that one is not known.
 */
export type CertificateShape = "given" | "libsne";

const SINCE: readonly OperationName[] = ["getDemandesRadieesDepuisLe", "getNouveauxDaloDepuisLe"];
const LIBSNE = /^CER[A-Za-z0-9]{1,5}-\d{12}\.(?:pem|cer|crt)$/;

/** The sentence of the refusal, or undefined. */
export function refusedCertificateName(
  call: SoapCall,
  settings: {
    readonly certificateCheck: CertificateCheck;
    readonly certificateShape: CertificateShape;
  },
): string | undefined {
  const { certificateCheck, certificateShape } = settings;
  if (certificateCheck === "none") return undefined;
  if (certificateCheck === "since" && !SINCE.includes(call.operation)) return undefined;
  const name = call.text("nomCertificat");
  // getDoublons has no such parameter.
  if (name === undefined) return undefined;
  if (certificateShape === "libsne" ? LIBSNE.test(name) : name !== "") return undefined;
  return `Le nom du certificat associé [${name.slice(0, 100)}] n’est pas conforme.`;
}
