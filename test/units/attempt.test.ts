/** One attempt at a flux, when the store or the process itself fails before the call. */
import assert from "node:assert/strict";
import { makeAttempt } from "../../src/forward/attempt.ts";
import type { SchemaCheck } from "../../src/arrive/schema-check.ts";
import type { Breaker } from "../../src/forward/breaker.ts";
import type { RegistryAnswer, WriteCall } from "../../src/forward/registry.ts";
import type { ClaimedFlux, Move, Outbox } from "../../src/keep/outbox.ts";
import { gatewayError } from "../../src/domain/errors.ts";
import { sha256Of } from "../../src/keep/identity.ts";
import { makeEventBus } from "../../src/runtime/event-bus.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { MINUTE, NOON } from "../support/new-flux.ts";

const FILE = { name: "DEM75A01-202601150930-000001.xml", bytes: Buffer.from("<demande/>") };
const CLAIMED: ClaimedFlux = {
  flux: {
    id: "01KF0000000000000000000000",
    state: "inTransit",
    channel: "mail",
    guichet: "75A01",
    envelope: { kind: "CRE", numGuichet: "75A01", refInterne: "A-1" },
    fileName: FILE.name,
    sha256: sha256Of(FILE.bytes),
    size: FILE.bytes.length,
    origin: { from: "logiciel@bailleur.test" },
    receivedAt: NOON,
    since: NOON,
    attempts: 1,
    repeats: 0,
  },
  fence: 7,
  leaseUntil: NOON + MINUTE,
};

