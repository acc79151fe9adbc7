/**
 * What the stand-in was told to do wrong: whether its line is up, and the rules that change its
 * answers. Orders are read in `orders.ts`, documented in README.md; this holds them, spends their
 * `times`, and says what the next call must meet.
 */
import type { Anomaly } from "./standin-rules.ts";
import type { CertificateCheck, CertificateShape } from "./certificate-name.ts";
import { operationNamed, type OperationName, type ServiceName } from "./operations-table.ts";
import type { CodeForm } from "./standin-rules.ts";
import type { ActionMissing } from "./tell-operation.ts";

/** How the whole service is down. `refuse` closes the port; the others answer every call so. */
export type DownHow = "refuse" | "reset" | "hang" | "503" | "404" | "redirect";

export type Line =
  | { readonly is: "up" }
  | {
      readonly is: "down";
      readonly how: DownHow;
      readonly retryAfterS?: number;
      readonly location?: string;
      /** Calls it still lasts; without end when absent. */
      times?: number;
    };

/** What a rule looks at; all that is given must hold. Texts are compared without case. */
export interface When {
  readonly operation?: OperationName;
  readonly service?: ServiceName;
  readonly typeFichier?: string;
  readonly guichet?: string;
  readonly nom?: string;
  readonly refInterne?: string;
  readonly numUnique?: string;
  readonly sha256?: string;
  /** Chance that it holds, from 0 to 1. */
  readonly ratio?: number;
}

/** What a rule does. `effect`: whether the call takes its effect all the same. */
export type Act =
  | { readonly do: "slow"; readonly ms: number }
  | ({ readonly do: "anomaly" } & Anomaly)
  | { readonly do: "fault"; readonly who: "sender" | "receiver"; readonly text: string }
  | { readonly do: "fault11"; readonly text: string }
  | { readonly do: "serverError"; readonly as: "fault" | "answer" }
  | { readonly do: "httpStatus"; readonly status: number; readonly retryAfterS?: number }
  | {
      readonly do:
        | "loseAnswer"
        | "truncate"
        | "emptyBody"
        | "htmlPage"
        | "wrongElement"
        | "wrongNamespace"
        | "reset"
        | "hang";
    };

export type ActName = Act["do"];

/** Whether the effect is taken when the order does not say. */
export const EFFECT_BY_DEFAULT: Readonly<Record<ActName, boolean>> = {
  slow: true,
  anomaly: false,
  fault: false,
  fault11: false,
  serverError: false,
  httpStatus: false,
  loseAnswer: true,
  truncate: true,
  emptyBody: true,
  htmlPage: false,
  wrongElement: true,
  wrongNamespace: true,
  reset: false,
  hang: false,
};

export interface Rule {
  readonly id: number;
  readonly act: Act;
  readonly when: When;
  readonly effect: boolean;
  /** Calls it is still for; without end when absent. */
  times?: number;
  /** Calls it was applied to. */
  applied: number;
}

export interface Settings {
  readonly doublons: boolean;
  readonly unknownNumbers: boolean;
  /** What CRE, CRS and REN bring back: a binary PDF, a text that is UTF-8, nothing. */
  readonly attestation: "pdf" | "text" | "none";
  readonly faults: "multipart" | "plain";
  /** `plain`: files in base64 inside the envelope, as a server without MTOM. */
  readonly answers: "multipart" | "plain";
  readonly unknownCodes: boolean;
  readonly codes: CodeForm;
  readonly actionMissing: ActionMissing;
  readonly certificateCheck: CertificateCheck;
  readonly certificateShape: CertificateShape;
  /** How the two "DepuisLe" hand over what they list: all of it, or the latest demande's own file. */
  readonly since: "zip" | "latest";
}

export const DEFAULT_SETTINGS: Settings = {
  doublons: true,
  unknownNumbers: true,
  attestation: "pdf",
  faults: "multipart",
  answers: "multipart",
  unknownCodes: true,
  codes: "short",
  actionMissing: "fault",
  certificateCheck: "since",
  certificateShape: "given",
  since: "zip",
};

