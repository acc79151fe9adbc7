/**
 * Where the processor time went: read from /proc before and after a measure, thread by thread, so that
 * the bench can say what bounds a figure instead of guessing. Empty where there is no /proc.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** USER_HZ of every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor seconds, by who spent them. */
export type ProcessorTimes = ReadonlyMap<string, number>;

export interface Watched {
  readonly name: string;
  readonly pid: number;
  /** Its threads apart, and its child processes. */
  readonly inDetail?: boolean;
}

export interface ProcessorUse {
  readonly who: string;
  /** Processor milliseconds for each flux. */
  readonly msPerFlux: number;
  /** Share of one processor. */
  readonly share: number;
}

export function readProcessorTimes(watched: readonly Watched[]): ProcessorTimes {
  const times = new Map<string, number>();
  const add = (who: string, seconds: number): void => {
    times.set(who, (times.get(who) ?? 0) + seconds);
  };
  for (const { name, pid, inDetail } of watched) {
    if (inDetail !== true) {
      add(name, secondsOf(`/proc/${pid}/stat`));
      continue;
    }
    for (const thread of threadsOf(pid)) {
      add(`${name}: ${threadRole(thread, pid)}`, secondsOf(`/proc/${pid}/task/${thread}/stat`));
    }
    for (const child of childrenOf(pid)) {
      add(`${name}: schema checker (process)`, secondsOf(`/proc/${child}/stat`));
    }
  }
  return times;
}

/** What was spent between two readings. */
export function processorUse(
  before: ProcessorTimes,
  after: ProcessorTimes,
  about: { readonly seconds: number; readonly fluxes: number },
): readonly ProcessorUse[] {
  return [...after]
    .map(([who, seconds]) => {
      const spent = seconds - (before.get(who) ?? 0);
      return { who, msPerFlux: (spent * 1_000) / about.fluxes, share: spent / about.seconds };
    })
    .filter(({ share }) => share >= 0.01)
    .sort((a, b) => b.share - a.share);
}

/** Share of all processors that was busy, whoever used it, between two readings of `/proc/stat`. */
export function readBusyTicks(): number {
  const [line = ""] = read("/proc/stat").split("\n");
  const fields = line.trim().split(/\s+/).slice(1).map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields;
  return user + nice + system + irq + softirq;
}

export function busyShare(before: number, after: number, seconds: number): number {
  return (after - before) / TICKS_PER_SECOND / seconds / availableParallelism();
}

/** Resident memory of a process and of its children, bytes. */
export function readMemory(pid: number): { readonly own: number; readonly children: number } {
  const own = residentOf(pid);
  const children = childrenOf(pid).reduce((sum, child) => sum + residentOf(child), 0);
  return { own, children };
}

function residentOf(pid: number | string): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? Number.NaN) * 1_024;
}

function threadRole(thread: string, pid: number): string {
  if (thread === String(pid)) return "main thread";
  const name = read(`/proc/${pid}/task/${thread}/comm`).trim();
  return name === "sqlite-outbox" ? "store thread" : "other threads (collector, system calls)";
}

function threadsOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/task`;
  return existsSync(folder) ? readdirSync(folder) : [];
}

function childrenOf(pid: number): readonly string[] {
  return read(`/proc/${pid}/task/${pid}/children`)
    .split(" ")
    .filter((child) => child !== "");
}

function secondsOf(statFile: string): number {
  // Fields 14 and 15, counted after the name, which may hold spaces.
  const text = read(statFile);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // A thread or process that has just ended, or a system without /proc.
    return "";
  }
}
