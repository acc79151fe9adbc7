/**
 * The program `passerelle`, run as an operator and a script run it, against a real gateway.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDemande } from "../../src/standin/sample-demandes.ts";
import { API_KEY, GUICHET, startWorld, type World } from "../support/world.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "src/main.ts");

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; with `pipe`, its output goes through that shell filter. */
function run(program: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const [file = "", ...args] = program;
  const child = spawn(file, args, {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "Europe/Paris", ...env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  return new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

function passerelle(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Run> {
  return run([process.execPath, MAIN, ...args], env);
}

/** JSON as the program wrote it, or a failure that shows what it wrote. */
// The type is what the test is about to look at; a wrong one fails there.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`not one JSON document: ${text}`, { cause: error });
  }
}

interface FailureJson {
  readonly error: { readonly code: string; readonly message: string; readonly exitCode: number };
}

describe("the command line", function () {
  this.timeout(60_000);
  let world: World;
  const asGuichet = (): Record<string, string> => ({
    PASSERELLE_URL: world.httpUrl,
    PASSERELLE_KEY: API_KEY,
  });
  const asOperator = (): Record<string, string> => ({ PASSERELLE_URL: world.httpUrl });

  function fileOf(name: string, seed: number): string {
    const path = join(world.directory, name);
    writeFileSync(
      path,
      makeDemande({
        typeFichier: "CRE",
        guichet: GUICHET,
        seed,
        dateNaissance: `1970-01-${10 + seed}`,
      }),
    );
    return path;
  }

  before(async () => {
    world = await startWorld();
  });
  after(async () => {
    await world.stop();
  });

  it("deposits a file, waits for its acquittement and shows the numéro unique", async () => {
    const { code, stdout, stderr } = await passerelle(
      ["send", fileOf("un.xml", 1), "--wait", "10"],
      asGuichet(),
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Accepté par le SNE/);
    assert.match(stdout, /Numéro unique : [0-9A-Z]{18}/);
  });

  it("deposits the same file again without a second effect, and says so in JSON", async () => {
    const path = fileOf("deux.xml", 2);
    const first = await passerelle(["send", path, "--wait", "10", "--json"], asGuichet());
    const second = await passerelle(["send", path, "--wait", "10", "--json"], asGuichet());
    type Sent = readonly {
      flux: { id: string; state: string; repeats: number };
      acquittement: object;
    }[];
    const [one] = parse<Sent>(first.stdout);
    const [two] = parse<Sent>(second.stdout);
    assert.equal(two?.flux.id, one?.flux.id);
    assert.equal(two?.flux.state, "acknowledged");
    // The same arrival told again, not a second copy: its key was made from the content.
    assert.equal(two.flux.repeats, 0);
    assert.ok(one?.acquittement !== undefined);
    const bytes = makeDemande({
      typeFichier: "CRE",
      guichet: GUICHET,
      seed: 2,
      dateNaissance: "1970-01-12",
    });
    assert.equal(await world.effectsOf(bytes), 1);
  });

  it("answers 1 when the SNE refuses, with its controls", async () => {
    const path = fileOf("double.xml", 1);
    // The person of the first test, under another reference.
    writeFileSync(
      path,
      makeDemande({
        typeFichier: "CRE",
        guichet: GUICHET,
        seed: 1,
        refInterne: "AUTRE",
        dateNaissance: "1970-01-11",
      }),
    );
    const { code, stdout } = await passerelle(["send", path, "--wait", "10"], asGuichet());
    assert.equal(code, 1);
    assert.match(stdout, /Refusé par le SNE/);
    assert.match(stdout, /CTRL_DEM_D/);
  });

  it("tells a file that cannot be read at once, with its line, and keeps nothing", async () => {
    const path = join(world.directory, "casse.xml");
    writeFileSync(
      path,
      '<?xml version="1.0"?>\n<interfaceNuu xmlns="http://nuu.application.i2/">\n<a>',
    );
    const { code, stderr } = await passerelle(["send", path, "--json"], asGuichet());
    assert.equal(code, 1, stderr);
    const text = await passerelle(["send", path], asGuichet());
    assert.match(text.stderr, /ligne 3/);
  });

  it("asks for a key where one is needed", async () => {
    const { code, stderr } = await passerelle(["send", fileOf("trois.xml", 3)], asOperator());
    assert.equal(code, 1);
    assert.match(stderr, /PASSERELLE_KEY/);
  });

  it("lists and shows fluxes, as text and as one JSON document", async () => {
    const list = await passerelle(
      ["flux", "list", "--state", "acknowledged", "--json"],
      asOperator(),
    );
    assert.equal(list.code, 0, list.stderr);
    const { fluxes } = parse<{ fluxes: readonly { id: string; fileName: string }[] }>(list.stdout);
    assert.ok(fluxes.length >= 2);
    const id = fluxes.at(-1)?.id ?? "";
    const shown = await passerelle(["flux", "show", id], asOperator());
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /Acquitté/);
    assert.match(shown.stdout, /Journal/);
    assert.match(shown.stdout, /\+\d+.*Accepté par le SNE/);
    const json = await passerelle(["flux", "show", id, "--json"], asOperator());
    const { flux, journal } = parse<{ flux: { id: string }; journal: readonly object[] }>(
      json.stdout,
    );
    assert.equal(flux.id, id);
    assert.ok(journal.length >= 4);
    const pages = await passerelle(["flux", "list", "--limit", "1"], asOperator());
    assert.match(pages.stdout, /d'autres suivent/);
  });

  it("settles a doubt: nothing without the number, then acknowledged with it", async () => {
    await world.control({ do: "loseAnswer", times: 1 });
    const sent = await passerelle(["send", fileOf("quatre.xml", 4), "--json"], asGuichet());
    const [one] = parse<readonly { flux: { id: string } }[]>(sent.stdout);
    const id = one?.flux.id ?? "";
    await world.reaches(id, "inDoubt");

    const shown = await passerelle(["flux", "show", id], asOperator());
    assert.match(shown.stdout, /flux resolve .* --as accepted --numero/);
    const missing = await passerelle(["flux", "resolve", id, "--as", "accepted"], asOperator());
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /--numero/);
    const wrong = await passerelle(
      ["flux", "resolve", id, "--as", "accepted", "--numero", "12"],
      asOperator(),
    );
    assert.equal(wrong.code, 2, wrong.stdout);
    assert.match(wrong.stderr, /forme d'un numéro unique/);
    const done = await passerelle(
      ["flux", "resolve", id, "--as", "accepted", "--numero", "035012600000475A01", "--json"],
      { ...asOperator(), PASSERELLE_OPERATOR: "Awa" },
    );
    assert.equal(done.code, 0, done.stderr);
    const [result] = parse<readonly { id: string; ok: boolean; flux: { state: string } }[]>(
      done.stdout,
    );
    assert.deepEqual([result?.id, result?.ok, result?.flux.state], [id, true, "accepted"]);
    const journal = await passerelle(["flux", "show", id], asOperator());
    assert.match(journal.stdout, /par Awa/);
  });

  it("does to each flux what can be done, and answers 1 when one cannot", async () => {
    const [any] = await world.fluxes();
    const { code, stdout } = await passerelle(
      ["flux", "resubmit", any?.id ?? "", "00000000000000000000000000", "--json"],
      asOperator(),
    );
    assert.equal(code, 1);
    const results = parse<readonly { ok: boolean; error: { code: string } }[]>(stdout);
    assert.deepEqual(
      results.map(({ ok, error }) => [ok, error.code]),
      [
        [false, "MOVE_NOT_ALLOWED"],
        [false, "NOT_FOUND"],
      ],
    );
  });

  it("balances, and says so with its exit code", async () => {
    const text = await passerelle(["bilan"], asOperator());
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /équilibré/);
    const json = await passerelle(["bilan", "--json"], asOperator());
    assert.equal(parse<{ balanced: boolean }>(json.stdout).balanced, true);
  });

  it("answers 1 when a bilan does not balance", async () => {
    const server = createServer((_request, response) => {
      response.setHeader("content-type", "application/json");
      const counts = { received: 9, acknowledged: 8, open: 0, failed: 0, discarded: 0 };
      response.end(JSON.stringify({ ...counts, difference: 1, balanced: false, byState: {} }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stdout } = await passerelle(["bilan", "--url", `http://127.0.0.1:${port}`]);
    server.close();
    assert.equal(code, 1);
    assert.match(stdout, /n'est pas équilibré/);
  });

  it("answers 3 when no gateway answers, and when what answers is none", async () => {
    const away = await passerelle(["bilan", "--url", "http://127.0.0.1:1"]);
    assert.equal(away.code, 3);
    assert.match(
      away.stderr,
      /Aucune passerelle ne répond à http:\/\/127\.0\.0\.1:1.*\n.*npm start/,
    );
    const json = await passerelle(["bilan", "--url", "http://127.0.0.1:1", "--json"]);
    assert.equal(parse<FailureJson>(json.stderr).error.code, "GATEWAY_UNREACHABLE");
    assert.equal(json.stdout, "");
    const other = await passerelle(["bilan", "--url", world.standin.controlUrl, "--json"]);
    assert.equal(other.code, 3);
    assert.equal(parse<FailureJson>(other.stderr).error.code, "NOT_A_GATEWAY");
  });

  it("answers 2 to a command line that is not right, with what was meant", async () => {
    const cases: readonly [readonly string[], RegExp][] = [
      [["bilann"], /bilann.*bilan \?/],
      [["flux", "lits"], /list \?/],
      [["flux", "list", "--state", "keptt"], /kept \?/],
      [["flux", "list", "--limti", "3"], /--limit \?/],
      [["flux", "show"], /ID/],
      [["flux", "discard", "x"], /--reason/],
      [["send", join(world.directory, "absent.xml")], /n'existe pas/],
      [["bilan", "--url", "ftp://x"], /pas celle d'une passerelle/],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr, stdout } = await passerelle(args);
      assert.equal(code, 2, `${args.join(" ")}: ${stdout}${stderr}`);
      assert.match(stderr, expected);
    }
    const json = await passerelle(["bilann", "--json"]);
    assert.equal(parse<FailureJson>(json.stderr).error.exitCode, 2);
  });

  it("helps in French, whatever the command", async () => {
    for (const args of [["--help"], ["send", "--help"], ["flux", "resolve", "--help"]]) {
      const { code, stdout } = await passerelle(args);
      assert.equal(code, 0);
      assert.match(stdout, /Utilisation :/);
      assert.doesNotMatch(stdout, /Usage|Options:|Commands|display help/);
    }
  });

  it("masks every secret among the settings", async () => {
    const { code, stdout } = await passerelle(["settings"], {
      GATEWAY_MAIL_URL: "smtp://u:motdepasse@127.0.0.1:25",
      GATEWAY_SMTP_USERS: "a:motdepasse",
    });
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /motdepasse/);
    assert.match(stdout, /GATEWAY_MAIL_URL\s+\*{8}\s+environnement/);
    const json = await passerelle(["settings", "--json"], { GATEWAY_SMTP_USERS: "a:motdepasse" });
    assert.doesNotMatch(json.stdout, /motdepasse/);
    assert.equal(parse<{ valid: boolean }>(json.stdout).valid, true);
  });

  it("examines an installation: a gateway in service, then one that would not start", async () => {
    const http = new URL(world.httpUrl).port;
    const settings = {
      GATEWAY_GUICHETS: join(world.directory, "guichets.json"),
      GATEWAY_STORE: join(world.directory, "passerelle.db"),
      GATEWAY_HTTP_PORT: http,
      GATEWAY_SMTP_PORT: String(world.smtpPort),
      GATEWAY_SNE_URL: world.standin.url,
      GATEWAY_MAIL_URL: world.mailbox.url,
    };
    const well = await passerelle(["doctor", "--json"], settings);
    const { healthy, checks } = parse<{
      healthy: boolean;
      checks: readonly { id: string; level: string; text: string }[];
    }>(well.stdout);
    const level = (id: string): string | undefined => checks.find((one) => one.id === id)?.level;
    assert.deepEqual(
      ["settings", "guichets", "store", "http", "smtp", "mail", "schemas", "sne"].map(level),
      Array(8).fill("ok"),
      well.stdout,
    );
    assert.equal(well.code, healthy ? 0 : 1);
    const services = checks.filter(({ id }) => id === "sne");
    assert.deepEqual(
      services.map((one) => [one.level, /annonce (\w+)/.exec(one.text)?.[1]]),
      [
        ["ok", "getNumUnique"],
        ["ok", "rechercheDemandeMulticritere"],
        ["ok", "listerTypesEvenementsNationaux"],
      ],
    );
    // The addresses of the two others are often inferred: a wrong one stops nothing.
    const partly = await passerelle(["doctor", "--json"], {
      ...settings,
      GATEWAY_SNE_EVENTS_URL: "http://127.0.0.1:1/",
    });
    assert.equal(partly.code, well.code);
    assert.match(partly.stdout, /"warning".*événements.*connexion refusée/s);

    const ill = await passerelle(["doctor"], {
      ...settings,
      // Held by a program that is no gateway.
      GATEWAY_HTTP_PORT: new URL(world.standin.controlUrl).port,
      GATEWAY_SMTP_PORT: new URL(world.standin.url).port,
      GATEWAY_SNE_URL: "http://127.0.0.1:1/",
      GATEWAY_MAIL_URL: "smtp://127.0.0.1:1",
    });
    assert.equal(ill.code, 1);
    assert.match(ill.stdout, /✗ Le port HTTP .* est pris par un autre programme/);
    assert.match(ill.stdout, /✗ Le port SMTP .* est pris par un autre programme/);
    assert.match(ill.stdout, /✗ SNE .*: connexion refusée/);
    assert.match(ill.stdout, /✗ Le serveur de messagerie/);
    assert.match(ill.stdout, /→ /);

    const misspelt = await passerelle(["doctor"], { GATEWAY_SNE_ULR: "http://x/" });
    assert.equal(misspelt.code, 1);
    assert.match(misspelt.stdout, /GATEWAY_SNE_URL \?/);
  });

  it("takes a reader that leaves early for no error", async () => {
    // `true` has left long before the first line is written.
    const { code, stderr } = await run([
      "bash",
      "-o",
      "pipefail",
      "-c",
      `"${process.execPath}" "${MAIN}" settings | true`,
    ]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
  });

  it("starts from its launcher, whatever Node runs it", async () => {
    const { code, stdout, stderr } = await run([join(ROOT, "bin/passerelle.mjs"), "--version"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^\d+\.\d+\.\d+$/m);
  });
});