describe("an attempt", () => {
  let now = NOON;
  let calls = 0;
  let atCallOver: { calls: number; moves: number } | undefined;
  let moves: Move[] = [];
  let written: WriteCall[] = [];
  let told: (boolean | undefined)[] = [];
  /** How many calls had been made at each check. */
  let checks: number[] = [];
  const CUT: RegistryAnswer = { kind: "notRead", why: "noAnswer", detail: "cut" };
  beforeEach(() => {
    written = [];
    told = [];
    checks = [];
    now = NOON;
    calls = 0;
    moves = [];
  });

  /** Makes the attempt; reading the file does what is told. */
  async function attempt(
    readFile: () => ReturnType<Outbox["file"]>,
    claimed = CLAIMED,
    answer = CUT,
  ): Promise<void> {
    const clock = { now: () => now, wait: () => Promise.resolve() };
    const outbox: Pick<Outbox, "file" | "move"> = {
      file: readFile,
      move: (move) => {
        moves.push(move);
        return Promise.resolve({ kind: "moved", flux: CLAIMED.flux });
      },
    };
    const breaker: Breaker = {
      state: "closed",
      retryAt: undefined,
      mayCall: () => Promise.resolve(true),
      run: async (call, linkWorks) => {
        const given = await call();
        told.push(linkWorks(given));
        return given;
      },
      onChange: () => undefined,
    };
    const make = makeAttempt({
      noteBySchema: {
        stop: () => Promise.resolve(),
        check: () => {
          checks.push(calls);
          const field = "demandeur/nom";
          const finding = { kind: "value", rule: "SCHEMA_RANGE", line: 3, field, message: "trop" };
          return Promise.resolve({ kind: "invalid", findings: [finding] } as SchemaCheck);
        },
      },
      outbox,
      registry: {
        write: (call) => {
          calls += 1;
          written.push(call);
          return Promise.resolve(answer);
        },
      },
      breaker,
      serverError: "critical",
      backoff: { firstMs: 1_000, maxMs: 1_000 },
      clock,
      chance: { bytes: (count) => new Uint8Array(count), fraction: () => 0 },
      events: makeEventBus({ clock, log: SILENT_LOG }),
      log: SILENT_LOG,
    });
    await make(claimed, new AbortController().signal, () => {
      atCallOver = { calls, moves: moves.length };
    });
  }

  it("calls the SNE once while its lease lasts", async () => {
    await attempt(() => Promise.resolve(FILE));
    assert.equal(calls, 1);
    assert.deepEqual(atCallOver, { calls: 1, moves: 0 }, "it makes room before it is recorded");
    assert.equal(moves[0]?.to, "inDoubt");
  });

  it("sends what a client of the SNE asked as it asked it, and takes the number of its file", async () => {
    const call = {
      operation: "ajouterEvenementDemande",
      certificateName: "CERG1226.pem",
    } as const;
    const numUnique = "1110318016982G1104";
    const envelope = { kind: "EVT", numGuichet: "75A01", numUnique, call };
    const event: ClaimedFlux = { ...CLAIMED, flux: { ...CLAIMED.flux, envelope } };
    const reading = { controls: [], doublons: [] };
    await attempt(() => Promise.resolve(FILE), event, { kind: "answered", reading, answer: FILE });
    assert.deepEqual([written[0]?.call, written[0]?.numUnique], [call, numUnique]);
    const [move] = moves;
    assert.equal(move?.to, "accepted");
    assert.deepEqual(move.verdict, {
      kind: "accepted",
      numeroUnique: numUnique,
      by: "sne",
      at: NOON,
    });
  });

  it("remarks on what was brought beside the call, and on a call only when it is not accepted", async () => {
    const file = (): ReturnType<Outbox["file"]> => Promise.resolve(FILE);
    const reading = { numUnique: "1110318016982G1104", controls: [], doublons: [] };
    const accepted: RegistryAnswer = { kind: "answered", reading, answer: FILE };
    const refusing = { controls: [{ code: "C", message: "non" }], doublons: [] };
    const refused: RegistryAnswer = { kind: "answered", reading: refusing, answer: FILE };
    const call = { operation: "ajouterEvenementDemande" } as const;
    const envelope = { kind: "EVT", numGuichet: "75A01", call };
    const called: ClaimedFlux = { ...CLAIMED, flux: { ...CLAIMED.flux, envelope } };
    await attempt(file, CLAIMED, accepted);
    assert.deepEqual([moves.at(-1)?.to, moves.at(-1)?.remarks?.length], ["accepted", 1]);
    assert.deepEqual(checks, [0], "beside the call, which it does not wait for");
    await attempt(file, called, accepted);
    assert.deepEqual([moves.at(-1)?.to, moves.at(-1)?.remarks], ["accepted", undefined]);
    assert.equal(checks.length, 1);
    await attempt(file, called, refused);
    assert.deepEqual([moves.at(-1)?.to, moves.at(-1)?.remarks?.length], ["refused", 1]);
    assert.deepEqual(checks, [0, 3], "once the answer was read");
  });

  it("tells the breaker of the link to the demandes only", async () => {
    const file = (): ReturnType<Outbox["file"]> => Promise.resolve(FILE);
    await attempt(file);
    const call = { operation: "supprimerEvenementDemande" } as const;
    const envelope = { kind: "EVT", numGuichet: "75A01", call };
    await attempt(file, { ...CLAIMED, flux: { ...CLAIMED.flux, envelope } });
    assert.deepEqual(told, [false, undefined]);
  });

  it("calls nobody once its lease is over, and gives the flux back, even out of doubt", async () => {
    await attempt(() => {
      // It was frozen, for longer than its lease, before the file came.
      now += MINUTE;
      return Promise.resolve(FILE);
    });
    assert.equal(calls, 0);
    const [move] = moves;
    assert.ok(move !== undefined);
    assert.deepEqual([move.to, move.from, move.fence], ["kept", ["inTransit", "inDoubt"], 7]);
    assert.equal(move.event.detail["code"], "LEASE_ENDED");
  });

  it("calls nobody when the store does not give the file, and gives the flux back", async () => {
    await attempt(() => Promise.reject(gatewayError("STORE_UNAVAILABLE")));
    assert.equal(calls, 0);
    const [move] = moves;
    assert.ok(move?.dueAt !== undefined && move.dueAt > now, "not at once");
    assert.deepEqual([move.to, move.from, move.fence], ["kept", ["inTransit", "inDoubt"], 7]);
    assert.equal(move.event.detail["code"], "STORE_UNAVAILABLE");
  });
});
