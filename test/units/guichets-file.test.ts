/** The file of guichets: what it says is read, and each of its mistakes is told where it is. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseGuichets, readGuichetsFile } from "../../src/adapters/config/guichets-file.ts";

const DIGEST = "0123456789abcdef".repeat(4);

function problemsOf(text: string): string[] {
  const reading = parseGuichets(text, "/etc/passerelle");
  assert.equal(reading.kind, "invalid", "the file was read without a problem");
  return reading.problems.map(
    ({ line, column, path, message }) => `${line}:${column} ${path} ${message}`,
  );
}

function one(fields: string): string {
  return `{ "guichets": [\n{ "code": "75A01", "name": "OPH", ${fields} }\n] }`;
}

describe("reading the file of guichets", () => {
  it("reads every field, with comments, folders relative to the file", () => {
    const reading = parseGuichets(
      `// Guichets of the example
      { "guichets": [
        { "code": "75A01", "name": "OPH" /* Paris */, "senders": ["Flux@oph.example", "*@oph.example"],
          "smtpUser": "oph", "folders": { "drop": "../data/in", "return": "/srv/out" },
          "apiKeySha256": "${DIGEST.toUpperCase()}", "returnBy": "mail", "returnMail": "suivi@oph.example",
          "language": "en" },
        { "code": "G1226", "name": "Autre", "senders": ["flux@oph.example"] }
      ] }`,
      "/etc/passerelle",
    );
    assert.equal(reading.kind, "read");
    const { guichets } = reading;
    assert.deepEqual(guichets.all, [
      {
        code: "75A01",
        name: "OPH",
        senders: ["Flux@oph.example", "*@oph.example"],
        smtpUser: "oph",
        folders: { drop: "/etc/data/in", return: "/srv/out" },
        apiKeySha256: DIGEST,
        returnBy: "mail",
        returnMail: "suivi@oph.example",
        language: "en",
      },
      {
        code: "G1226",
        name: "Autre",
        senders: ["flux@oph.example"],
        returnBy: "same",
        language: "fr",
      },
    ]);
    const allowed = guichets.bySender("FLUX@oph.example").map(({ code }) => code);
    assert.deepEqual(allowed, ["75A01", "G1226"], "one sender may hold several guichets");
    assert.equal(guichets.byApiKeySha256(DIGEST)?.code, "75A01");
  });

  it("reads the example that comes with the project", () => {
    const reading = readGuichetsFile("config/guichets.json");
    assert.equal(reading.kind, "read", JSON.stringify(reading));
    const [first] = reading.guichets.all;
    assert.equal(first?.folders?.drop, join(process.cwd(), "data/guichets/75A01/depot"));
  });

  it("says of a file that is not there, or not in UTF-8, what it is", () => {
    const folder = mkdtempSync(join(tmpdir(), "guichets-"));
    try {
      const absent = readGuichetsFile(join(folder, "none.json"));
      assert.equal(
        absent.kind === "invalid" && absent.problems[0]?.message,
        "Ce fichier n'existe pas.",
      );
      const latin = join(folder, "latin.json");
      writeFileSync(latin, Buffer.from('{ "guichets": [] } // é', "latin1"));
      const reading = readGuichetsFile(latin);
      assert.equal(
        reading.kind === "invalid" && reading.problems[0]?.message,
        "Ce fichier n'est pas en UTF-8.",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("telling the mistakes of the file of guichets", () => {
  it("tells every mistake of syntax with its line", () => {
    assert.deepEqual(
      problemsOf('{ "guichets": [\n  { "code" "75A01" },\n  { "name": "x", }\n] }'),
      [
        "2:12  Deux-points « : » sont attendus après le nom.",
        "3:18  Un nom de propriété entre guillemets est attendu (pas de virgule après la dernière).",
        "3:18  Une valeur est attendue (pas de virgule après la dernière).",
      ],
    );
    assert.match(problemsOf("")[0] ?? "", /^1:1 /);
    assert.match(problemsOf('{ "guichets": [] ')[0] ?? "", /accolade fermante/);
    assert.match(problemsOf("{} x")[0] ?? "", /^1:4 /);
  });

  it("tells a property that does not exist, and the one that was meant", () => {
    assert.deepEqual(problemsOf(one('"sender": [], "colour": "red", "senders": ["a@b.fr"]')), [
      "2:35 guichets[0].sender La propriété « sender » n'existe pas ; vouliez-vous dire « senders » ?",
      "2:49 guichets[0].colour La propriété « colour » n'existe pas.",
    ]);
    assert.deepEqual(problemsOf(one('"senders": ["a@b.fr"], "senders": ["c@d.fr"]')), [
      "2:58 guichets[0].senders La propriété « senders » est écrite deux fois.",
    ]);
    assert.match(problemsOf('{ "guichet": [] }')[0] ?? "", /« guichets » manque/);
  });

  it("tells a store that no setting names, where it is written, and the one that was meant", () => {
    const text = one(`"smtpUser": "oph",\n  "store": "nrod"`);
    const reading = parseGuichets(text, "/etc/passerelle", ["nord", "sud"]);
    assert.equal(reading.kind, "invalid");
    assert.deepEqual(reading.problems, [
      {
        line: 3,
        column: 12,
        path: "guichets[0].store",
        message:
          "Aucune base n'est nommée « nrod » (bases : default, nord, sud) ; vouliez-vous dire « nord » ?",
      },
    ]);
    assert.match(problemsOf(text)[0] ?? "", /GATEWAY_STORE_PARTITIONS n'en nomme aucune/);
    const named = (store: string): string | undefined => {
      const found = parseGuichets(text.replace("nrod", store), "/etc/passerelle", ["nord"]);
      assert.equal(found.kind, "read");
      return found.guichets.all[0]?.store;
    };
    assert.equal(named("nord"), "nord");
    assert.equal(named("default"), undefined);
  });

  it("tells all the mistakes at once, in the order of the file", () => {
    const found = problemsOf(`{ "guichets": [
{ "code": "123456", "name": " " },
{ "code": 75, "senders": "a@b.fr", "language": "de" },
{ "name": "C", "senders": ["pas une adresse", "*@b.fr", "*", "A@B.fr", "a@b.fr"], "returnBy": "pigeon" },
[]
] }`);
    assert.deepEqual(
      found.map((problem) => problem.replace(/ .*/, "")),
      [
        "2:1",
        "2:11",
        "2:29",
        "3:1",
        "3:11",
        "3:26",
        "3:48",
        "4:1",
        "4:28",
        "4:57",
        "4:72",
        "4:95",
        "5:1",
      ],
      found.join("\n"),
    );
  });

  it("tells a code or a key given twice, but never shows a key", () => {
    const found = problemsOf(`{ "guichets": [
{ "code": "75a01", "name": "A", "apiKeySha256": "${DIGEST}" },
{ "code": "75A01", "name": "B", "apiKeySha256": "${DIGEST.toUpperCase()}" },
{ "code": "75A02", "name": "C", "apiKeySha256": "motdepasse" }
] }`);
    assert.deepEqual(
      found.map((problem) => problem.split(" ", 2).join(" ")),
      ["3:11 guichets[1].code", "3:49 guichets[1].apiKeySha256", "4:49 guichets[2].apiKeySha256"],
    );
    assert.ok(!found.join().includes("motdepasse"));
    assert.ok(!found.join().includes(DIGEST));
  });

  it("tells what the chosen return channel lacks", () => {
    assert.match(
      problemsOf(one('"returnBy": "mail", "smtpUser": "x"'))[0] ?? "",
      /demande returnMail, ou des senders/,
    );
    assert.match(
      problemsOf(one('"returnBy": "file", "senders": ["a@b.fr"]'))[0] ?? "",
      /demande folders/,
    );
    assert.match(
      problemsOf(one('"returnBy": "rest", "senders": ["a@b.fr"]'))[0] ?? "",
      /demande apiKeySha256/,
    );
    assert.match(problemsOf(one('"language": "fr"'))[0] ?? "", /ne peut rien envoyer/);
  });

  it("tells a drop folder that is also, is inside, or holds another folder", () => {
    const folders = (drop: string, back: string) =>
      `"folders": { "drop": "${drop}", "return": "${back}" }`;
    assert.match(problemsOf(one(folders("a", "a")))[0] ?? "", /est aussi le dossier de dépôt/);
    assert.match(
      problemsOf(one(folders("a", "a/retour")))[0] ?? "",
      /est dans le dossier de dépôt/,
    );
    const two = (first: string, second: string) => `{ "guichets": [
{ "code": "A", "name": "A", ${first} },
{ "code": "B", "name": "B", ${second} }
] }`;
    assert.match(
      problemsOf(two(folders("x/a", "r"), folders("./x/./a/", "r")))[0] ?? "",
      /^3:50 .* est aussi .* « A »/,
    );
    assert.match(
      problemsOf(two(folders("x/a", "r"), folders("x", "s")))[0] ?? "",
      /contient le dossier de dépôt/,
    );
    assert.match(
      problemsOf(two(folders("a", "r"), folders("r/b", "s")))[0] ?? "",
      /est dans le dossier de retour/,
    );
    assert.match(problemsOf(one('"folders": { "drop": "a" }'))[0] ?? "", /« return » manque/);
    const shared = parseGuichets(two(folders("a", "r"), folders("ab", "r")), "/x");
    assert.equal(shared.kind, "read", "a return folder may be shared");
  });

  it("knows a drop folder again under another name", () => {
    const base = mkdtempSync(join(tmpdir(), "guichets-"));
    try {
      mkdirSync(join(base, "real"));
      symlinkSync("real", join(base, "link"));
      const text = `{ "guichets": [
{ "code": "A", "name": "A", "folders": { "drop": "real/in", "return": "r" } },
{ "code": "B", "name": "B", "folders": { "drop": "link/in", "return": "r" } } ] }`;
      const reading = parseGuichets(text, base);
      assert.equal(reading.kind, "invalid");
      assert.match(reading.problems[0]?.message ?? "", /est aussi/);
    } finally {
      rmSync(base, { recursive: true });
    }
  });
});
