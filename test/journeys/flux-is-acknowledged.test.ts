/** One flux by each channel, all the way and back by the same channel. */
import assert from "node:assert/strict";
import { parseStringPromise } from "xml2js";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import { eventually } from "../support/eventually.ts";
import { filesIn, GUICHET, SENDER, startWorld, type World } from "../support/world.ts";

const AT = new Date("2026-01-15T08:30:00Z");

describe("a flux is acknowledged by the channel it came by", () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(async () => {
    await world.stop();
  });

  it("mail in, mail out: threaded to the original, with the SNE's own answer and its attestation", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 101 });
    const name = fileName({ guichet: GUICHET, at: AT, sequence: 1 });
    const reply = await world.mail(name, bytes, { messageId: "<envoi-101@bailleur.test>" });
    assert.match(reply, /^250 /);
    const [flux] = await world.fluxes();
    assert.ok(flux);
    assert.ok(reply.includes(flux.id), "the 250 names the flux");

    const mail = await world.acknowledgedByMail(flux.id);
    assert.deepEqual(mail.envelope.to, [SENDER]);
    assert.equal(mail.header("in-reply-to"), "<envoi-101@bailleur.test>");
    assert.match(mail.header("message-id") ?? "", new RegExp(flux.id));
    assert.match(mail.parsed.subject ?? "", /Accepté/);
    assert.match(mail.parsed.text ?? "", /Le SNE a accepté votre flux/);

    const done = await world.reaches(flux.id, "acknowledged");
    const [xml, answer, attestation] = mail.attachments;
    assert.ok(xml && answer && attestation, "three attachments");
    const acquittement: unknown = await parseStringPromise(xml.bytes.toString("utf8"));
    assert.match(JSON.stringify(acquittement), new RegExp(flux.id));
    assert.match(answer.bytes.toString("utf8"), /interfaceNuu/);
    assert.match(attestation.bytes.subarray(0, 5).toString("latin1"), /%PDF-/);
    assert.match(JSON.stringify(done), /accepted/);
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("file in, file out: beside the original's name, the signal file last", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 102 });
    const name = fileName({ guichet: GUICHET, at: AT, sequence: 2 });
    world.dropFile(name, bytes);
    await eventually("the file taken", () => !filesIn(world.drop).has(name));
    const base = name.replace(/\.xml$/, "");
    const files = await eventually("the acquittement in the return folder", () => {
      const found = filesIn(world.returned);
      return found.has(`${base}.acquittement.xml`) && found;
    });
    assert.match(files.get(`${base}.acquittement.xml`)?.toString("utf8") ?? "", /<accepte>/);
    assert.match(files.get(`${base}.reponse.xml`)?.toString("utf8") ?? "", /interfaceNuu/);
    assert.ok([...files.keys()].some((file) => file.startsWith(`${base}.attestation`)));
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("REST in, REST out: 201, followed, collected as XML and as JSON", async () => {
    const bytes = makeDemande({ typeFichier: "CRE", guichet: GUICHET, seed: 103 });
    const response = await world.deposit(
      fileName({ guichet: GUICHET, at: AT, sequence: 3 }),
      bytes,
    );
    assert.equal(response.status, 201);
    const created: unknown = await response.json();
    assert.ok(typeof created === "object" && created !== null && "id" in created);
    const id = String(created.id);
    assert.equal(response.headers.get("location"), `/api/v1/fluxes/${id}`);

    // Answered, and not told yet: it stays open until its guichet has collected it.
    await world.reaches(id, "accepted");
    const asJson = await world.rest(`/api/v1/fluxes/${id}/acquittement`, {
      headers: { accept: "application/json" },
    });
    assert.equal(asJson.status, 200);
    assert.match(JSON.stringify(await asJson.json()), new RegExp(id));
    await world.reaches(id, "acknowledged");
    const asXml = await world.rest(`/api/v1/fluxes/${id}/acquittement`);
    assert.match(await asXml.text(), /<accepte>/);
    assert.equal(await world.effectsOf(bytes), 1);
  });
});
