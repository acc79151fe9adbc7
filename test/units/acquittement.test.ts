/** What a sender receives: our XML is valid whatever it holds, and the text says what happened. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeAcquittementText } from "../../src/acknowledge/acquittement-text.ts";
import { writeAcquittementXml } from "../../src/acknowledge/acquittement-xml.ts";
import { makeSchemaValidator } from "../../src/adapters/xml/schema-validator.ts";
import type { Flux } from "../../src/domain/flux.ts";
import type { Verdict } from "../../src/domain/outcome.ts";

const AT = Date.UTC(2026, 0, 15, 8, 30);
const FLUX: Flux = {
  id: "01KF0000000000000000000000",
  state: "accepted",
  channel: "mail",
  guichet: "75A01",
  envelope: { kind: "CRE", numGuichet: "75A01", refInterne: "A-1" },
  fileName: "DEM75A01-202601150930-000001.xml",
  sha256: "0123456789abcdef".repeat(4),
  size: 10,
  origin: { from: "logiciel@bailleur.test" },
  receivedAt: AT,
  since: AT,
  attempts: 1,
  repeats: 0,
};
const HOSTILE = `<&>"' ]]> \u0000\u0001\u{1F600}\uD800 ${"long ".repeat(500)}`;

const VERDICTS: Readonly<Record<string, Verdict>> = {
  accepted: { kind: "accepted", numeroUnique: "075012600000175A01", by: "sne", at: AT },
  "accepted by an operator": {
    kind: "accepted",
    numeroUnique: "075012600000175A01",
    by: "operator",
    at: AT,
    note: "vu",
  },
  refused: {
    kind: "refused",
    by: "sne",
    at: AT,
    doublons: ["075012600000275A01"],
    controls: [
      {
        code: "CTRL_DEM_0033",
        field: "radiation",
        message: "Le sous-motif manque.",
        complements: { motif: "RADIRR" },
        line: 12,
        column: 3,
      },
    ],
  },
  "refused without a control": {
    kind: "refused",
    by: "sne",
    at: AT,
    doublons: ["075012600000275A01"],
    controls: [],
  },
  "refused with hostile values": {
    kind: "refused",
    by: "gateway",
    at: AT,
    doublons: [HOSTILE],
    controls: [
      {
        code: HOSTILE,
        field: HOSTILE,
        message: HOSTILE,
        complements: { [HOSTILE]: HOSTILE },
        line: 0,
        column: 1.5,
      },
    ],
  },
  discarded: { kind: "discarded", reason: HOSTILE, by: "operator", at: AT },
  "discarded in doubt": {
    kind: "discarded",
    reason: "Saisi au portail",
    effectUnknown: true,
    by: "operator",
    at: AT,
  },
};

describe("the acquittement a sender receives", () => {
  const validator = makeSchemaValidator({ schemasDir: join(import.meta.dirname, "../../schemas") });
  before(() => validator.start());
  after(() => validator.stop());

  for (const [name, verdict] of Object.entries(VERDICTS)) {
    it(`is valid XML when ${name}`, async () => {
      for (const about of [{ isRepeat: false }, { isRepeat: true, attestationName: HOSTILE }]) {
        const flux = {
          ...FLUX,
          fileName: about.isRepeat ? HOSTILE : FLUX.fileName,
          remarks: [{ code: "SCHEMA_PATTERN", message: HOSTILE }],
        };
        const xml = writeAcquittementXml(flux, verdict, about);
        assert.deepEqual(await validator.checkDocument(xml, "acquittement"), { kind: "valid" });
      }
    });
  }

  it("is the same bytes each time, so that a second copy is seen as one", () => {
    const [verdict] = Object.values(VERDICTS);
    assert.ok(verdict);
    const once = writeAcquittementXml(FLUX, verdict, { isRepeat: false });
    assert.deepEqual(
      writeAcquittementXml({ ...FLUX, since: AT + 9 }, verdict, { isRepeat: false }),
      once,
    );
  });

  it("says who concluded, why, and where in the file", () => {
    const text = (name: string, language: "fr" | "en" = "fr"): string => {
      const verdict = VERDICTS[name];
      assert.ok(verdict);
      const written = writeAcquittementText(FLUX, verdict, language, { isRepeat: false });
      return `${written.title}\n${written.text}`;
    };
    assert.match(
      text("accepted"),
      /^\[SNE\] Accepté - CRE - DEM75A01-202601150930-000001\.xml - 075012600000175A01\n/,
    );
    assert.match(text("accepted"), /15 janvier 2026 à 09:30:00/);
    assert.match(text("accepted by an operator"), /exploitant de la passerelle a conclu/);
    assert.match(
      text("refused"),
      /CTRL_DEM_0033 - radiation \(ligne 12\) : Le sous-motif manque\. \[motif = RADIRR\]/,
    );
    assert.match(text("refused"), /forcerDoublon/);
    assert.match(text("discarded in doubt"), /Le SNE a pu enregistrer ce flux/);
    assert.match(text("refused", "en"), /The SNE refused your flux/);
  });

  it("says that the SNE's files were erased, where there were any", () => {
    const text = (flux: Flux, name: string): string => {
      const verdict = VERDICTS[name];
      assert.ok(verdict);
      return writeAcquittementText(flux, verdict, "fr", { isRepeat: true }).text;
    };
    const erased = { ...FLUX, erasedAt: AT + 1 };
    assert.match(text(erased, "accepted"), /ne sont pas joints : ils ont été effacés/);
    assert.doesNotMatch(text(FLUX, "accepted"), /effacés/);
    assert.doesNotMatch(text(erased, "accepted by an operator"), /effacés/);
  });
});
