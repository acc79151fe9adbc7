/** The SNE goes away, comes back, forgets to answer, or answers with an error: nothing is lost. */
import assert from "node:assert/strict";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import { eventually } from "../support/eventually.ts";
import {
  dropInto,
  filesIn,
  GUICHET,
  readEffects,
  sha256,
  startWorld,
  type World,
} from "../support/world.ts";

const AT = new Date("2026-01-15T08:30:00Z");

function creation(seed: number): { name: string; bytes: Uint8Array } {
  const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, nom: `NOM${seed}`, seed });
  return { name: fileName({ guichet: GUICHET, at: AT, sequence: seed }), bytes };
}

/** The identifier told by a 250. */
function idIn(reply: string): string {
  const id = /[0-9A-HJKMNP-TV-Z]{26}/.exec(reply)?.[0];
  assert.ok(id, `no identifier in: ${reply}`);
  return id;
}

describe("an outage of the SNE", () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(async () => {
    await world.stop();
  });

  it("loses nothing: what arrives meanwhile is confirmed, kept, and forwarded when it is back", async () => {
    await world.control({ do: "down", how: "refuse" });
    const sent = Array.from({ length: 30 }, (_, index) => creation(200 + index));
    for (const [index, { name, bytes }] of sent.entries()) {
      if (index % 3 === 0) assert.match(await world.mail(name, bytes), /^250/);
      else if (index % 3 === 1) assert.equal((await world.deposit(name, bytes)).status, 201);
      else dropInto(world.drop, name, bytes);
    }
    await eventually("every file taken", () => filesIn(world.drop).size === 0);
    const waiting = await eventually("all kept, none failed, the breaker open", async () => {
      const fluxes = await world.fluxes();
      const ready = (await (await fetch(`${world.httpUrl}/readyz`)).json()) as {
        checks: { name: string; detail: string }[];
      };
      const sne = ready.checks.find(({ name }) => name === "sne");
      return fluxes.length === 30 && sne?.detail === "open" && fluxes;
    });
    assert.ok(waiting.every(({ state }) => state === "kept" || state === "inTransit"));

    // A restart in the middle of it changes nothing.
    await world.restart();
    await world.control({ do: "up" });
    await eventually(
      "all answered",
      async () => {
        const fluxes = await world.fluxes();
        return fluxes.every(({ state }) => state === "acknowledged" || state === "accepted");
      },
      { withinMs: 60_000 },
    );
    const effects = await readEffects(world.standin.controlUrl);
    for (const { bytes } of sent) assert.equal(effects.get(sha256(bytes)), 1);
  });

  it("costs no attempt while the breaker is open, even over a restart", async () => {
    const slowBreaker = { GATEWAY_BREAKER_OPEN_MS: "60s" };
    await world.restart(slowBreaker);
    await world.control({ do: "down", how: "503" });
    const first = creation(301);
    const id = idIn(await world.mail(first.name, first.bytes));
    const isOpen = async (): Promise<boolean> =>
      (await (await fetch(`${world.httpUrl}/readyz`)).text()).includes('"open"');
    await eventually("five calls, then the breaker opens", isOpen);
    const { attempts } = await world.reaches(id, "kept");
    assert.equal(attempts, 5);

    await world.restart(slowBreaker);
    assert.ok(await isOpen(), "the restart forgot the outage");
    const later = creation(308);
    const laterId = idIn(await world.mail(later.name, later.bytes));
    // Each look is a round trip during which a forwarder that claimed would have been seen to.
    for (let look = 0; look < 20; look += 1) {
      assert.equal((await world.flux(laterId))["attempts"], 0);
      assert.equal((await world.flux(id))["attempts"], 5);
    }
    const calls: unknown = await (
      await fetch(`${world.standin.controlUrl}/standin/effects?summary`)
    ).json();
    assert.match(JSON.stringify(calls), /"effects":0/);
  });

  it("puts a flux whose answer was lost in doubt, sends it no more, and lets an operator conclude", async () => {
    await world.control({ do: "loseAnswer", times: 1 });
    const { name, bytes } = creation(302);
    const id = idIn(await world.mail(name, bytes));
    const doubt = await world.reaches(id, "inDoubt");
    assert.match(JSON.stringify(doubt["reason"]), /SNE_NO_ANSWER/);
    await world.restart();
    assert.equal((await world.flux(id)).state, "inDoubt");
    assert.equal(await world.effectsOf(bytes), 1);

    const wrong = await fetch(`${world.httpUrl}/api/v1/fluxes/${id}/resolve`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ as: "accepted", numeroUnique: "pas un numéro" }),
    });
    assert.equal(wrong.status, 400);
    const settled = await fetch(`${world.httpUrl}/api/v1/fluxes/${id}/resolve`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        as: "accepted",
        numeroUnique: "07501260000017501A",
        note: "Vu dans le SNE",
      }),
    });
    assert.equal(settled.status, 200, await settled.text());
    const mail = await world.acknowledgedByMail(id);
    assert.match(mail.parsed.text ?? "", /exploitant/);
    assert.match(mail.parsed.text ?? "", /07501260000017501A/);
    await world.reaches(id, "acknowledged");
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("sends again what an operator says had no effect", async () => {
    await world.control({ do: "loseAnswer", times: 1, effect: false });
    const { name, bytes } = creation(303);
    const id = idIn(await world.mail(name, bytes));
    await world.reaches(id, "inDoubt");
    assert.equal(await world.effectsOf(bytes), 0);
    const settled = await fetch(`${world.httpUrl}/api/v1/fluxes/${id}/resolve`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ as: "resend" }),
    });
    assert.equal(settled.status, 200);
    await world.reaches(id, "acknowledged");
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("hands a server error to an operator, whose resubmission goes through", async () => {
    await world.control({ do: "serverError", times: 1 });
    const { name, bytes } = creation(304);
    const id = idIn(await world.mail(name, bytes));
    const failed = await world.reaches(id, "failed");
    assert.match(JSON.stringify(failed["reason"]), /SNE_SERVER_ERROR/);
    await fetch(`${world.httpUrl}/api/v1/fluxes/${id}/resubmit`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    await world.reaches(id, "acknowledged");
  });

  it("tells the sender of a flux that an operator gave up", async () => {
    await world.control({ do: "fault", who: "sender", times: 1 });
    const { name, bytes } = creation(305);
    const id = idIn(await world.mail(name, bytes));
    await world.reaches(id, "failed");
    await fetch(`${world.httpUrl}/api/v1/fluxes/${id}/discard`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ reason: "Demande déjà saisie dans le portail" }),
    });
    const mail = await world.acknowledgedByMail(id);
    assert.match(mail.parsed.subject ?? "", /Abandonné/);
    assert.match(mail.parsed.text ?? "", /déjà saisie dans le portail/);
    assert.equal((await world.flux(id)).state, "discarded");
  });

  it("keeps an acquittement owed while the mail server is down, then delivers it once", async () => {
    world.mailbox.answer({ code: 451, text: "try later" });
    const { name, bytes } = creation(306);
    const id = idIn(await world.mail(name, bytes));
    await eventually("two tries", () => world.mailbox.attempts >= 2);
    assert.equal((await world.flux(id)).state, "accepted");
    world.mailbox.answer(undefined);
    await world.acknowledgedByMail(id);
    await world.reaches(id, "acknowledged");
    assert.equal(world.mailbox.mails.length, 1);
  });
});

