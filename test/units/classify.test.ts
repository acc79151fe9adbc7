/** The policy of the forwarder, line by line: what each answer comes to, and what the breaker counts. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ERRORS } from "../../src/domain/errors.ts";
import type { Control, Outcome } from "../../src/domain/outcome.ts";
import { classify, linkWorks } from "../../src/forward/classify.ts";
import type { AnswerReading, RegistryAnswer } from "../../src/forward/registry.ts";

const NUMBER = "1110318016982G1104";
const OTHER = "2220318016982G1104";
const control: Control = { code: "CTRL_DEM_0033", message: "Le nom manque." };
const file = { name: "a.xml", bytes: new Uint8Array() };

function answered(reading: Partial<AnswerReading>): RegistryAnswer {
  return {
    kind: "answered",
    reading: { controls: [], doublons: [], ...reading },
    answer: file,
  };
}
type NotProcessed = Extract<RegistryAnswer, { kind: "notProcessed" }>;
function notProcessed(why: NotProcessed["why"], more: Partial<NotProcessed> = {}): RegistryAnswer {
  return { kind: "notProcessed", why, detail: "raison.", ...more };
}

interface Row {
  readonly title: string;
  readonly answer: RegistryAnswer;
  /** The number the file carries. */
  readonly numUnique?: string;
  readonly kind: Outcome["kind"];
  readonly code?: keyof typeof ERRORS;
  readonly numeroUnique?: string;
  readonly breaks: boolean;
}

const ROWS: readonly Row[] = [
  {
    title: "a creation with its number",
    answer: answered({ numUnique: NUMBER }),
    kind: "accepted",
    numeroUnique: NUMBER,
    breaks: false,
  },
  {
    title: "a change answered without a number",
    answer: answered({}),
    numUnique: OTHER,
    kind: "accepted",
    numeroUnique: OTHER,
    breaks: false,
  },
  {
    title: "a separation: the answer's number, not the file's",
    answer: answered({ numUnique: NUMBER }),
    numUnique: OTHER,
    kind: "accepted",
    numeroUnique: NUMBER,
    breaks: false,
  },
  {
    title: "neither number nor control, for a file that carried none",
    answer: answered({}),
    kind: "unknown",
    code: "SNE_UNREADABLE_ANSWER",
    breaks: false,
  },
  { title: "controls", answer: answered({ controls: [control] }), kind: "refused", breaks: false },
  {
    title: "controls, even beside a number",
    answer: answered({ controls: [control], numUnique: NUMBER }),
    numUnique: NUMBER,
    kind: "refused",
    breaks: false,
  },
  {
    title: "doublons without a number",
    answer: answered({ doublons: [OTHER] }),
    kind: "refused",
    breaks: false,
  },
  {
    title: "doublons without a number, for a file that carried one",
    answer: answered({ doublons: [OTHER] }),
    numUnique: NUMBER,
    kind: "refused",
    breaks: false,
  },
  {
    title: "doublons beside a number",
    answer: answered({ doublons: [OTHER], numUnique: NUMBER }),
    kind: "accepted",
    numeroUnique: NUMBER,
    breaks: false,
  },
  {
    title: "no connection",
    answer: notProcessed("unreachable"),
    kind: "transient",
    code: "SNE_UNREACHABLE",
    breaks: true,
  },
  {
    title: "a busy server",
    answer: notProcessed("busy", { status: 503 }),
    kind: "transient",
    code: "SNE_BUSY",
    breaks: true,
  },
  {
    title: "access refused",
    answer: notProcessed("accessRefused"),
    kind: "transient",
    code: "SNE_ACCESS_REFUSED",
    breaks: true,
  },
  {
    title: "a wrong address",
    answer: notProcessed("wrongAddress", { status: 404 }),
    kind: "transient",
    code: "SNE_WRONG_ADDRESS",
    breaks: true,
  },
  {
    title: "a file too large for the SNE",
    answer: notProcessed("tooLarge"),
    kind: "critical",
    code: "SNE_REQUEST_REJECTED",
    breaks: false,
  },
  {
    title: "a fault of the sender",
    answer: { kind: "fault", who: "sender", text: "non" },
    kind: "critical",
    code: "SNE_REQUEST_REJECTED",
    breaks: false,
  },
  {
    title: "no answer",
    answer: { kind: "notRead", why: "noAnswer", detail: "coupé" },
    kind: "unknown",
    code: "SNE_NO_ANSWER",
    breaks: true,
  },
  {
    title: "an unreadable answer",
    answer: { kind: "notRead", why: "unreadable", detail: "html" },
    kind: "unknown",
    code: "SNE_UNREADABLE_ANSWER",
    breaks: false,
  },
];

