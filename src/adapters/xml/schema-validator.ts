/**
 * Checks files against the schemas of their edition, in processes of their own. Never rejects and
 * never hangs: a worker that dies, runs out of memory or out of time gives `notChecked` for the file
 * in its hands, and a fresh one takes the next. A check that was not made is never called valid.
 *
 * Files that wait are handed several at a time, since a message to another process and back costs
 * more than a check. Who ends a worker is not known then: its files are handed again one by one.
 *
 * Processes rather than threads: V8 running out of memory in a worker thread, or a thread terminated
 * while it loads a module with a top-level await, was seen to abort the whole process (Node 24.21).
 */
import { fork, type ChildProcess } from "node:child_process";
import { extname } from "node:path";
import type { SchemaCheck, SchemaChecker } from "../../arrive/schema-check.ts";
import { messageOf } from "../../domain/errors.ts";
import { SILENT_LOG, type Log } from "../../runtime/log.ts";
import type { Part } from "../../runtime/part.ts";
import { readSchemaSet, unusable, type SchemaSet } from "./schema-manifest.ts";
import type { FromSchemaWorker, SchemaJob, SchemaResult, ToSchemaWorker } from "./schema-worker.ts";

export interface SchemaValidatorOptions {
  /** Folder with a `schemas.json` (`schemas/README.md`). */
  readonly schemasDir: string;
  /** Worker processes, each about 60 MB; 1 unless told. */
  readonly workers?: number;
  /** Longest time one file may take, or those handed together, ms. */
  readonly timeLimitMs?: number;
  /** A bigger file is not checked, bytes. */
  readonly maxBytes?: number;
  readonly log?: Log;
  /** The worker to run, for tests. */
  readonly workerFile?: URL;
}

export interface SchemaValidator extends SchemaChecker, Part {
  /** Compiles the schemas. @throws INVALID_SETTING when the set cannot serve. */
  start(): Promise<void>;
  /**
   * Like `check`, for another document of the manifest: `acquittement`, `listeDoublons`, `recherche`,
   * `evenements`, `typesEvenements`. Codes are not checked: the lists are those of a demande.
   * @param versionInterface - for a document that says one, its own `@versionInterface`
   */
  checkDocument(
    file: Uint8Array,
    document: string,
    versionInterface?: string,
  ): Promise<SchemaCheck>;
  /** Takes nothing new, waits for the files in hand. */
  stop(): Promise<void>;
}

interface Task {
  readonly job: SchemaJob;
  /** It was in the hands of a worker that ended, with others: it goes alone. */
  readonly alone?: true;
  readonly settle: (check: SchemaCheck) => void;
}

/** One seat of the pool: empty until it has work, and again after its worker died. */
interface Seat {
  worker?: ChildProcess;
  /** Its worker has compiled the schemas. */
  ready?: boolean;
  /** In its worker's hands. */
  tasks: readonly Task[];
  timer?: NodeJS.Timeout;
}

/** Most files handed together, and their bytes unless one alone has more. */
const MOST_TOGETHER = 16;
const MOST_BYTES_TOGETHER = 1024 * 1024;

/** JavaScript heap of a worker, MB. */
const WORKER_HEAP_MB = 256;
/** Longest time a fresh worker may take to be ready, ms; that of the file is counted after it. */
const STARTUP_LIMIT_MS = 30_000;