describe("order", () => {
  it("forwards one flux at a time per key, in the order of arrival", async () => {
    const world = await startWorld({ settings: { GATEWAY_SNE_CONCURRENCY: "8" } });
    try {
      await world.control({ do: "slow", ms: 30 });
      const key = { guichet: GUICHET, refInterne: "CLE-1", nom: "LEROY" };
      const made = [
        makeDemande({
          ...key,
          typeFichier: "CRE",
          seed: 401,
          dateFichier: "2026-01-15T09:00:00.000+01:00",
        }),
        makeDemande({
          ...key,
          typeFichier: "MOD",
          seed: 402,
          dateFichier: "2026-01-15T09:01:00.000+01:00",
        }),
        makeDemande({
          ...key,
          typeFichier: "MOD",
          seed: 403,
          dateFichier: "2026-01-15T09:02:00.000+01:00",
        }),
        makeDemande({
          ...key,
          typeFichier: "REN",
          seed: 404,
          dateFichier: "2026-01-15T09:03:00.000+01:00",
        }),
      ];
      for (const [index, bytes] of made.entries()) {
        assert.match(await world.mail(`cle-${index}.xml`, bytes), /^250/);
      }
      await eventually("all acknowledged", async () => {
        const fluxes = await world.fluxes();
        return fluxes.length === 4 && fluxes.every(({ state }) => state === "acknowledged");
      });
      const seen: unknown = await (
        await fetch(`${world.standin.controlUrl}/standin/effects`)
      ).json();
      assert.match(JSON.stringify(seen), /"violations":\{"together":0,"order":0\}/);
      const accepted = (await world.fluxes()).map((flux) => JSON.stringify(flux["verdict"]));
      assert.ok(
        accepted.every((verdict) => verdict.includes('"accepted"')),
        accepted.join("\n"),
      );
    } finally {
      await world.stop();
    }
  });
});