describe("An answer of the SNE comes to", () => {
  for (const row of ROWS) {
    const { title, answer, numUnique, kind, code, numeroUnique, breaks } = row;
    it(`${kind}${breaks ? ", and counts against the link," : ""} for ${title}`, () => {
      for (const serverError of ["critical", "transient", "unknown"] as const) {
        const outcome = classify(answer, {
          serverError,
          ...(numUnique === undefined ? {} : { numUnique }),
        });
        assert.equal(outcome.kind, kind);
        if ("code" in outcome) assert.equal(outcome.code, code);
        else assert.equal(code, undefined);
        if (outcome.kind === "accepted") assert.equal(outcome.numeroUnique, numeroUnique);
      }
      assert.equal(linkWorks("getNumUnique", answer), !breaks);
    });
  }

  it("what the setting says, for a fault of the server, and never counts against the link", () => {
    const fault: RegistryAnswer = { kind: "fault", who: "receiver", text: "Erreur inattendue." };
    for (const serverError of ["critical", "transient", "unknown"] as const) {
      assert.deepEqual(classify(fault, { serverError }), {
        kind: serverError,
        code: "SNE_SERVER_ERROR",
        reason: "Le SNE a répondu par une erreur : Erreur inattendue.",
      });
    }
    assert.equal(linkWorks("getNumUnique", fault), true);
  });

  it("the controls and doublons as they came", () => {
    const answer = answered({ controls: [control], doublons: [OTHER] });
    assert.deepEqual(classify(answer, { serverError: "critical" }), {
      kind: "refused",
      controls: [control],
      doublons: [OTHER],
    });
  });

  it("a delay when the SNE gave one, and no stray mark in its sentence", () => {
    const busy = notProcessed("busy", { status: 503, retryAfterMs: 7_000 });
    assert.deepEqual(classify(busy, { serverError: "critical" }), {
      kind: "transient",
      code: "SNE_BUSY",
      reason: "Le SNE demande de réessayer plus tard (HTTP 503).",
      retryAfterMs: 7_000,
    });
    const refused = classify(notProcessed("accessRefused"), { serverError: "critical" });
    assert.ok("reason" in refused);
    assert.equal(refused.reason, "Le SNE refuse l'accès de la passerelle : raison.");
  });

  it("nothing about the link, when we ended the call ourselves", () => {
    const endedByUs = true;
    for (const answer of [
      notProcessed("unreachable", { endedByUs }),
      { kind: "notRead", why: "noAnswer", detail: "abandon", endedByUs } as const,
    ]) {
      assert.equal(linkWorks("getNumUnique", answer), undefined);
    }
  });

  it("nothing about the link to the demandes, when another service gave it", () => {
    const read = { kind: "read", results: [] } as const;
    for (const answer of [read, answered({}), notProcessed("wrongAddress", { status: 404 })]) {
      assert.equal(linkWorks("rechercheDemandeMulticritere", answer), undefined);
      assert.equal(linkWorks("ajouterEvenementDemande", answer), undefined);
    }
    assert.equal(linkWorks("getDoublons", read), true);
    assert.equal(linkWorks("getDoublons", notProcessed("wrongAddress", { status: 404 })), false);
  });
});
