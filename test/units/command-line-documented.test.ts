/** `docs/command-line.md` names every command, option and exit code that the program has. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { EXIT } from "../../src/adapters/cli/cli-context.ts";
import { runCli } from "../../src/adapters/cli/run-cli.ts";
import { systemClock } from "../../src/runtime/clock.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/command-line.md"), "utf8");

async function helpOf(...argv: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const code = await runCli({
    argv: [...argv, "--help"],
    env: {},
    stdout,
    stderr: new PassThrough(),
    clock: systemClock(),
    version: "0.0.0",
    commands: {
      serve: () => Promise.resolve(0),
      standin: () => Promise.resolve(0),
      doctor: async function* () {
        // Never asked for here.
      },
      store: {
        copy: () => {
          throw new Error("not asked for here");
        },
        abandon: () => Promise.reject(new Error("not asked for here")),
      },
    },
  });
  assert.equal(code, 0);
  return (stdout.read() as Buffer).toString("utf8");
}

/** The names in the list of commands of a help text. */
function commandsIn(help: string): string[] {
  const [, list = ""] = /Commandes :\n((?: {2,}.*\n)+)/.exec(help) ?? [];
  return [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = ""]) => name);
}

describe("the page on the command line", () => {
  it("names every command, and every option of each", async () => {
    const top = commandsIn(await helpOf());
    const under = commandsIn(await helpOf("flux"));
    const stores = commandsIn(await helpOf("store"));
    assert.ok(
      top.length >= 7 && under.length >= 6 && stores.length >= 1,
      `${top.join()} ${under.join()}`,
    );
    const commands = [
      ...top.filter((name) => name !== "standin").map((name) => [name]),
      ...under.map((name) => ["flux", name]),
      ...stores.map((name) => ["store", name]),
    ];
    const missing: string[] = [];
    for (const command of commands) {
      const name = command.join(" ");
      if (!new RegExp(`\`${name}[ \`]`).test(PAGE)) missing.push(name);
      for (const [option] of (await helpOf(...command)).matchAll(/--[a-z]+/g)) {
        if (option !== "--help" && option !== "--version" && !PAGE.includes(option)) {
          missing.push(`${name} ${option}`);
        }
      }
    }
    assert.deepEqual(
      missing.filter((one) => one !== "flux" && one !== "store"),
      [],
    );
  });

  it("names every exit code", () => {
    for (const code of Object.values(EXIT)) assert.match(PAGE, new RegExp(`^\\| ${code} \\|`, "m"));
  });
});
