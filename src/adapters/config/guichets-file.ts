/**
 * Reads `config/guichets.json`: the guichets, who sends for them, how they are answered. JSON with
 * comments (an operator must be able to write why). Promise: every mistake is told at once, with its
 * line and what to write instead; nothing misspelt is silently ignored.
 */
import { readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { messageOf, systemCodeOf } from "../../domain/errors.ts";
import {
  canonicalSubject,
  indexGuichets,
  readFingerprint,
  type Guichet,
  type Guichets,
} from "../../domain/guichet.ts";
import { DEFAULT_STORE } from "../../runtime/store-address.ts";
import { suggest } from "../../runtime/suggest.ts";
import { checkTogether, type PlacedGuichet } from "./guichet-conflicts.ts";
import {
  readObject,
  readTree,
  type GuichetsProblem,
  type ProblemSink,
  type Shape,
  type Value,
} from "./json-tree.ts";

export type GuichetsReading =
  | { readonly kind: "read"; readonly guichets: Guichets }
  | { readonly kind: "invalid"; readonly problems: readonly GuichetsProblem[] };

/**
 * Reads the file; folders in it are relative to it.
 * @param stores - the names a guichet may give as its `store` (GATEWAY_STORE_PARTITIONS)
 */
export function readGuichetsFile(path: string, stores: readonly string[] = []): GuichetsReading {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const why =
      systemCodeOf(error) === "ENOENT"
        ? "Ce fichier n'existe pas."
        : systemCodeOf(error) === "ERR_ENCODING_INVALID_ENCODED_DATA"
          ? "Ce fichier n'est pas en UTF-8."
          : `Ce fichier n'a pas pu être lu : ${messageOf(error)}.`;
    return { kind: "invalid", problems: [{ line: 1, column: 1, path: "", message: why }] };
  }
  return parseGuichets(text, dirname(resolve(path)), stores);
}

/** Reads the text of the file. @param folder - absolute; relative folders start there */
export function parseGuichets(
  text: string,
  folder: string,
  stores: readonly string[] = [],
): GuichetsReading {
  const problems: GuichetsProblem[] = [];
  const root = readTree(text, problems);
  if (root === undefined || problems.length > 0) return { kind: "invalid", problems };
  const sink: ProblemSink = (value, message) => {
    problems.push({ ...value.position, path: value.path, message });
  };
  const placed = readGuichets(root, { folder, stores }, sink);
  checkTogether(placed, sink);
  if (problems.length > 0) {
    problems.sort((a, b) => a.line - b.line || a.column - b.column);
    return { kind: "invalid", problems };
  }
  return { kind: "read", guichets: indexGuichets(placed.map(({ guichet }) => guichet)) };
}

const FILE_SHAPE: Shape = { required: ["guichets"], optional: ["$schema"] };
const GUICHET_SHAPE: Shape = {
  required: ["code", "name"],
  optional: [
    "senders",
    "smtpUser",
    "folders",
    "apiKeySha256",
    "certificates",
    "certificateSubject",
    "returnBy",
    "returnMail",
    "language",
    "store",
  ],
};
const FOLDERS_SHAPE: Shape = { required: ["drop", "return"], optional: [] };

/** What the file is read against. */
interface Around {
  readonly folder: string;
  readonly stores: readonly string[];
}

function readGuichets(root: Value, around: Around, sink: ProblemSink): PlacedGuichet[] {
  const list = readObject(root, FILE_SHAPE, sink)?.get("guichets");
  if (list === undefined) return [];
  if (list.items === undefined) {
    sink(list, "Une liste de guichets, entre crochets, est attendue.");
    return [];
  }
  if (list.items.length === 0) sink(list, "Il faut au moins un guichet.");
  return list.items.flatMap((item) => {
    const guichet = readGuichet(item, around, sink);
    return guichet === undefined ? [] : [{ guichet, at: item }];
  });
}

