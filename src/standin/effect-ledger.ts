/**
 * Counts what the stand-in did, so that a test can prove it: how often each file took effect, whether
 * two calls for one demande were ever in progress at once, whether an older file took effect after a
 * newer one. No content of a demande is kept, only digests and keys.
 */
import {
  EVENT_OPERATION_NAMES,
  OPERATION_NAMES,
  type OperationName,
  type ServiceName,
} from "./operations-table.ts";

/** What it looks at in a file: a demande, or the events of one. */
export interface LedgerSubject {
  readonly typeFichier: string;
  /** xs:dateTime, as it was written. */
  readonly dateFichier: string;
  readonly numGuichet: string;
  readonly numUnique?: string;
  readonly refInterne?: string;
}

/**
 * What one file came to, over all the calls that carried it. The same bytes may be sent to add, then
 * to remove: files of events are counted by operation.
 */
export interface FileEffects {
  readonly sha256: string;
  /** The first that carried it. */
  readonly operation: OperationName;
  readonly typeFichier: string;
  /** `numUnique:…` or `refInterne:guichet|reference`; empty when the file names neither. */
  readonly key: string;
  /** Calls that carried it, answered or not. */
  calls: number;
  /** Times its effect was taken: more than one is a double. */
  taken: number;
  /** Times it was refused with anomalies. */
  refused: number;
  /** The number it was given, or is about. */
  numUnique?: string;
}

export interface CallRecord {
  readonly call: number;
  /** ms since the epoch */
  readonly at: number;
  readonly service: ServiceName;
  readonly operation: OperationName;
  readonly framing: "mtom" | "plain";
  readonly action?: string;
  readonly bytes: number;
  readonly sha256?: string;
  readonly typeFichier?: string;
  readonly key?: string;
  /** taken, refused, read, fault; none when it never came so far. */
  outcome: "taken" | "refused" | "read" | "fault" | "none";
  /** What was sent back: answer, fault, an order's name, or nothing yet. */
  sent: string;
  /** The client had left before the answer. */
  clientGone: boolean;
}

export interface Violation {
  readonly kind: "together" | "order";
  readonly key: string;
  readonly call: number;
  readonly detail: string;
}

export interface EffectLedger {
  begin(of: Omit<CallRecord, "call" | "outcome" | "sent" | "clientGone">): CallRecord;
  /**
   * A call for a demande is in progress until `end`, which may be called twice.
   * @param keys - all the names the demande goes by
   */
  enterLane(record: CallRecord, keys: readonly string[]): { also(key: string): void; end(): void };
  count(of: {
    readonly sha256: string;
    readonly operation: OperationName;
    readonly subject: LedgerSubject;
    readonly result: "called" | "taken" | "refused";
    readonly numUnique?: string;
    readonly call: number;
  }): void;
  summary(): LedgerSummary;
  files(): Iterable<FileEffects>;
  /** @param operation - of files of events; the first of them unless told */
  file(sha256: string, operation?: string): FileEffects | undefined;
  /** The latest calls, oldest first. */
  calls(): readonly CallRecord[];
  /** Counts again from nothing; calls in progress stay so. */
  forget(): void;
}

export interface LedgerSummary {
  readonly calls: number;
  readonly callsByOperation: Readonly<Record<string, number>>;
  /** Effects taken, doubles included. */
  readonly effects: number;
  readonly effectsByOperation: Readonly<Record<string, number>>;
  readonly effectsByTypeFichier: Readonly<Record<string, number>>;
  readonly refusals: number;
  readonly distinctFiles: number;
  /** Files whose effect was taken more than once. */
  readonly takenMoreThanOnce: number;
  readonly inProgress: number;
  readonly mostAtOnce: number;
  readonly violations: { readonly together: number; readonly order: number };
  /** The first hundred. */
  readonly firstViolations: readonly Violation[];
}

const KEPT_CALLS = 2_000;
const KEPT_VIOLATIONS = 100;

/** The names a demande goes by. */
export function laneKeys(subject: LedgerSubject, numUnique: string | undefined): readonly string[] {
  const keys: string[] = [];
  const number = subject.numUnique ?? numUnique;
  if (number !== undefined) keys.push(`numUnique:${number}`);
  if (subject.refInterne !== undefined) {
    keys.push(`refInterne:${subject.numGuichet}|${subject.refInterne}`);
  }
  return keys;
}

