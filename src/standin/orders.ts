/**
 * Reads the orders given to the stand-in (JSON: the control port, scenario files). An order that is
 * not understood whole is refused with a sentence, and nothing of its list is applied: a misspelt
 * `times` must not become an outage without end.
 */
import { OPERATION_NAMES, SERVICE_NAMES } from "./operations-table.ts";
import {
  EFFECT_BY_DEFAULT,
  type Act,
  type ActName,
  type DownHow,
  type Line,
  type Settings,
  type When,
} from "./steering.ts";

export type Order =
  | { readonly order: "line"; readonly line: Line; readonly cut: boolean }
  | {
      readonly order: "rule";
      readonly act: Act;
      readonly when: When;
      readonly effect: boolean;
      readonly times?: number;
    }
  | { readonly order: "remove"; readonly id: number }
  | { readonly order: "settings"; readonly settings: Partial<Settings> }
  | { readonly order: "clear" }
  | { readonly order: "forget" };

export type OrdersReading =
  | { readonly kind: "read"; readonly orders: readonly Order[] }
  | { readonly kind: "wrong"; readonly reason: string };

class WrongOrder extends Error {}

/** One order, or a list. */
export function readOrders(value: unknown): OrdersReading {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const orders: Order[] = [];
  for (const [index, item] of list.entries()) {
    try {
      orders.push(readOrder(item));
    } catch (error) {
      if (!(error instanceof WrongOrder)) throw error;
      return { kind: "wrong", reason: `order ${index + 1}: ${error.message}` };
    }
  }
  return { kind: "read", orders };
}

const DOWN_HOW = ["refuse", "reset", "hang", "503", "404", "redirect"] as const;

function readOrder(value: unknown): Order {
  const fields = new Fields(value, "an order");
  const name = fields.text("do");
  const order = readNamed(name, fields);
  fields.nothingElse();
  return order;
}

function readNamed(name: string, fields: Fields): Order {
  switch (name) {
    case "up":
      return { order: "line", line: { is: "up" }, cut: false };
    case "down":
      return readDown(fields);
    case "clear":
      return { order: "clear" };
    case "forget":
      return { order: "forget" };
    case "remove":
      return { order: "remove", id: fields.number("id", 1) };
    case "settings":
      return { order: "settings", settings: readSettings(fields) };
    default:
      return readRule(name, fields);
  }
}

function readDown(fields: Fields): Order {
  const how: DownHow = fields.oneOfOptional("how", DOWN_HOW) ?? "refuse";
  const times = fields.numberOptional("times", 1);
  const retryAfterS = fields.numberOptional("retryAfterS", 0);
  const location = fields.textOptional("location");
  const cut = fields.booleanOptional("cut") ?? false;
  if (how === "refuse" && times !== undefined) {
    throw new WrongOrder("down/refuse takes no times: a refused connection is not seen");
  }
  if (cut && how !== "refuse") throw new WrongOrder("cut goes with how: refuse");
  return {
    order: "line",
    cut,
    line: {
      is: "down",
      how,
      ...(times === undefined ? {} : { times }),
      ...(retryAfterS === undefined ? {} : { retryAfterS }),
      ...(location === undefined ? {} : { location }),
    },
  };
}

function readSettings(fields: Fields): Partial<Settings> {
  const doublons = fields.booleanOptional("doublons");
  const unknownNumbers = fields.booleanOptional("unknownNumbers");
  const unknownCodes = fields.booleanOptional("unknownCodes");
  const attestation = fields.oneOfOptional("attestation", ["pdf", "text", "none"]);
  const faults = fields.oneOfOptional("faults", ["multipart", "plain"]);
  const answers = fields.oneOfOptional("answers", ["multipart", "plain"]);
  const codes = fields.oneOfOptional("codes", ["short", "long"]);
  const actionMissing = fields.oneOfOptional("actionMissing", ["fault", "first"]);
  const certificateCheck = fields.oneOfOptional("certificateCheck", ["since", "all", "none"]);
  const certificateShape = fields.oneOfOptional("certificateShape", ["given", "libsne"]);
  const since = fields.oneOfOptional("since", ["zip", "latest"]);
  return {
    ...(doublons === undefined ? {} : { doublons }),
    ...(unknownNumbers === undefined ? {} : { unknownNumbers }),
    ...(unknownCodes === undefined ? {} : { unknownCodes }),
    ...(attestation === undefined ? {} : { attestation }),
    ...(faults === undefined ? {} : { faults }),
    ...(answers === undefined ? {} : { answers }),
    ...(codes === undefined ? {} : { codes }),
    ...(actionMissing === undefined ? {} : { actionMissing }),
    ...(certificateCheck === undefined ? {} : { certificateCheck }),
    ...(certificateShape === undefined ? {} : { certificateShape }),
    ...(since === undefined ? {} : { since }),
  };
}

