/** Refusals of the SNE, copies by several channels, and senders nobody knows. */
import assert from "node:assert/strict";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import { eventually } from "../support/eventually.ts";
import {
  dropInto,
  filesIn,
  GUICHET,
  OTHER_API_KEY,
  OTHER_GUICHET,
  startWorld,
  type World,
} from "../support/world.ts";

const AT = new Date("2026-01-15T08:30:00Z");

describe("what the SNE refuses", () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(async () => {
    await world.stop();
  });

  it("comes back with its controls: code, field and sentence", async () => {
    await world.control({
      do: "anomaly",
      code: "CTRL_DEM_0033",
      propriete: "radiation.sousMotifIrrecevabilite",
      message: "Le sous-motif est obligatoire.",
      times: 1,
    });
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 501 });
    await world.mail(fileName({ guichet: GUICHET, at: AT, sequence: 501 }), bytes);
    const mail = await eventually("a refusal", () =>
      world.mailbox.find(({ parsed }) => /Refusé/.test(parsed.subject ?? "")),
    );
    const text = mail.parsed.text ?? "";
    assert.match(
      text,
      /CTRL_DEM_0033 - radiation\.sousMotifIrrecevabilite : Le sous-motif est obligatoire\./,
    );
    const [xml, answer] = mail.attachments;
    assert.match(xml?.bytes.toString("utf8") ?? "", /<controle code="CTRL_DEM_0033">/);
    assert.match(
      answer?.bytes.toString("utf8") ?? "",
      /listeAnomalie/,
      "the SNE's own answer travels too",
    );
    assert.equal(await world.effectsOf(bytes), 0);
  });

  it("shows the doublons it resembles, and is taken when forced", async () => {
    const person = { nom: "MARTIN", prenom: "Camille", dateNaissance: "1984-05-02" };
    const first = makeDemande({
      typeFichier: "CRE",
      guichet: GUICHET,
      seed: 502,
      refInterne: "A1",
      ...person,
    });
    await world.deposit("premiere.xml", first);
    await eventually("the first taken", async () => (await world.effectsOf(first)) === 1);
    const second = makeDemande({
      typeFichier: "CRE",
      guichet: GUICHET,
      seed: 503,
      refInterne: "A2",
      ...person,
    });
    dropInto(world.drop, "seconde.xml", second);
    const text = await eventually("a refusal in the folder", () =>
      filesIn(world.returned).get("seconde.acquittement.xml")?.toString("utf8"),
    );
    assert.match(text, /<refuse>/);
    assert.match(text, /<doublon><numUnique>/);
    const forced = makeDemande({
      typeFichier: "CRE",
      guichet: GUICHET,
      seed: 504,
      refInterne: "A2",
      forcerDoublon: true,
      ...person,
    });
    await world.deposit("forcee.xml", forced);
    await eventually("the forced one taken", async () => (await world.effectsOf(forced)) === 1);
  });
});

