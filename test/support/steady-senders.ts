/**
 * Senders that never give a flux up: each sends its file again, under the same name, until a gateway
 * confirms it, and only then the next of its demande. What was confirmed, when, and in which phase of
 * a campaign is written down; nothing else may be lost.
 *
 * A demande is a lane: a creation, then changes, dated in their order, so that the stand-in sees any
 * that overtakes another. Successive fluxes go to successive gateways.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import { sendMail } from "./mail-peers.ts";
import { API_KEY, GUICHET, SENDER, sha256 } from "./world.ts";

/** Where the senders may go; one that is dead simply does not answer. */
export interface GatewayAddress {
  readonly httpUrl: string;
  readonly smtpPort?: number;
}

export interface SentFlux {
  readonly digest: string;
  readonly refInterne: string;
  readonly by: "rest" | "mail";
  /** In which it was first sent. */
  readonly phase: string;
  /** ms since the process started; undefined while no gateway confirmed it. */
  confirmedAt?: number;
}

export interface PhaseTimes {
  readonly confirmed: number;
  /** Longest time without a confirmation, ms. */
  readonly silenceMs: number;
  /** Slowest answer to a deposit, whatever it said, ms. */
  readonly slowestMs: number;
  /** What was answered instead of a confirmation, and how often. */
  readonly refusals: ReadonlyMap<string, number>;
}

export interface SteadySenders {
  readonly sent: readonly SentFlux[];
  readonly confirmed: number;
  /** What is sent first from now on belongs to this phase. */
  enter(phase: string): void;
  timesOf(phase: string): PhaseTimes;
  /** Sends no more; what is not confirmed then stays so. */
  stop(): Promise<void>;
}

/** How long a sender waits for an answer before it tries again, ms. */
export const PATIENCE_MS = 60_000;
const TRY_AGAIN_MS = 50;
const FIRST_DATE = Date.parse("2026-01-15T09:00:00Z");

interface Phase {
  readonly name: string;
  readonly from: number;
  slowestMs: number;
  readonly refusals: Map<string, number>;
}