function readGuichet(
  item: Value,
  { folder, stores }: Around,
  sink: ProblemSink,
): Guichet | undefined {
  const fields = readObject(item, GUICHET_SHAPE, sink);
  if (fields === undefined) return undefined;
  const text = (name: string, check: (value: string) => string | undefined) =>
    readText(fields.get(name), check, sink);

  const code = text("code", (value) =>
    /^[0-9A-Za-z]{1,5}$/.test(value)
      ? undefined
      : "Le code d'un guichet compte un à cinq chiffres ou lettres sans accent.",
  );
  const name = text("name", notBlank);
  const senders = readSenders(fields.get("senders"), sink);
  const smtpUser = text("smtpUser", notBlank);
  const folders = readFolders(fields.get("folders"), folder, sink);
  const apiKeySha256 = text("apiKeySha256", (value) =>
    /^[0-9a-f]{64}$/i.test(value)
      ? undefined
      : "L'empreinte SHA-256 de la clé est attendue (64 chiffres hexadécimaux), jamais la clé elle-même.",
  );
  const certificates = readCertificates(fields.get("certificates"), sink);
  const subject = text("certificateSubject", (value) =>
    canonicalSubject(value) === undefined
      ? "Le sujet du certificat est attendu, attribut par attribut : CN=75A01, O=Bailleur, C=FR."
      : undefined,
  );
  const certificateSubject = subject === undefined ? undefined : canonicalSubject(subject);
  const returnBy = readChoice(fields.get("returnBy"), RETURN_BY, sink);
  const returnMail = text("returnMail", (value) =>
    isAddress(value) ? undefined : "Une adresse de messagerie est attendue.",
  );
  const language = readChoice(fields.get("language"), LANGUAGES, sink);
  const store = text("store", (value) => storeProblem(value, stores));

  const guichet: Guichet = {
    code: code ?? "",
    name: name ?? "",
    senders,
    ...(smtpUser === undefined ? {} : { smtpUser }),
    ...(folders === undefined ? {} : { folders }),
    ...(apiKeySha256 === undefined ? {} : { apiKeySha256: apiKeySha256.toLowerCase() }),
    ...(certificates.length === 0 ? {} : { certificates }),
    ...(certificateSubject === undefined ? {} : { certificateSubject }),
    returnBy: returnBy ?? "same",
    ...(returnMail === undefined ? {} : { returnMail }),
    language: language ?? "fr",
    ...(store === undefined || store === DEFAULT_STORE ? {} : { store }),
  };
  checkChannels(fields, item, sink);
  return guichet;
}

const RETURN_BY = ["same", "mail", "file", "rest"] as const;
const LANGUAGES = ["fr", "en"] as const;
/** What a guichet may call the gateway with, over HTTP. */
const CALLS_BY = ["apiKeySha256", "certificates", "certificateSubject"] as const;

function storeProblem(name: string, stores: readonly string[]): string | undefined {
  const known = [DEFAULT_STORE, ...stores];
  if (known.includes(name)) return undefined;
  if (stores.length === 0) {
    return `Aucune base n'est nommée « ${name} » : GATEWAY_STORE_PARTITIONS n'en nomme aucune.`;
  }
  const meant = suggest(name, known);
  const hint = meant === undefined ? "" : ` ; vouliez-vous dire « ${meant} » ?`;
  const message = `Aucune base n'est nommée « ${name} » (bases : ${known.join(", ")})`;
  return `${message}${hint === "" ? "." : hint}`;
}

/** What a channel chosen for the acquittements needs; judged on what is written, right or wrong. */
function checkChannels(fields: ReadonlyMap<string, Value>, item: Value, sink: ProblemSink): void {
  const senders = fields.get("senders");
  const hasSenders = senders !== undefined && senders.items?.length !== 0;
  const calls = CALLS_BY.some((name) => fields.has(name));
  const arrivesBy = ["smtpUser", "folders"].some((name) => fields.has(name));
  if (!hasSenders && !arrivesBy && !calls) {
    const ways = ["senders", "smtpUser", "folders", ...CALLS_BY];
    sink(item, `Ce guichet ne peut rien envoyer : donnez-lui ${eitherOf(ways)}.`);
  }
  const returnBy = fields.get("returnBy");
  const lacks =
    returnBy?.scalar === "mail" && !fields.has("returnMail") && !hasSenders
      ? "returnMail, ou des senders"
      : returnBy?.scalar === "file" && !fields.has("folders")
        ? "folders"
        : returnBy?.scalar === "rest" && !calls
          ? eitherOf(CALLS_BY)
          : undefined;
  if (returnBy !== undefined && lacks !== undefined) {
    sink(returnBy, `Le retour « ${String(returnBy.scalar)} » demande ${lacks}.`);
  }
}