/** What is known of a call when the rules are asked. */
export interface CallFacts {
  readonly operation: OperationName;
  readonly typeFichier?: string;
  readonly guichet?: string;
  readonly nom?: string;
  readonly refInterne?: string;
  readonly numUnique?: string;
  readonly sha256?: string;
}

/** What a call meets. */
export interface Plan {
  readonly delayMs: number;
  readonly anomalies: readonly Anomaly[];
  /** At most one: the first rule that holds. */
  readonly act?: Exclude<Act, { do: "slow" } | { do: "anomaly" }>;
  readonly effect: boolean;
}

export interface Steering {
  readonly line: Line;
  readonly rules: readonly Rule[];
  readonly settings: Settings;
  setLine(line: Line): void;
  addRule(rule: Pick<Rule, "act" | "when" | "effect"> & { readonly times?: number }): void;
  /** True when there was such a rule. */
  removeRule(id: number): boolean;
  setSettings(settings: Partial<Settings>): void;
  /** Up, no rule, settings as they were at start. */
  clear(): void;
  /** Spends one call of a line that is down for so many; says what the line was. */
  meetLine(): Line;
  plan(facts: CallFacts): Plan;
}

/** @param fraction - a number in [0, 1), for `ratio` */
export function makeSteering({ fraction }: { readonly fraction: () => number }): Steering {
  let line: Line = { is: "up" };
  let rules: Rule[] = [];
  let settings = DEFAULT_SETTINGS;
  let given = 0;

  return {
    get line() {
      return line;
    },
    get rules() {
      return rules;
    },
    get settings() {
      return settings;
    },
    setLine: (next) => {
      line = next;
    },
    addRule: (rule) => {
      given += 1;
      rules.push({ ...rule, id: given, applied: 0 });
    },
    removeRule: (id) => {
      const before = rules.length;
      rules = rules.filter((rule) => rule.id !== id);
      return rules.length < before;
    },
    setSettings: (changes) => {
      settings = { ...settings, ...changes };
    },
    clear: () => {
      line = { is: "up" };
      rules = [];
      settings = DEFAULT_SETTINGS;
    },
    meetLine: () => {
      const met = line;
      if (line.is === "down" && line.times !== undefined) {
        line.times -= 1;
        if (line.times <= 0) line = { is: "up" };
      }
      return met;
    },
    plan: (facts) => {
      let delayMs = 0;
      let effect = true;
      let act: Plan["act"];
      const anomalies: Anomaly[] = [];
      for (const rule of rules) {
        const what = rule.act;
        // One act a call: the next rule of the kind waits for the next call.
        if (act !== undefined && what.do !== "slow" && what.do !== "anomaly") continue;
        if (!holds(rule.when, facts, fraction)) continue;
        rule.applied += 1;
        if (rule.times !== undefined) rule.times -= 1;
        if (what.do === "slow") delayMs += what.ms;
        else if (what.do === "anomaly") {
          const { code, message, propriete } = what;
          anomalies.push({ code, message, ...(propriete === undefined ? {} : { propriete }) });
        } else {
          act = what;
          effect = rule.effect;
        }
      }
      rules = rules.filter((rule) => rule.times === undefined || rule.times > 0);
      return { delayMs, anomalies, effect, ...(act === undefined ? {} : { act }) };
    },
  };
}

function holds(when: When, facts: CallFacts, fraction: () => number): boolean {
  const same = (wanted: string | undefined, found: string | undefined): boolean =>
    wanted === undefined || wanted.toLowerCase() === found?.toLowerCase();
  return (
    same(when.operation, facts.operation) &&
    (when.service === undefined || when.service === operationNamed(facts.operation).service) &&
    same(when.typeFichier, facts.typeFichier) &&
    same(when.guichet, facts.guichet) &&
    same(when.nom, facts.nom) &&
    same(when.refInterne, facts.refInterne) &&
    same(when.numUnique, facts.numUnique) &&
    same(when.sha256, facts.sha256) &&
    (when.ratio === undefined || fraction() < when.ratio)
  );
}
