/** One attempt at a flux, when the store or the process itself fails before the call. */
import assert from "node:assert/strict";
import { makeAttempt } from "../../src/forward/attempt.ts";
import type { Breaker } from "../../src/forward/breaker.ts";
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
  let moves: Move[] = [];
  beforeEach(() => {
    now = NOON;
    calls = 0;
    moves = [];
  });

  /** Makes the attempt; reading the file does what is told. */
  async function attempt(readFile: () => ReturnType<Outbox["file"]>): Promise<void> {
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
      run: (call) => call(),
      onChange: () => undefined,
    };
    const make = makeAttempt({
      outbox,
      registry: {
        write: () => {
          calls += 1;
          return Promise.resolve({ kind: "notRead", why: "noAnswer", detail: "cut" });
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
    await make(CLAIMED, new AbortController().signal);
  }

  it("calls the SNE once while its lease lasts", async () => {
    await attempt(() => Promise.resolve(FILE));
    assert.equal(calls, 1);
    assert.equal(moves[0]?.to, "inDoubt");
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