function readText(
  value: Value | undefined,
  check: (value: string) => string | undefined,
  sink: ProblemSink,
): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value.scalar !== "string") {
    sink(value, "Un texte entre guillemets est attendu.");
    return undefined;
  }
  const problem = check(value.scalar);
  if (problem === undefined) return value.scalar;
  sink(value, problem);
  return undefined;
}

function readChoice<T extends string>(
  value: Value | undefined,
  choices: readonly T[],
  sink: ProblemSink,
): T | undefined {
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value.scalar);
  if (found === undefined)
    sink(value, `L'une de ces valeurs est attendue : ${choices.join(", ")}.`);
  return found;
}

function readSenders(value: Value | undefined, sink: ProblemSink): readonly string[] {
  if (value === undefined) return [];
  if (value.items === undefined) {
    sink(value, "Une liste d'adresses, entre crochets, est attendue.");
    return [];
  }
  const seen = new Set<string>();
  return value.items.flatMap((item) => {
    const sender = readText(
      item,
      (text) =>
        isAddress(text) || (text.startsWith("*@") && isAddress(`x${text.slice(1)}`))
          ? undefined
          : "Une adresse (nom@domaine.fr) ou tout un domaine (*@domaine.fr) est attendu.",
      sink,
    );
    if (sender === undefined) return [];
    if (seen.has(sender.toLowerCase())) sink(item, "Cette adresse est déjà dans la liste.");
    seen.add(sender.toLowerCase());
    return [sender];
  });
}

function readCertificates(value: Value | undefined, sink: ProblemSink): readonly string[] {
  if (value === undefined) return [];
  if (value.items === undefined) {
    sink(value, "Une liste d'empreintes SHA-256 de certificats, entre crochets, est attendue.");
    return [];
  }
  if (value.items.length === 0) sink(value, "Il faut au moins une empreinte.");
  const seen = new Set<string>();
  return value.items.flatMap((item) => {
    const text = readText(
      item,
      (one) =>
        readFingerprint(one) === undefined
          ? "L'empreinte SHA-256 du certificat est attendue (openssl x509 -noout -fingerprint -sha256 -in certificat.pem)."
          : undefined,
      sink,
    );
    const fingerprint = text === undefined ? undefined : readFingerprint(text);
    if (fingerprint === undefined) return [];
    if (seen.has(fingerprint)) sink(item, "Cette empreinte est déjà dans la liste.");
    seen.add(fingerprint);
    return [fingerprint];
  });
}

function eitherOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} ou ${names.at(-1) ?? ""}`;
}

function readFolders(
  value: Value | undefined,
  base: string,
  sink: ProblemSink,
): { drop: string; return: string } | undefined {
  if (value === undefined) return undefined;
  const fields = readObject(value, FOLDERS_SHAPE, sink);
  const path = (name: string) => {
    const text = readText(fields?.get(name), folderName, sink);
    return text === undefined ? undefined : realFolder(resolve(base, text));
  };
  const drop = path("drop");
  const back = path("return");
  return drop === undefined || back === undefined ? undefined : { drop, return: back };
}

/** The folder as the system knows it, links resolved, so that one folder has one name. */
function realFolder(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    // It does not exist yet, or we may not look: what is above it may.
    const parent = dirname(path);
    return parent === path ? path : join(realFolder(parent), basename(path));
  }
}

function folderName(text: string): string | undefined {
  if (text.trim() === "") return "Le nom d'un dossier est attendu.";
  return text.includes("\0") ? "Un nom de dossier ne peut pas contenir ce caractère." : undefined;
}

function notBlank(text: string): string | undefined {
  return text.trim() === "" ? "Ce texte ne peut pas être vide." : undefined;
}

/** Shape only (RFC 5321 dot-string and domain): whether mail reaches it is not known here. */
function isAddress(text: string): boolean {
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  const atom = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+";
  const shape = new RegExp(`^${atom}(?:\\.${atom})*@${label}(?:\\.${label})*$`, "i");
  return text.length <= 254 && !text.startsWith("*") && shape.test(text);
}
