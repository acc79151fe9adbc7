/**
 * Reads the settings from the environment, once, at start. Promise: every problem is told at once,
 * with a suggestion for a misspelt name, and no value is guessed.
 */
import { ERRORS, errorText } from "../domain/errors.ts";
import { SETTINGS, type SettingRow } from "./settings-table.ts";
import { readPartitions, storeKind, UNKNOWN_STORE } from "./store-address.ts";
import { suggest } from "./suggest.ts";

type Table = typeof SETTINGS;

type ValueOf<Row> = Row extends { kind: "choice"; oneOf: readonly (infer T)[] }
  ? T
  : Row extends { kind: "text" }
    ? string
    : Row extends { kind: "optional" }
      ? string | undefined
      : Row extends { kind: "flag" }
        ? boolean
        : Row extends { kind: "choices"; oneOf: readonly (infer T)[] }
          ? readonly T[]
          : Row extends { kind: "list" }
            ? readonly string[]
            : number;

export type Settings = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

export interface SettingProblem {
  readonly env: string;
  readonly message: string;
}

export type SettingsReading =
  | { readonly kind: "read"; readonly settings: Settings }
  | { readonly kind: "invalid"; readonly problems: readonly SettingProblem[] };

/** @param environment - usually `process.env`; only `GATEWAY_*` names are looked at */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>>,
): SettingsReading {
  const problems: SettingProblem[] = [];
  const known = Object.values(SETTINGS).map((row) => row.env);
  for (const env of Object.keys(environment).filter((name) => name.startsWith("GATEWAY_"))) {
    if (!known.some((name) => name === env)) {
      const nearest = suggest(env, known);
      const suggestion = nearest === undefined ? "" : ` (vouliez-vous dire ${nearest} ?)`;
      problems.push({ env, message: errorText("UNKNOWN_SETTING", { env, suggestion }) });
    }
  }

  function value(row: SettingRow): string | number | boolean | readonly string[] | undefined {
    const text = environment[row.env]?.trim();
    const reading = readValue(row, text === "" ? undefined : text);
    if (reading.problem === undefined) return reading.value;
    const detail = `${reading.problem}${row.secret === true ? "" : ` (reçu « ${text ?? ""} »)`}`;
    problems.push({
      env: row.env,
      message: errorText("INVALID_SETTING", { env: row.env, detail }),
    });
    return undefined;
  }

  const values = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, row]) => [name, value(row)]),
  );
  if (!isSettings(values) || problems.length > 0) return { kind: "invalid", problems };
  const disagreements = crossChecks(values);
  return disagreements.length > 0
    ? { kind: "invalid", problems: disagreements }
    : { kind: "read", settings: Object.freeze(values) };
}

/** The text a person reads when settings are wrong. */
export function describeProblems(problems: readonly SettingProblem[]): string {
  const lines = problems.map((problem) => `  - ${problem.message}`);
  return `${lines.join("\n")}\n  ${ERRORS.INVALID_SETTING.advice}`;
}

function readValue(
  row: SettingRow,
  text: string | undefined,
): { value?: string | number | boolean | readonly string[]; problem?: string } {
  switch (row.kind) {
    case "optional":
      return text === undefined ? {} : { value: text };
    case "text":
      return { value: text ?? row.default };
    case "list":
      return { value: itemsOf(text ?? "") };
    case "choices": {
      if (text === undefined) return { value: row.default };
      const items = itemsOf(text);
      return items.length > 0 && items.every((item) => row.oneOf.includes(item))
        ? { value: items }
        : { problem: `une ou plusieurs des valeurs ${row.oneOf.join(", ")} sont attendues` };
    }
    case "choice":
      if (text === undefined) return { value: row.default };
      return row.oneOf.includes(text)
        ? { value: text }
        : { problem: `une des valeurs ${row.oneOf.join(", ")} est attendue` };
    case "flag":
      if (text === undefined) return { value: row.default };
      if (["true", "1", "yes", "oui"].includes(text.toLowerCase())) return { value: true };
      if (["false", "0", "no", "non"].includes(text.toLowerCase())) return { value: false };
      return { problem: "true ou false est attendu" };
    case "integer":
    case "milliseconds":
    case "bytes": {
      if (text === undefined) return { value: row.default };
      const number = readNumber(row.kind, text);
      const between = `entre ${row.min} et ${row.max}`;
      if (number === undefined) return { problem: `${UNITS[row.kind]} ${between} est attendu` };
      return number < row.min || number > row.max
        ? { problem: `${UNITS[row.kind]} ${between} est attendu` }
        : { value: number };
    }
  }
}

function itemsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

const UNITS = {
  integer: "un nombre entier",
  milliseconds: "une durée en millisecondes (ou 30s, 5m, 2h)",
  bytes: "une taille en octets (ou 500k, 20m)",
} as const;