export function makeEffectLedger(): EffectLedger {
  const files = new Map<string, FileEffects>();
  const inLane = new Map<string, number>();
  const newest = new Map<string, { at: number; text: string }>();
  const callsByOperation = new Map<string, number>();
  const effectsByOperation = new Map<string, number>();
  const effectsByKind = new Map<string, number>();
  const violations: Violation[] = [];
  const violated = { together: 0, order: 0 };
  let calls: CallRecord[] = [];
  const totals = { calls: 0, effects: 0, refusals: 0, doubles: 0, inProgress: 0, mostAtOnce: 0 };

  const violate = (violation: Violation): void => {
    violated[violation.kind] += 1;
    if (violations.length < KEPT_VIOLATIONS) violations.push(violation);
  };

  return {
    begin: (of) => {
      totals.calls += 1;
      add(callsByOperation, of.operation);
      const record: CallRecord = {
        ...of,
        call: totals.calls,
        outcome: "none",
        sent: "",
        clientGone: false,
      };
      calls.push(record);
      if (calls.length > 2 * KEPT_CALLS) calls = calls.slice(-KEPT_CALLS);
      return record;
    },
    enterLane: (record, keys) => {
      const mine = new Set(keys);
      for (const key of keys) {
        const other = inLane.get(key);
        if (other !== undefined) {
          const detail = `call ${other} was in progress`;
          violate({ kind: "together", key, call: record.call, detail });
          break;
        }
      }
      for (const key of keys) inLane.set(key, record.call);
      totals.inProgress += 1;
      totals.mostAtOnce = Math.max(totals.mostAtOnce, totals.inProgress);
      let ended = false;
      return {
        also: (key) => {
          mine.add(key);
          if (!ended) inLane.set(key, record.call);
        },
        end: () => {
          if (ended) return;
          ended = true;
          totals.inProgress -= 1;
          for (const key of mine) if (inLane.get(key) === record.call) inLane.delete(key);
        },
      };
    },
    count: ({ sha256, operation, subject, result, numUnique, call }) => {
      const [key = ""] = laneKeys(subject, numUnique);
      const name = ofEvents(operation) ? `${sha256} ${operation}` : sha256;
      const file = files.get(name) ?? {
        sha256,
        operation,
        typeFichier: subject.typeFichier,
        key,
        calls: 0,
        taken: 0,
        refused: 0,
      };
      files.set(name, file);
      if (numUnique !== undefined) file.numUnique = numUnique;
      if (result === "called") {
        file.calls += 1;
        return;
      }
      if (result === "refused") {
        file.refused += 1;
        totals.refusals += 1;
        return;
      }
      file.taken += 1;
      if (file.taken === 2) totals.doubles += 1;
      totals.effects += 1;
      add(effectsByOperation, operation);
      add(effectsByKind, subject.typeFichier);
      const at = Date.parse(subject.dateFichier);
      const before = newest.get(key);
      if (key === "" || Number.isNaN(at)) return;
      if (before !== undefined && at < before.at) {
        const detail = `${subject.dateFichier} took effect after ${before.text}`;
        violate({ kind: "order", key, call, detail });
      } else newest.set(key, { at, text: subject.dateFichier });
    },
    summary: () => ({
      calls: totals.calls,
      callsByOperation: Object.fromEntries(callsByOperation),
      effects: totals.effects,
      effectsByOperation: Object.fromEntries(effectsByOperation),
      effectsByTypeFichier: Object.fromEntries(effectsByKind),
      refusals: totals.refusals,
      distinctFiles: files.size,
      takenMoreThanOnce: totals.doubles,
      inProgress: totals.inProgress,
      mostAtOnce: totals.mostAtOnce,
      violations: { ...violated },
      firstViolations: violations,
    }),
    files: () => files.values(),
    file: (sha256, wanted) => {
      const operations = OPERATION_NAMES.filter((name) => wanted === undefined || name === wanted);
      for (const operation of operations) {
        const file = files.get(ofEvents(operation) ? `${sha256} ${operation}` : sha256);
        if (file !== undefined && (wanted === undefined || file.operation === wanted)) return file;
      }
      return undefined;
    },
    calls: () => calls.slice(-KEPT_CALLS),
    forget: () => {
      for (const map of [files, newest, callsByOperation, effectsByOperation, effectsByKind]) {
        map.clear();
      }
      violations.length = 0;
      Object.assign(violated, { together: 0, order: 0 });
      Object.assign(totals, { calls: 0, effects: 0, refusals: 0, doubles: 0 });
      totals.mostAtOnce = totals.inProgress;
      calls = [];
    },
  };
}

function ofEvents(operation: OperationName): boolean {
  return EVENT_OPERATION_NAMES.some((name) => name === operation);
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