function readRule(name: string, fields: Fields): Order {
  const act = readAct(name, fields);
  const when = readWhen(fields);
  const times = fields.numberOptional("times", 1);
  const effect = fields.booleanOptional("effect");
  if (effect !== undefined && (act.do === "slow" || act.do === "anomaly")) {
    throw new WrongOrder(`${act.do} takes no effect: the call goes on after it`);
  }
  return {
    order: "rule",
    act,
    when,
    effect: effect ?? EFFECT_BY_DEFAULT[act.do],
    ...(times === undefined ? {} : { times }),
  };
}

const ACTS: Readonly<Record<ActName, (fields: Fields) => Act>> = {
  slow: (fields) => ({ do: "slow", ms: fields.number("ms", 0) }),
  anomaly: (fields) => {
    const propriete = fields.textOptional("propriete");
    return {
      do: "anomaly",
      code: fields.text("code"),
      message: fields.text("message"),
      ...(propriete === undefined ? {} : { propriete }),
    };
  },
  fault: (fields) => ({
    do: "fault",
    who: fields.oneOfOptional("who", ["sender", "receiver"]) ?? "receiver",
    text: fields.textOptional("text") ?? "Erreur demandée au simulateur.",
  }),
  fault11: (fields) => ({
    do: "fault11",
    text: fields.textOptional("text") ?? "Erreur demandée au simulateur.",
  }),
  serverError: (fields) => ({
    do: "serverError",
    as: fields.oneOfOptional("as", ["fault", "answer"]) ?? "fault",
  }),
  httpStatus: (fields) => {
    const status = fields.number("status", 200);
    if (status > 599) throw new WrongOrder("status goes from 200 to 599");
    const retryAfterS = fields.numberOptional("retryAfterS", 0);
    return { do: "httpStatus", status, ...(retryAfterS === undefined ? {} : { retryAfterS }) };
  },
  loseAnswer: () => ({ do: "loseAnswer" }),
  truncate: () => ({ do: "truncate" }),
  emptyBody: () => ({ do: "emptyBody" }),
  htmlPage: () => ({ do: "htmlPage" }),
  wrongElement: () => ({ do: "wrongElement" }),
  wrongNamespace: () => ({ do: "wrongNamespace" }),
  reset: () => ({ do: "reset" }),
  hang: () => ({ do: "hang" }),
};

const ACT_READERS = new Map(Object.entries(ACTS));

function readAct(name: string, fields: Fields): Act {
  const reader = ACT_READERS.get(name);
  if (reader !== undefined) return reader(fields);
  const known = ["up", "down", "clear", "forget", "remove", "settings", ...ACT_READERS.keys()];
  throw new WrongOrder(`do: "${name}" is none of ${known.join(", ")}`);
}

function readWhen(fields: Fields): When {
  const value = fields.optional("when");
  if (value === undefined) return {};
  const when = new Fields(value, "when");
  const operation = when.oneOfOptional("operation", OPERATION_NAMES);
  const service = when.oneOfOptional("service", SERVICE_NAMES);
  const ratio = when.numberOptional("ratio", 0);
  if (ratio !== undefined && ratio > 1) throw new WrongOrder("ratio goes from 0 to 1");
  const texts: Record<string, string> = {};
  const names = ["typeFichier", "guichet", "nom", "refInterne", "numUnique", "sha256"];
  for (const name of names) {
    const text = when.textOptional(name);
    if (text !== undefined) texts[name] = text;
  }
  when.nothingElse();
  return {
    ...texts,
    ...(operation === undefined ? {} : { operation }),
    ...(service === undefined ? {} : { service }),
    ...(ratio === undefined ? {} : { ratio }),
  };
}

/** The fields of a JSON object, each asked once by its name. */
class Fields {
  readonly #fields: Map<string, unknown>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new WrongOrder(`${what} is a JSON object`);
    }
    this.#fields = new Map(Object.entries(value));
    this.#what = what;
  }

  optional(name: string): unknown {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value;
  }

  textOptional(name: string): string | undefined {
    const value = this.optional(name);
    if (value === undefined || typeof value === "string") return value;
    throw new WrongOrder(`${name} is a text`);
  }

  text(name: string): string {
    const value = this.textOptional(name);
    if (value === undefined || value === "") throw new WrongOrder(`${name} is missing`);
    return value;
  }

  numberOptional(name: string, least: number): number | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isFinite(value) && value >= least) return value;
    throw new WrongOrder(`${name} is a number, at least ${least}`);
  }

  number(name: string, least: number): number {
    const value = this.numberOptional(name, least);
    if (value === undefined) throw new WrongOrder(`${name} is missing`);
    return value;
  }

  booleanOptional(name: string): boolean | undefined {
    const value = this.optional(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw new WrongOrder(`${name} is true or false`);
  }

  oneOfOptional<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.optional(name);
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new WrongOrder(`${name} is one of ${allowed.join(", ")}`);
    return found;
  }

  nothingElse(): void {
    const [left] = this.#fields.keys();
    if (left !== undefined) throw new WrongOrder(`${this.#what} has no field "${left}"`);
  }
}
