/**
 * A guichet: who sends, how it is recognised, and how it wants its acquittements. Read from
 * `config/guichets.json` at start; the matching rules are here, pure.
 */

export type Language = "fr" | "en";

export interface Guichet {
  /** numGuichet, at most five characters (interfaceNuu schema). */
  readonly code: string;
  readonly name: string;
  /** Mail senders allowed: full addresses, or `*@domain`. Compared without case. */
  readonly senders: readonly string[];
  /** User name of SMTP AUTH, when the receiver asks for it. */
  readonly smtpUser?: string;
  readonly folders?: {
    /** Where the guichet drops its files. */
    readonly drop: string;
    /** Where its acquittements are written. */
    readonly return: string;
  };
  /** SHA-256 (hexadecimal) of its key over HTTP: bearer, or password of Basic. */
  readonly apiKeySha256?: string;
  /** SHA-256 fingerprints (`readFingerprint`) of the client certificates it presents over TLS. */
  readonly certificates?: readonly string[];
  /**
   * Subject of its client certificate (`canonicalSubject`), believed only of a certificate that one of
   * our authorities has signed: it may be renewed without a change here.
   */
  readonly certificateSubject?: string;
  /** `same`: by the channel the flux came by. */
  readonly returnBy: "same" | "mail" | "file" | "rest";
  /** Where acquittements are mailed; needed when `returnBy` is mail, else the sender's address. */
  readonly returnMail?: string;
  readonly language: Language;
  /** The store its fluxes are kept in, one of GATEWAY_STORE_PARTITIONS; undefined: GATEWAY_STORE. */
  readonly store?: string;
}

/** The guichets known to the gateway, found by each thing that can name one. */
export interface Guichets {
  readonly all: readonly Guichet[];
  byCode(code: string): Guichet | undefined;
  /** Every guichet this mail address may send for. */
  bySender(address: string): readonly Guichet[];
  bySmtpUser(user: string): readonly Guichet[];
  byApiKeySha256(digest: string): Guichet | undefined;
  /** @param fingerprint - as `readFingerprint` gives it */
  byCertificate(fingerprint: string): Guichet | undefined;
  /** @param subject - as `canonicalSubject` gives it, of a certificate whose chain was verified */
  byCertificateSubject(subject: string): Guichet | undefined;
}

/** Lower case, without separators; undefined when it is no SHA-256. */
export function readFingerprint(text: string): string | undefined {
  const digits = text.replace(/[\s:]/g, "").toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

/**
 * The subject of a certificate in one form, whoever wrote it: `CN=a, O=b`, one attribute a line as
 * Node.js has it, or spaces around the sign as OpenSSL prints. All attributes count, their order does
 * not. Undefined when there is none.
 */
export function canonicalSubject(text: string): string | undefined {
  const attributes = text.split(/(?<!\\)[,\n]/).flatMap((piece) => {
    if (piece.trim() === "") return [];
    const [, type, value] =
      /^\s*([A-Za-z][A-Za-z0-9.-]*|[0-9]+(?:\.[0-9]+)+)\s*=\s*(.*\S)\s*$/.exec(piece) ?? [];
    return [
      type === undefined || value === undefined ? undefined : `${type.toUpperCase()}=${value}`,
    ];
  });
  if (attributes.length === 0 || attributes.includes(undefined)) return undefined;
  return attributes.sort().join(", ");
}

/** Indexes a list already checked for doubles (`adapters/config/guichets-file.ts`). */
export function indexGuichets(all: readonly Guichet[]): Guichets {
  const byCode = new Map(all.map((guichet) => [guichet.code, guichet]));
  const byKey = new Map<string, Guichet>();
  const byCertificate = new Map<string, Guichet>();
  const bySubject = new Map<string, Guichet>();
  const bySender = new Map<string, Guichet[]>();
  for (const guichet of all) {
    if (guichet.apiKeySha256 !== undefined) byKey.set(guichet.apiKeySha256.toLowerCase(), guichet);
    for (const one of guichet.certificates ?? []) byCertificate.set(one, guichet);
    const { certificateSubject } = guichet;
    if (certificateSubject !== undefined) bySubject.set(certificateSubject, guichet);
    for (const sender of guichet.senders) {
      const pattern = sender.toLowerCase();
      bySender.set(pattern, [...(bySender.get(pattern) ?? []), guichet]);
    }
  }
  return {
    all,
    byCode: (code) => byCode.get(code),
    bySender: (address) => {
      const lower = address.toLowerCase();
      const domain = `*@${lower.slice(lower.lastIndexOf("@") + 1)}`;
      return [...new Set([...(bySender.get(lower) ?? []), ...(bySender.get(domain) ?? [])])];
    },
    bySmtpUser: (user) => all.filter((guichet) => guichet.smtpUser === user),
    byApiKeySha256: (digest) => byKey.get(digest.toLowerCase()),
    byCertificate: (fingerprint) => byCertificate.get(fingerprint),
    byCertificateSubject: (subject) => bySubject.get(subject),
  };
}