export function makeSchemaValidator(options: SchemaValidatorOptions): SchemaValidator {
  const { timeLimitMs = 5_000, maxBytes = 20 * 1024 * 1024, log = SILENT_LOG } = options;
  // The worker stands beside this file, as .ts in src/ and as .js in dist/.
  const workerFile =
    options.workerFile ?? new URL(`./schema-worker${extname(import.meta.url)}`, import.meta.url);
  const seats: Seat[] = Array.from({ length: Math.max(options.workers ?? 1, 1) }, () => ({
    tasks: [],
  }));
  let waiting: Task[] = [];
  let schemas: SchemaSet | undefined;
  let stopping = false;
  let idle: (() => void)[] = [];

  /** Ends the tasks of a seat, and gives the seat its next. */
  const finish = (seat: Seat, checks: readonly SchemaCheck[]): void => {
    clearTimeout(seat.timer);
    const { tasks } = seat;
    seat.tasks = [];
    tasks.forEach(({ settle }, index) => {
      settle(checks[index] ?? notChecked("le contrôle n'a pas répondu pour ce fichier"));
    });
    hand();
  };

  /** The worker of a seat is no more: what it had in hand was not checked. */
  const lose = (seat: Seat, worker: ChildProcess, detail: string): void => {
    if (seat.worker !== worker) return;
    delete seat.worker;
    delete seat.ready;
    worker.kill("SIGKILL");
    log.warn("schema.workerLost", { detail, files: seat.tasks.length });
    if (seat.tasks.length > 1) {
      waiting = [...seat.tasks.map((task) => ({ ...task, alone: true as const })), ...waiting];
      seat.tasks = [];
    }
    finish(seat, [notChecked("le contrôle s'est interrompu")]);
  };

  const arm = (seat: Seat, worker: ChildProcess): void => {
    clearTimeout(seat.timer);
    const limitMs = seat.ready === true ? timeLimitMs : STARTUP_LIMIT_MS;
    seat.timer = setTimeout(() => lose(seat, worker, "too long"), limitMs);
  };

  const employ = (seat: Seat, set: SchemaSet): ChildProcess => {
    const worker = launch(workerFile, set);
    seat.worker = worker;
    worker.on("message", (message: FromSchemaWorker) => {
      if (seat.worker !== worker) return;
      if (message.kind === "ready") {
        seat.ready = true;
        if (seat.tasks.length > 0) arm(seat, worker);
      } else if (message.kind === "unusable") lose(seat, worker, message.detail);
      else finish(seat, message.results.map(verdictOf));
    });
    worker.on("error", (error) => lose(seat, worker, messageOf(error)));
    worker.on("exit", (code, signal) => lose(seat, worker, `exit ${signal ?? code ?? ""}`));
    return worker;
  };

  const verdictOf = (result: SchemaResult): SchemaCheck => {
    if (result.kind === "broken") {
      log.warn("schema.checkFailed", { detail: result.detail });
      return notChecked("le contrôle a échoué sur ce fichier");
    }
    const { findings } = result;
    return findings.length === 0 ? { kind: "valid" } : { kind: "invalid", findings };
  };

  const hand = (): void => {
    for (const seat of seats) {
      if (schemas === undefined || seat.tasks.length > 0) continue;
      const tasks = takeTogether(waiting);
      if (tasks.length === 0) break;
      waiting = waiting.slice(tasks.length);
      seat.tasks = tasks;
      const worker = seat.worker ?? employ(seat, schemas);
      arm(seat, worker);
      tell(worker, { kind: "check", jobs: tasks.map(({ job }) => job) });
    }
    if (seats.every(({ tasks }) => tasks.length === 0)) {
      for (const wake of idle) wake();
      idle = [];
    }
  };

  const submit = (file: Uint8Array, schema: string, withCodes: boolean): Promise<SchemaCheck> => {
    if (stopping) return Promise.resolve(notChecked("la passerelle s'arrête"));
    if (file.byteLength > maxBytes) {
      return Promise.resolve(notChecked(`le fichier dépasse ${maxBytes} octets`));
    }
    return new Promise((settle) => {
      waiting.push({ job: { file, schema, withCodes }, settle });
      hand();
    });
  };

  const dismiss = (): void => {
    for (const seat of seats) {
      const { worker } = seat;
      delete seat.worker;
      delete seat.ready;
      worker?.kill("SIGKILL");
    }
  };

  return {
    name: "schema-validator",

    async start() {
      const set = readSchemaSet(options.schemasDir);
      try {
        await Promise.all(seats.map((seat) => readiness(employ(seat, set))));
      } catch (error) {
        dismiss();
        throw error;
      }
      schemas = set;
    },

    check(file, versionInterface, document = "demande") {
      if (document !== "demande") return this.checkDocument(file, document, versionInterface);
      if (schemas === undefined)
        return Promise.resolve(notChecked("les schémas ne sont pas prêts"));
      const schema = schemas.versions.get(versionInterface ?? "");
      return schema === undefined
        ? Promise.resolve(unknownVersion(versionInterface))
        : submit(file, schema, true);
    },

    checkDocument(file, document, versionInterface) {
      const versions = schemas?.documents.get(document);
      if (versions === undefined) {
        return Promise.resolve(notChecked(`aucun schéma n'est connu pour ${document}`));
      }
      const schema = versions.get("") ?? versions.get(versionInterface ?? "");
      return schema === undefined
        ? Promise.resolve(unknownVersion(versionInterface))
        : submit(file, schema, false);
    },

    async stop() {
      stopping = true;
      if (seats.some(({ tasks }) => tasks.length > 0)) {
        await new Promise<void>((resolve) => idle.push(resolve));
      }
      dismiss();
    },
  };
}

/** The child gets no environment, hence no secret: it reads documents written by others. */
function launch(workerFile: URL, set: SchemaSet): ChildProcess {
  const { files, versions, documents, codeLists } = set;
  const others = [...documents.values()].flatMap((named) => [...named.values()]);
  const worker = fork(workerFile, [], {
    serialization: "advanced",
    execArgv: [`--max-old-space-size=${WORKER_HEAP_MB}`],
    env: {},
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  tell(worker, { kind: "compile", files, mains: [...versions.values(), ...others], codeLists });
  return worker;
}

/** A worker that can no longer be told anything has its `exit` event, which says all. */
function tell(worker: ChildProcess, message: ToSchemaWorker): void {
  worker.send(message, () => undefined);
}

/** Resolves once the worker has compiled its schemas. */
function readiness(worker: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("message", (message: FromSchemaWorker) => {
      if (message.kind === "unusable") reject(unusable(message.detail));
      else resolve();
    });
    worker.once("error", (error) => reject(unusable(messageOf(error), error)));
    worker.once("exit", (code, signal) => reject(unusable(`exit ${signal ?? code ?? ""}`)));
  });
}

/** The first that wait, as many as go together. */
function takeTogether(waiting: readonly Task[]): readonly Task[] {
  let bytes = 0;
  const tooMany = waiting.findIndex(({ job, alone }, index) => {
    bytes += job.file.byteLength;
    const last = waiting[index - 1];
    return (
      index > 0 &&
      (index === MOST_TOGETHER || bytes > MOST_BYTES_TOGETHER || alone === true || last?.alone)
    );
  });
  return tooMany < 0 ? waiting : waiting.slice(0, tooMany);
}

function notChecked(why: string): SchemaCheck {
  return { kind: "notChecked", reason: `Le schéma n'a pas été contrôlé : ${why}.` };
}

function unknownVersion(version: string | undefined): SchemaCheck {
  return version === undefined
    ? notChecked("le fichier ne dit pas sa version d'interface")
    : notChecked(`aucun schéma n'est connu pour la version d'interface ${said(version)}`);
}

/** A version as a sender wrote it, if it is fit to be repeated. */
function said(version: string): string {
  return /^[\w.-]{1,10}$/.test(version) ? `« ${version} »` : "indiquée";
}