export function startSenders(options: {
  readonly gateways: readonly GatewayAddress[];
  /** Senders by REST, each with a demande of its own in hand. */
  readonly byRest: number;
  readonly byMail?: number;
  readonly fluxesPerLane: number;
  /** Begins every refInterne: two campaigns on one stand-in need two. */
  readonly prefix: string;
  /** How long a sender waits for an answer, ms. @defaultValue PATIENCE_MS */
  readonly patienceMs?: number;
  /** How long a sender rests between a confirmation and its next file, ms. @defaultValue 0 */
  readonly restMs?: number;
}): SteadySenders {
  const { gateways, fluxesPerLane, prefix, patienceMs = PATIENCE_MS, restMs = 0 } = options;
  const sent: SentFlux[] = [];
  const confirmedAt: number[] = [];
  const phases: Phase[] = [];
  const stopping = new AbortController();
  const isStopped = (): boolean => stopping.signal.aborted;
  let sequence = 0;
  let lanes = 0;
  let turn = 0;

  const phase = (): Phase => {
    const last = phases.at(-1);
    if (last === undefined) throw new Error("no phase was entered");
    return last;
  };
  const nextGateway = (): GatewayAddress => {
    turn += 1;
    const gateway = gateways[turn % gateways.length];
    if (gateway === undefined) throw new Error("no gateway to send to");
    return gateway;
  };

  /** One try; true when it was confirmed. */
  async function deposit(name: string, bytes: Uint8Array, digest: string): Promise<boolean> {
    const response = await fetch(`${nextGateway().httpUrl}/api/v1/fluxes`, {
      method: "POST",
      body: Buffer.from(bytes),
      headers: {
        authorization: `Bearer ${API_KEY}`,
        "content-type": "application/xml",
        "x-file-name": name,
        "idempotency-key": digest,
      },
      signal: AbortSignal.timeout(patienceMs),
    });
    await response.arrayBuffer();
    if (response.status === 201 || response.status === 200) return true;
    note(String(response.status));
    return false;
  }

  async function mail(name: string, bytes: Uint8Array, digest: string): Promise<boolean> {
    const { smtpPort } = nextGateway();
    if (smtpPort === undefined) throw new Error("a gateway without SMTP");
    const reply = await sendMail({
      port: smtpPort,
      from: SENDER,
      messageId: `<${digest.slice(0, 32)}@bailleur.test>`,
      attachments: [{ name, bytes }],
    });
    return reply.startsWith("250");
  }

  function note(refusal: string): void {
    const { refusals } = phase();
    refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
  }

  async function sendUntilConfirmed(by: "rest" | "mail", refInterne: string, kind: string) {
    sequence += 1;
    const at = new Date(FIRST_DATE + sequence * 1_000);
    const bytes = makeDemande({
      typeFichier: kind,
      guichet: GUICHET,
      refInterne,
      nom: `NOM${sequence}`,
      dateFichier: at.toISOString(),
      seed: sequence,
    });
    const name = fileName({ guichet: GUICHET, at, sequence });
    const digest = sha256(bytes);
    const flux: SentFlux = { digest, refInterne, by, phase: phase().name };
    sent.push(flux);
    while (!isStopped()) {
      const startedAt = performance.now();
      let confirmed = false;
      try {
        confirmed = await (by === "rest" ? deposit : mail)(name, bytes, digest);
      } catch (error) {
        note(reasonOf(error));
      }
      const now = performance.now();
      phase().slowestMs = Math.max(phase().slowestMs, now - startedAt);
      if (confirmed) {
        flux.confirmedAt = now;
        confirmedAt.push(now);
        return;
      }
      await sleep(TRY_AGAIN_MS);
    }
  }

  async function send(by: "rest" | "mail", perLane: number): Promise<void> {
    while (!isStopped()) {
      lanes += 1;
      const refInterne = `${prefix}${lanes}`;
      for (let n = 0; n < perLane && !isStopped(); n += 1) {
        await sendUntilConfirmed(by, refInterne, n === 0 ? "CRE" : "MOD");
        if (restMs > 0) await sleep(restMs);
      }
    }
  }

  const enter = (name: string): void => {
    phases.push({ name, from: performance.now(), slowestMs: 0, refusals: new Map() });
  };
  enter("before");
  const sending = [
    ...Array.from({ length: options.byRest }, () => send("rest", fluxesPerLane)),
    ...Array.from({ length: options.byMail ?? 0 }, () => send("mail", 1)),
  ];

  return {
    sent,
    get confirmed() {
      return confirmedAt.length;
    },
    enter,
    timesOf: (name) => {
      let silenceMs = 0;
      let slowestMs = 0;
      const refusals = new Map<string, number>();
      phases.forEach((one, n) => {
        if (one.name !== name) return;
        const until = phases[n + 1]?.from ?? performance.now();
        const within = confirmedAt.filter((at) => at >= one.from && at < until);
        const marks = [one.from, ...within, until];
        for (let m = 1; m < marks.length; m += 1) {
          silenceMs = Math.max(silenceMs, (marks[m] ?? 0) - (marks[m - 1] ?? 0));
        }
        slowestMs = Math.max(slowestMs, one.slowestMs);
        for (const [refusal, count] of one.refusals) {
          refusals.set(refusal, (refusals.get(refusal) ?? 0) + count);
        }
      });
      const confirmed = sent.filter(
        (flux) => flux.phase === name && flux.confirmedAt !== undefined,
      ).length;
      return { confirmed, silenceMs, slowestMs, refusals };
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(sending);
    },
  };
}

/** The SMTP code, or the network's word. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("responseCode" in error && typeof error.responseCode === "number") {
    return String(error.responseCode);
  }
  if (error.name === "TimeoutError") return "no answer";
  const cause = error.cause instanceof Error ? error.cause : error;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
}