describe("the same flux by two channels", () => {
  it("has one effect, and each channel its answer", async () => {
    const world = await startWorld();
    try {
      await world.control({ do: "slow", ms: 150 });
      const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 511 });
      await world.mail("par-mail.xml", bytes, { messageId: "<copie-1@bailleur.test>" });
      dropInto(world.drop, "par-dossier.xml", bytes);
      const again = await world.deposit("par-rest.xml", bytes);
      assert.equal(again.status, 200);
      const answer = (await again.json()) as { id: string; repeated: boolean };
      assert.equal(answer.repeated, true);

      const mail = await world.acknowledgedByMail(answer.id);
      assert.equal(mail.header("in-reply-to"), "<copie-1@bailleur.test>");
      await eventually("the acquittement in the folder too", () =>
        [...filesIn(world.returned).values()].some(
          (file) => file.includes(answer.id) && file.includes("<premierEnvoi>"),
        ),
      );
      const collected = await world.rest(`/api/v1/fluxes/${answer.id}/acquittement`);
      assert.match(await collected.text(), /<accepte>/);
      const fluxes = await world.fluxes();
      assert.equal(fluxes.length, 1);
      assert.equal(fluxes[0]?.["repeats"], 2);
      assert.equal(await world.effectsOf(bytes), 1);

      // Long after, once more: still one effect, and the answer again.
      assert.match(
        await world.mail("encore.xml", bytes, { messageId: "<copie-2@bailleur.test>" }),
        /^250/,
      );
      await eventually("the answer to the late copy", () =>
        world.mailbox.find((one) => one.header("in-reply-to") === "<copie-2@bailleur.test>"),
      );
      assert.equal(await world.effectsOf(bytes), 1);
    } finally {
      await world.stop();
    }
  });

  it("is one arrival when the same Idempotency-Key comes back, an error when it names another file", async () => {
    const world = await startWorld();
    try {
      const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 512 });
      const key = { "idempotency-key": "cle-512" };
      const first = await world.deposit("a.xml", bytes, key);
      assert.equal(first.status, 201);
      const again = await world.deposit("a.xml", bytes, key);
      assert.equal(again.status, 200);
      assert.equal(again.headers.get("idempotent-replayed"), "true");
      const other = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 513 });
      const conflict = await world.deposit("b.xml", other, key);
      assert.equal(conflict.status, 422);
      assert.match(await conflict.text(), /IDEMPOTENCY_CONFLICT/);
      assert.equal((await world.fluxes()).length, 1);
    } finally {
      await world.stop();
    }
  });
});

describe("a sender nobody knows", () => {
  let world: World;
  before(async () => {
    world = await startWorld({ settings: { GATEWAY_QUARANTINE_MAX: "3" } });
  });
  after(async () => {
    await world.stop();
  });

  it("is quarantined by mail, told nothing, and forwarded once an operator releases it", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 521 });
    assert.match(await world.mail("inconnu.xml", bytes, { from: "inconnu@ailleurs.test" }), /^250/);
    const [flux] = await world.fluxes();
    assert.equal(flux?.state, "quarantined");
    assert.equal(await world.effectsOf(bytes), 0);
    assert.equal(world.mailbox.mails.length, 0);
    const released = await fetch(`${world.httpUrl}/api/v1/fluxes/${flux.id}/release`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    assert.equal(released.status, 200, await released.text());
    await world.reaches(flux.id, "acknowledged");
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("is quarantined when a known sender names a guichet that is not its own", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: OTHER_GUICHET, seed: 522 });
    assert.match(await world.mail("usurpe.xml", bytes), /^250/);
    const spoofed = (await world.fluxes()).find((flux) => flux["fileName"] === "usurpe.xml");
    assert.equal(spoofed?.state, "quarantined");
    assert.match(JSON.stringify(spoofed["reason"]), /GUICHET_NOT_ALLOWED/);
    const told = await world.deposit("usurpe.xml", bytes);
    assert.equal(told.status, 403);
    assert.match(await told.text(), /GUICHET_NOT_ALLOWED/);
    const rightful = await world.deposit("rightful.xml", bytes, {
      authorization: `Bearer ${OTHER_API_KEY}`,
    });
    assert.equal(rightful.status, 201, "its own guichet is not blocked by the copy in quarantine");
  });

  it("is refused by REST without a key, and shown nothing of others", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 523 });
    const response = await world.deposit("x.xml", bytes, { authorization: "Bearer faux" });
    assert.equal(response.status, 401);
    const mine = await world.deposit("mine.xml", bytes);
    const { id } = (await mine.json()) as { id: string };
    const theirs = await world.rest(`/api/v1/fluxes/${id}`, { key: OTHER_API_KEY });
    assert.equal(theirs.status, 404);
    const operations = await world.rest(`/api/v1/bilan`);
    assert.equal(operations.status, 403);
  });

  it("is turned away with a 4xx when quarantine is full, so that its mail is not lost", async () => {
    let reply = "";
    for (let seed = 530; seed < 536 && !reply.includes("451"); seed += 1) {
      const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed });
      reply = await world.mail("x.xml", bytes, { from: "inconnu@ailleurs.test" }).catch(String);
    }
    assert.match(reply, /451/);
  });
});