const FACTORS: Readonly<Record<"milliseconds" | "bytes", Readonly<Record<string, number>>>> = {
  milliseconds: { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
  bytes: { k: 1024, kb: 1024, m: 1024 ** 2, mb: 1024 ** 2 },
};

function readNumber(kind: "integer" | "milliseconds" | "bytes", text: string): number | undefined {
  const found = /^(-?\d+)\s*([a-z]*)$/i.exec(text);
  const [, digits, unit] = found ?? [];
  if (digits === undefined) return undefined;
  if (unit === undefined || unit === "") return Number(digits);
  if (kind === "integer") return undefined;
  const factor = FACTORS[kind][unit.toLowerCase()];
  return factor === undefined ? undefined : Number(digits) * factor;
}

/** Plain segments, and none of the paths that are the gateway's own. */
const SERVICE_PATH = /^(?!\/(?:api|livez|readyz|metrics)(?:\/|$))(?:\/[A-Za-z0-9._~-]+)+$/;

function crossChecks(settings: Settings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const problem = (env: string, detail: string): void => {
    problems.push({ env, message: errorText("INVALID_SETTING", { env, detail }) });
  };
  if (settings.leaseMs <= settings.sneTimeoutMs + settings.sneConnectTimeoutMs) {
    problem(
      "GATEWAY_LEASE_MS",
      "le bail doit durer plus que GATEWAY_SNE_TIMEOUT_MS + GATEWAY_SNE_CONNECT_TIMEOUT_MS",
    );
  }
  if (settings.retryMaxMs < settings.retryFirstMs) {
    problem("GATEWAY_RETRY_MAX_MS", "le plus long délai est plus court que le premier");
  }
  if ((settings.smtpTlsKey === undefined) !== (settings.smtpTlsCert === undefined)) {
    problem("GATEWAY_SMTP_TLS_KEY", "la clé et le certificat vont ensemble");
  }
  if (settings.smtpRequireTls && settings.smtpTlsKey === undefined) {
    problem("GATEWAY_SMTP_REQUIRE_TLS", "sans certificat, STARTTLS ne peut être exigé");
  }
  if ((settings.sneTlsKey === undefined) !== (settings.sneTlsCert === undefined)) {
    problem("GATEWAY_SNE_TLS_KEY", "la clé et le certificat vont ensemble");
  }
  const served = new Set<string>();
  for (const name of [
    "soapPath",
    "dropInDemandesPath",
    "dropInSearchPath",
    "dropInEventsPath",
  ] as const) {
    const path = settings[name].replace(/\/+$/, "");
    if (path === "-") continue;
    if (!SERVICE_PATH.test(path)) {
      problem(SETTINGS[name].env, "un chemin comme /services/passerelle est attendu");
    } else if (served.has(path)) {
      problem(SETTINGS[name].env, "un autre service est déjà à ce chemin");
    }
    served.add(path);
  }
  if ((settings.httpTlsKey === undefined) !== (settings.httpTlsCert === undefined)) {
    problem("GATEWAY_HTTP_TLS_KEY", "la clé et le certificat vont ensemble");
  }
  if (settings.httpTlsCa !== undefined && settings.httpTlsCert === undefined) {
    problem("GATEWAY_HTTP_TLS_CA", "sans GATEWAY_HTTP_TLS_CERT elle ne sert à rien");
  }
  if (settings.httpAuth.join() === "certificate" && settings.httpTlsCert === undefined) {
    problem("GATEWAY_HTTP_AUTH", "sans GATEWAY_HTTP_TLS_CERT aucun certificat n'est présenté");
  }
  for (const name of ["sneUrl", "sneSearchUrl", "sneEventsUrl"] as const) {
    const url = settings[name];
    if (url !== undefined && !/^https?:$/.test(protocolOf(url))) {
      problem(SETTINGS[name].env, "une adresse http:// ou https:// est attendue");
    } else if (url !== undefined && settings.sneUrl === undefined) {
      problem(SETTINGS[name].env, "sans GATEWAY_SNE_URL elle ne sert à rien");
    }
  }
  if (!/^[^\s<>@]+@[^\s<>@]+$/.test(settings.mailFrom)) {
    problem("GATEWAY_MAIL_FROM", "une adresse simple est attendue, sans nom ni chevrons");
  }
  if (settings.mailUrl !== undefined && !/^smtps?:$/.test(protocolOf(settings.mailUrl))) {
    problem("GATEWAY_MAIL_URL", "une adresse smtp:// ou smtps:// est attendue");
  }
  if (
    settings.operatorKeySha256 !== undefined &&
    !/^[0-9a-f]{64}$/i.test(settings.operatorKeySha256)
  ) {
    problem("GATEWAY_OPERATOR_KEY_SHA256", "64 chiffres hexadécimaux sont attendus");
  }
  if (storeKind(settings.store) === undefined) problem("GATEWAY_STORE", UNKNOWN_STORE);
  const partitions = readPartitions(settings.storePartitions ?? "", settings.store);
  if (partitions.kind === "invalid") problem("GATEWAY_STORE_PARTITIONS", partitions.problem);
  try {
    new RegExp(settings.numeroUniquePattern, "u");
  } catch {
    problem("GATEWAY_NUMERO_UNIQUE_PATTERN", "l'expression régulière est mal formée");
  }
  return problems;
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : "";
}

/** True once every row has a value of its shape; rows that may stay unset may be undefined. */
function isSettings(values: Readonly<Record<string, unknown>>): values is Settings {
  return Object.entries(SETTINGS).every(([name, row]) => {
    const value = values[name];
    return value !== undefined || row.kind === "optional";
  });
}
