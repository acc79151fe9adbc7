/** The acquittement by collection (D1): the whole of it, to whom it is due, as often as asked. */
import assert from "node:assert/strict";
import { gatewayError } from "../../src/domain/errors.ts";
import { eventually } from "../support/eventually.ts";
import {
  demande,
  GUICHETS,
  KEYS,
  NUMERO,
  OPERATOR_KEY,
  startHttpGateway,
  type Answer,
  type HttpGateway,
} from "../support/http-gateway.ts";
import { openRaw } from "../support/raw-http.ts";

const { A, M } = GUICHETS;

/** Bytes no text could carry, so that any re-encoding shows. */
const ANSWER = Buffer.from([0x3c, 0x61, 0xe9, 0xff, 0x00, 0x0d, 0x0a, 0x3e]);
const ATTESTATION = Buffer.from([0x25, 0x50, 0x44, 0x46, 0x00, 0xff, 0xfe]);
const FILES = {
  answer: { name: "reponse é.xml", bytes: ANSWER },
  attestation: { name: "attestation.pdf", bytes: ATTESTATION },
};

describe("acquittement by REST", () => {
  let gateway: HttpGateway;
  beforeEach(async () => {
    gateway = await startHttpGateway();
  });
  afterEach(() => gateway.stop());

  async function keepOne(of: "A" | "M" = "A", seed = 1): Promise<string> {
    return (await gateway.deposit(of, demande(GUICHETS[of], seed))).json.id;
  }

  function fetchIt(id: string, path = "", accept = "*/*", key: string = KEYS.A): Promise<Answer> {
    return gateway.call("GET", `/api/v1/fluxes/${id}/acquittement${path}`, {
      key,
      headers: { Accept: accept },
    });
  }

  async function stateOf(id: string): Promise<string | undefined> {
    return (await gateway.outbox.find(id))?.state;
  }

  it("is not there before the SNE has answered", async () => {
    const id = await keepOne();
    for (const path of ["", "/reponse", "/attestation"]) {
      const answer = await fetchIt(id, path);
      assert.equal(answer.status, 404);
      assert.equal(answer.json.code, "NOT_YET");
    }
  });

  it("acknowledges the flux when its guichet fetches it, once, with its event", async () => {
    const id = await keepOne();
    await gateway.accept(id);
    const answer = await fetchIt(id);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/xml; charset=utf-8");
    assert.match(answer.headers.get("content-disposition") ?? "", /acquittement\.xml/);
    assert.match(answer.bytes.toString(), new RegExp(`<numUnique>${NUMERO}</numUnique>`));
    await eventually(
      "the flux is acknowledged",
      async () => (await stateOf(id)) === "acknowledged",
    );
    const again = await fetchIt(id);
    assert.deepEqual(again.bytes, answer.bytes);
    const journal = await gateway.outbox.journal(id);
    assert.equal(journal.at(-1)?.name, "acquittement.collected");
    assert.equal(journal.filter(({ name }) => name === "acquittement.collected").length, 1);
    await eventually("its event is told", () =>
      gateway.told.some(({ name, fluxId }) => name === "acquittement.collected" && fluxId === id),
    );
  });

  it("counts neither HEAD, nor the operator, nor the SNE's file alone as collected", async () => {
    const id = await keepOne();
    await gateway.accept(id, FILES);
    const path = `/api/v1/fluxes/${id}/acquittement`;
    assert.equal((await gateway.call("HEAD", path, { key: KEYS.A })).status, 200);
    assert.equal((await fetchIt(id, "", "*/*", OPERATOR_KEY)).status, 200);
    assert.equal((await fetchIt(id, "/reponse")).status, 200);
    const shown = await gateway.call("GET", `/api/v1/fluxes/${id}`, { key: KEYS.A });
    assert.equal(shown.json.state, "accepted");
    assert.equal(shown.json.waiting.code, "acquittementToCollect");
    // What follows is answered after whatever the calls above had started.
    await gateway.outbox.counts();
    assert.equal(await stateOf(id), "accepted");
  });

  it("leaves to the mail a flux that is owed by mail, whoever reads it here", async () => {
    const id = await keepOne("M");
    await gateway.accept(id);
    assert.equal((await fetchIt(id, "", "*/*", KEYS.M)).status, 200);
    const shown = await gateway.call("GET", `/api/v1/fluxes/${id}`, { key: KEYS.M });
    assert.equal(shown.json.waiting.code, "acquittementToDeliver");
    assert.equal(shown.json.state, "accepted");
    assert.equal(M.returnBy, "mail");
  });

  it("writes once that its guichet confirms it, and counts it as collected", async () => {
    const id = await keepOne();
    const path = `/api/v1/fluxes/${id}/acquittement/confirmation`;
    const early = await gateway.call("POST", path, { key: KEYS.A });
    assert.deepEqual([early.status, early.json.code], [404, "NOT_YET"]);
    await gateway.accept(id);
    assert.equal((await gateway.call("POST", path, { key: KEYS.B })).json.code, "NOT_FOUND");
    assert.equal((await gateway.call("POST", path, { key: OPERATOR_KEY })).status, 403);
    const first = await gateway.call("POST", path, { key: KEYS.A });
    assert.deepEqual([first.status, first.json.state], [200, "acknowledged"]);
    const again = await gateway.call("POST", path, { key: KEYS.A });
    assert.equal(again.json.confirmedAt, first.json.confirmedAt);
    const journal = await gateway.outbox.journal(id);
    assert.deepEqual(
      journal.slice(-2).map(({ name }) => name),
      ["acquittement.collected", "acquittement.confirmed"],
    );
  });

  it("confirms what came by mail without taking it for delivered", async () => {
    const id = await keepOne("M");
    await gateway.accept(id);
    const path = `/api/v1/fluxes/${id}/acquittement/confirmation`;
    const answer = await gateway.call("POST", path, { key: KEYS.M });
    assert.deepEqual([answer.status, answer.json.state], [200, "accepted"]);
    assert.equal((await gateway.outbox.counts()).deliveriesOwed, 1);
  });

  it("is still owed when the guichet hangs up before the end of the answer", async () => {
    await gateway.stop();
    // More than the buffers of a connection hold: nobody reads it, so it is never handed over whole.
    const xml = { name: "a.xml", bytes: Buffer.alloc(64 * 1024 * 1024, " ") };
    gateway = await startHttpGateway(() => ({
      composeParcel: (flux) =>
        Promise.resolve({
          fluxId: flux.id,
          parcelId: flux.id,
          language: "fr",
          title: "",
          text: "",
          originalName: flux.fileName,
          xml,
        }),
    }));
    const id = await keepOne();
    await gateway.accept(id);
    const { socket } = openRaw(gateway.port);
    socket.write(
      `GET /api/v1/fluxes/${id}/acquittement HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: Bearer ${KEYS.A}\r\n\r\n`,
    );
    await eventually("the answer has begun", () => socket.bytesRead > 0);
    socket.destroy();
    await eventually("its end is seen", () =>
      gateway.logLines.some(
        ({ name, facts }) => name === "http.answered" && String(facts["route"]).endsWith("ement"),
      ),
    );
    await gateway.server.stop();
    assert.equal(await stateOf(id), "accepted");
  });

  it("stays owed, and can be fetched again, when the store cannot write the collection", async () => {
    await gateway.stop();
    let isFull = true;
    gateway = await startHttpGateway((outbox) => ({
      outbox: {
        ...outbox,
        move: (move) => (isFull ? Promise.reject(gatewayError("STORE_FULL")) : outbox.move(move)),
      },
    }));
    const id = await keepOne();
    await gateway.accept(id);
    assert.equal((await fetchIt(id)).status, 200);
    await eventually("the failure is logged", () =>
      gateway.logLines.some(({ name }) => name === "acquittement.collectionNotKept"),
    );
    assert.equal(await stateOf(id), "accepted");
    isFull = false;
    await fetchIt(id);
    await eventually(
      "the flux is acknowledged",
      async () => (await stateOf(id)) === "acknowledged",
    );
  });

  it("gives JSON made of the same XML to who prefers it", async () => {
    const id = await keepOne();
    await gateway.refuse(id);
    const answer = await fetchIt(id, "", "application/xml;q=0.5, application/json");
    assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
    assert.equal(answer.headers.get("vary"), "Accept");
    const { acquittement } = answer.json as unknown as {
      acquittement: {
        flux: { identifiant: string };
        resultat: { refuse: Record<string, unknown> };
      };
    };
    assert.equal(acquittement.flux.identifiant, id);
    const { controle, doublon, par } = acquittement.resultat.refuse;
    assert.deepEqual(
      { controle, doublon, par },
      {
        par: "SNE",
        doublon: [{ numUnique: NUMERO }],
        controle: [
          {
            code: "CTRL_DEM_0033",
            propriete: "nom",
            complement: [{ nom: "valeur", valeur: "X" }],
            message: "Le champ <nom> & la suite",
            ligne: 3,
            colonne: 7,
          },
        ],
      },
    );
  });

  it("negotiates its form with quality values, and says when none is left", async () => {
    const id = await keepOne();
    await gateway.accept(id);
    const forms = [
      ["*/*", "application/xml"],
      ["text/xml", "text/xml"],
      ["application/json;q=0.2, text/*;q=0.9", "text/xml"],
      ["application/json, */*;q=0.1", "application/json"],
      ["application/xml;q=0, application/json", "application/json"],
    ] as const;
    for (const [accept, type] of forms) {
      const answer = await fetchIt(id, "", accept);
      assert.equal(answer.headers.get("content-type"), `${type}; charset=utf-8`, accept);
    }
    const none = await fetchIt(id, "", "text/html, application/json;q=0");
    assert.equal(none.status, 406);
  });

  it("hands the SNE's own files to their guichet byte for byte, and to no operator", async () => {
    const id = await keepOne();
    await gateway.accept(id, FILES);
    const answer = await fetchIt(id, "/reponse");
    assert.deepEqual(answer.bytes, ANSWER);
    assert.equal(answer.headers.get("content-type"), "application/xml");
    assert.match(
      answer.headers.get("content-disposition") ?? "",
      /^attachment; filename="?flux\.reponse\.xml"?$/,
    );
    const attestation = await fetchIt(id, "/attestation");
    assert.deepEqual(attestation.bytes, ATTESTATION);
    for (const path of ["/reponse", "/attestation"]) {
      const refused = await fetchIt(id, path, "*/*", OPERATOR_KEY);
      assert.equal(refused.json.code, "NOT_PERMITTED");
    }
  });

  it("says that the SNE's files were erased, and gives the acquittement all the same", async () => {
    const [id, own] = [await keepOne("A", 1), await keepOne("A", 2)];
    await gateway.accept(id, FILES);
    await gateway.accept(own);
    const [before] = [await fetchIt(id), await fetchIt(own)];
    const path = `/api/v1/fluxes/${id}`;
    await eventually("both are acknowledged", async () => (await stateOf(own)) === "acknowledged");
    await eventually("the first too", async () => (await stateOf(id)) === "acknowledged");
    assert.ok((await gateway.call("GET", path, { key: KEYS.A })).json.links["reponse"]);
    const now = Date.now() + 1;
    assert.equal(await gateway.outbox.eraseFiles({ endedBefore: now, now, max: 10 }), 2);

    for (const name of ["/reponse", "/attestation"]) {
      const answer = await fetchIt(id, name);
      assert.equal(answer.status, 410);
      assert.equal(answer.json.code, "FILES_ERASED");
    }
    const after = await fetchIt(id);
    assert.equal(after.status, 200);
    assert.match(before.bytes.toString(), /<attestation /);
    assert.doesNotMatch(after.bytes.toString(), /<attestation /);
    const shown = await gateway.call("GET", path, { key: KEYS.A });
    assert.equal(shown.json.filesErasedAt, new Date(now).toISOString());
    assert.deepEqual(Object.keys(shown.json.links).sort(), ["acquittement", "journal", "self"]);
    const journal = await gateway.call("GET", `${path}/journal`, { key: KEYS.A });
    const { name, label, detail } = journal.json.journal.at(-1)!;
    assert.equal(name, "flux.filesErased");
    assert.match(label, /effacés/);
    assert.equal(detail["files"], 3);
  });

  it("says that the SNE gave no file rather than an empty one", async () => {
    const id = await keepOne();
    await gateway.accept(id);
    const answer = await fetchIt(id, "/attestation");
    assert.equal(answer.status, 404);
    assert.equal(answer.json.code, "NOT_FOUND");
    assert.match(answer.json.detail, /pas rendu/);
    assert.equal(A.returnBy, "same");
  });
});
