/** A client generated from our WSDL, over mutual TLS: it deposits, follows, fetches and confirms. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileName, makeDemande } from "../../src/standin/sample-demandes.ts";
import { eventually } from "../support/eventually.ts";
import {
  callService,
  type CallForm,
  type Given,
  type ServiceAnswer,
} from "../support/passerelle-caller.ts";
import { GUICHET, OTHER_API_KEY, startWorld, type World } from "../support/world.ts";

const TLS = join(import.meta.dirname, "../fixtures/tls");
const read = (name: string): string => readFileSync(join(TLS, name), "utf8");
const CLIENT = { ca: read("authority.pem"), key: read("client.key"), cert: read("client.pem") };
const FORM: CallForm = { version: "1.2", framing: "mtom", authorization: null, tls: CLIENT };
const AT = new Date("2026-01-15T08:30:00Z");

describe("a client of our own SOAP service", () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld({
      settings: {
        GATEWAY_HTTP_TLS_CERT: join(TLS, "server.pem"),
        GATEWAY_HTTP_TLS_KEY: join(TLS, "server.key"),
        GATEWAY_HTTP_TLS_CA: join(TLS, "authority.pem"),
      },
      guichet: { certificates: [new X509Certificate(CLIENT.cert).fingerprint256] },
    });
  });
  afterEach(() => world.stop());

  const call = (
    operation: string,
    fields: readonly Given[],
    form: CallForm = FORM,
  ): Promise<ServiceAnswer> => {
    const port = world.gateway.addresses().http?.port ?? 0;
    return callService(`https://127.0.0.1:${port}`, operation, fields, form);
  };
  const about = (id: string): Given[] => [{ name: "identifiant", text: id }];
  const deposit = (nomFichier: string, file: Uint8Array): Promise<ServiceAnswer> =>
    call("deposerFlux", [
      { name: "nomFichier", text: nomFichier },
      { name: "fichier", file },
      { name: "cleIdempotence", text: nomFichier },
    ]);
  const reaches = (id: string, etat: string): Promise<ServiceAnswer> =>
    eventually(`flux ${id} ${etat}`, async () => {
      const answer = await call("suivreFlux", about(id));
      if (answer.text("etat") === etat) return answer;
      throw new Error(answer.envelope);
    });

  function demande(seed: number): { name: string; bytes: Uint8Array } {
    const name = fileName({ guichet: GUICHET, at: AT, sequence: seed });
    const bytes = makeDemande({
      typeFichier: "CRE",
      guichet: GUICHET,
      seed,
      refInterne: `REF${seed}`,
    });
    return { name, bytes };
  }

  it("deposits a file, fetches what the SNE answered, and confirms it", async () => {
    const { name, bytes } = demande(1);
    const kept = await deposit(name, bytes);
    assert.deepEqual([kept.text("dejaRecu"), kept.text("nomFichier")], ["false", name]);
    const id = kept.text("identifiant") ?? "";

    const accepted = await reaches(id, "ACCEPTE");
    const numUnique = accepted.text("numUnique");
    assert.ok(numUnique !== undefined && numUnique.length === 18);

    const fetched = await call("retirerAcquittement", about(id));
    const acquittement = fetched.file("acquittement")?.toString("utf8") ?? "";
    assert.ok(acquittement.includes(numUnique), acquittement);
    for (const [element, role] of [
      ["reponseSne", "answer"],
      ["attestation", "attestation"],
    ] as const) {
      const file = await world.gateway.outbox.file(id, role);
      assert.ok(file !== undefined, role);
      assert.deepEqual(fetched.file(element), Buffer.from(file.bytes), element);
    }
    await reaches(id, "ACQUITTE");

    const confirmed = await call("confirmerAcquittement", about(id));
    assert.equal(confirmed.text("etat"), "ACQUITTE");
    const journal = await world.gateway.outbox.journal(id);
    assert.deepEqual(
      journal.map((entry) => entry.name),
      [
        "flux.kept",
        "flux.claimed",
        "flux.accepted",
        "acquittement.collected",
        "acquittement.confirmed",
      ],
    );
    // Sent again by a library that saw no answer: the first one's, and no second effect.
    const again = await deposit(name, bytes);
    assert.deepEqual([again.text("identifiant"), again.text("dejaRecu")], [id, "true"]);
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("loses nothing while the SNE is down and the gateway starts again", async () => {
    await world.standin.stop();
    const { name, bytes } = demande(2);
    const accuse = await deposit(name, bytes);
    const id = accuse.text("identifiant") ?? "";
    const waiting = await eventually("the flux says what it waits for", async () => {
      const answer = await call("suivreFlux", about(id));
      const attente = answer.text("attente") ?? "";
      return /retryTime|sneSuspended/.test(attente) ? attente : undefined;
    });
    assert.match(waiting, /<texte>[^<]+<\/texte>/);
    await world.restart();
    const kept = await reaches(id, "GARDE");
    assert.equal(kept.text("recuLe"), accuse.text("recuLe"));
    assert.equal((await call("retirerAcquittement", about(id))).text("code"), "NOT_YET");

    const bordereau = await call("deposerBordereau", [
      { name: "nomFichier", text: name },
      { name: "nomFichier", text: "jamais-parti.xml" },
    ]);
    assert.deepEqual(bordereau.texts("absent"), ["jamais-parti.xml"]);
    await world.restart();
    const again = await call("deposerBordereau", [
      { name: "nomFichier", text: name },
      { name: "nomFichier", text: "jamais-parti.xml" },
    ]);
    assert.equal(again.text("dejaRecu"), "true");
  });

  it("is no other guichet, and nobody without its certificate or a key", async () => {
    const { name, bytes } = demande(3);
    const id = (await deposit(name, bytes)).text("identifiant") ?? "";
    const anonymous: CallForm = { ...FORM, tls: { ca: CLIENT.ca } };
    assert.equal((await call("suivreFlux", about(id), anonymous)).status, 401);
    const other: CallForm = { ...anonymous, authorization: `Bearer ${OTHER_API_KEY}` };
    assert.equal((await call("suivreFlux", about(id), other)).text("code"), "NOT_FOUND");
    const both: CallForm = { ...other, tls: CLIENT };
    assert.equal((await call("suivreFlux", about(id), both)).text("code"), "CREDENTIALS_DISAGREE");
  });
});
