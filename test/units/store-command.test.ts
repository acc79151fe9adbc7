/** What `store copy` tells, to a person and to a script, and the exit codes it ends with. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { runCli } from "../../src/adapters/cli/run-cli.ts";
import type { StoreCommands } from "../../src/adapters/cli/store-command.ts";
import { gatewayError } from "../../src/domain/errors.ts";
import { FLUX_STATES, type FluxState } from "../../src/domain/flux-state.ts";
import type { CopyEnd, CopyStep } from "../../src/operate/store-copy.ts";
import { systemClock } from "../../src/runtime/clock.ts";

const SECRET = "m0t-de-passe";
const MONGO = `mongodb://sne:${SECRET}@base.example:27017/passerelle?replicaSet=rs0`;
const SHOWN = "mongodb://base.example:27017/passerelle";

const COUNTS = {
  ...{ received: 3, repeats: 0, deliveriesOwed: 1 },
  byState: Object.fromEntries(FLUX_STATES.map((state) => [state, 0])) as Record<FluxState, number>,
};

function ending(end: CopyEnd, steps: readonly CopyStep[] = []): Partial<StoreCommands> {
  return {
    copy: async function* () {
      await Promise.resolve();
      yield* steps;
      return end;
    },
  };
}

async function run(
  argv: readonly string[],
  store: Partial<StoreCommands>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const never = (): never => {
    throw new Error("not asked for here");
  };
  const code = await runCli({
    ...{ argv, env, stdout, stderr, clock: systemClock(), version: "0.0.0" },
    commands: {
      ...{ serve: never, standin: never, doctor: never },
      store: { copy: never, abandon: never, ...store },
    },
  });
  const text = (stream: PassThrough): string =>
    (stream.read() as Buffer | null)?.toString("utf8") ?? "";
  return { code, out: text(stdout), err: text(stderr) };
}

describe("passerelle store copy", () => {
  const copy = ["store", "copy", "data/gateway.db", MONGO];

  it("shows how far it is, then what to do now, and never a password", async () => {
    const steps: CopyStep[] = [
      { kind: "waiting", leases: 2 },
      ...[0, 1, 2, 3].map((done) => ({ kind: "copying" as const, done, total: 3 })),
      { kind: "verifying", done: 3, total: 3 },
    ];
    const { code, out, err } = await run(
      copy,
      ending({ kind: "moved", counts: COUNTS, damaged: ["01JZ"] }, steps),
    );
    assert.equal(code, 0);
    assert.match(err, /En attente de 2/);
    assert.match(err, /Copie : 3\/3 flux/);
    assert.match(err, /Vérification : 3\/3 flux/);
    assert.match(out, /achevée et vérifiée : 3 flux/);
    assert.match(out, /01JZ : son fichier d'origine/);
    assert.ok(out.includes(`Donnez ${SHOWN} à GATEWAY_STORE`));
    assert.ok(!`${out}${err}`.includes(SECRET));
  });

  it("ends with 1 when it was interrupted, or differs, and says the way on", async () => {
    const cut = await run(copy, ending({ kind: "interrupted", done: 1, total: 3 }));
    assert.equal(cut.code, 1);
    assert.match(cut.err, /1\/3 flux ; rien n'est perdu.*--abandon/);
    const comparison = {
      ...{ compared: 2, different: 3, damaged: [] },
      differences: [
        { kind: "changed", fluxId: "01A" },
        { kind: "missing", fluxId: "01B" },
        { kind: "count", name: "received", from: 3, to: 2 },
      ] as const,
    };
    const wrong = await run(copy, ending({ kind: "different", comparison }));
    assert.equal(wrong.code, 1);
    for (const line of [/diffère.*\(3\)/, /01A n'est pas le même/, /received : 3.*2/]) {
      assert.match(wrong.err, line);
    }
    const told = await run(["--json", ...copy], ending({ kind: "different", comparison }));
    assert.deepEqual(JSON.parse(told.out), {
      ...{ outcome: "different", from: "data/gateway.db", to: SHOWN },
      ...comparison,
    });
    assert.equal(told.err, "");
  });

  it("tells a refusal by its code", async () => {
    const refusing = {
      copy: async function* () {
        await Promise.resolve();
        throw gatewayError("STORE_COPY_REFUSED", { detail: "deux raisons" });
      },
    };
    const person = await run(copy, refusing);
    assert.equal(person.code, 1);
    assert.match(person.err, /deux raisons\. \[STORE_COPY_REFUSED\]/);
    const script = await run(["--json", ...copy], refusing);
    const { error } = JSON.parse(script.err) as { error: Record<string, unknown> };
    assert.deepEqual([error["code"], error["exitCode"]], ["STORE_COPY_REFUSED", 1]);
  });

  it("gives a copy up when asked to", async () => {
    const asked: unknown[] = [];
    const { code, out } = await run([...copy, "--abandon"], {
      abandon: (ends) => {
        asked.push(ends);
        return Promise.resolve("erased");
      },
    });
    assert.equal(code, 0);
    assert.deepEqual(asked, [{ from: "data/gateway.db", to: MONGO }]);
    assert.match(out, /abandonnée.*ouvrir data\/gateway\.db/);
  });

  it("takes an address with a password from a variable it names", async () => {
    const asked: unknown[] = [];
    const store: Partial<StoreCommands> = {
      abandon: (ends) => {
        asked.push(ends);
        return Promise.resolve("erased");
      },
    };
    const { code } = await run(["store", "copy", "a.db", "NEW_STORE", "--abandon"], store, {
      NEW_STORE: MONGO,
    });
    assert.equal(code, 0);
    assert.deepEqual(asked, [{ from: "a.db", to: MONGO }]);
  });

  it("ends with 2 for what is no address of a store, without showing it", async () => {
    const { code, err } = await run(["store", "copy", "a.db", `mysql://u:${SECRET}@h/d`], {});
    assert.equal(code, 2);
    assert.match(err, /^TO n'est pas une adresse de base/);
    assert.ok(!err.includes(SECRET));
  });
});
