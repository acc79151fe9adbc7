/** What the command line writes: tables, spans, French of usage errors, nothing forged by content. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { reportBilan } from "../../src/adapters/cli/bilan-report.ts";
import { reportFlux, reportFluxes, reportJournal } from "../../src/adapters/cli/flux-report.ts";
import { makeReadable, readableSize, readableSpan } from "../../src/adapters/cli/readable.ts";
import { readBilanView, readFluxView, readJournalView } from "../../src/adapters/cli/read-views.ts";
import { failureLines, failureView } from "../../src/adapters/cli/tell-failure.ts";
import { makeTerminal, type Terminal } from "../../src/adapters/cli/terminal.ts";
import { layTable, visibleWidth } from "../../src/adapters/cli/text-table.ts";

const ESCAPE = "\u001b";

function terminalOf(
  options: { isTTY?: boolean; columns?: number; env?: Record<string, string> } = {},
): { terminal: Terminal; written: () => string; stdout: PassThrough } {
  const stdout = Object.assign(new PassThrough(), {
    isTTY: options.isTTY ?? false,
    columns: options.columns ?? 80,
  });
  const chunks: string[] = [];
  stdout.on("data", (chunk: Buffer) => chunks.push(chunk.toString("utf8")));
  const terminal = makeTerminal({ stdout, stderr: new PassThrough(), env: options.env ?? {} });
  return { terminal, written: () => chunks.join(""), stdout };
}

const FLUX = {
  id: "01JZ0000000000000000000000",
  state: "kept",
  stateLabel: "Gardé, en attente de transmission au SNE",
  channel: "mail",
  fileName: "DEMG3501-202601150930-000001.xml",
  guichet: "G3501",
  kind: "CRE",
  sha256: "a".repeat(64),
  size: 4096,
  receivedAt: "2026-01-15T08:30:00.000Z",
  since: "2026-01-15T08:30:00.000Z",
  attempts: 1,
  repeats: 0,
  waiting: {
    code: "sneSuspended",
    text: "Le SNE ne répond pas.",
    until: "2026-01-15T08:31:00.000Z",
  },
};

describe("the text of the command line", () => {
  const readable = makeReadable("Europe/Paris");

  it("shows a bilan whose columns add up before the eyes", () => {
    const bilan = readBilanView({
      received: 57,
      acknowledged: 40,
      open: 15,
      failed: 1,
      discarded: 1,
      difference: 0,
      balanced: true,
      byState: { kept: 14, inDoubt: 1 },
      repeats: 2,
      acquittementsOwed: 0,
    });
    assert.ok(bilan !== undefined);
    const text = reportBilan(bilan, terminalOf().terminal, 0).join("\n");
    const numbers = [...text.matchAll(/^ +[ +=] [a-zçéûê ]+ +(\d+)/gmu)].map(([, n]) => Number(n));
    assert.deepEqual(numbers, [40, 15, 1, 1, 57, 57, 0]);
    assert.match(text, /14 gardés, 1 en doute/);
    assert.match(text, /équilibré/);
  });

  it("says that a bilan is not balanced", () => {
    const bilan = readBilanView({
      received: 3,
      acknowledged: 1,
      open: 1,
      failed: 0,
      discarded: 0,
      difference: 1,
      balanced: false,
      byState: {},
    });
    assert.ok(bilan !== undefined);
    assert.match(reportBilan(bilan, terminalOf().terminal, 0).join("\n"), /n'est pas équilibré/);
  });

  it("refuses to read as a bilan what is none", () => {
    assert.equal(readBilanView({ received: 3 }), undefined);
    assert.equal(readBilanView("3"), undefined);
    assert.equal(readBilanView({ received: 3, balanced: "true" }), undefined);
  });

  it("never makes a table wider than its terminal, and never cuts an identifier", () => {
    const flux = readFluxView(FLUX);
    assert.ok(flux !== undefined);
    const { terminal } = terminalOf({ isTTY: true, columns: 100, env: { NO_COLOR: "1" } });
    for (const line of reportFluxes([flux], terminal, readable)) {
      assert.ok(visibleWidth(line) <= 100, `${visibleWidth(line)}: ${line}`);
    }
    assert.ok(reportFluxes([flux], terminal, readable)[1]?.startsWith(FLUX.id));
  });

  it("cuts nothing where no terminal is", () => {
    const long = "x".repeat(500);
    const { terminal } = terminalOf();
    const columns = [{ title: "a" }, { title: "b", shrinkTo: 4 }];
    assert.ok(layTable(columns, [["1", long]], terminal.width)[1]?.includes(long));
  });

  it("says that the content of a flux was erased, and when", () => {
    const { terminal } = terminalOf();
    const report = (fields: object): string => {
      const flux = readFluxView({ ...FLUX, ...fields });
      assert.ok(flux !== undefined);
      return reportFlux(flux, terminal, readable).join("\n");
    };
    assert.match(
      report({ filesErasedAt: "2026-04-15T08:30:00.000Z" }),
      /Contenu +effacé le 15\/04\/2026 10:30/,
    );
    assert.doesNotMatch(report({}), /effacé/);
  });

  it("says what a flux waits for and until when, in the reader's time", () => {
    const flux = readFluxView(FLUX);
    assert.ok(flux !== undefined);
    const text = reportFlux(flux, terminalOf().terminal, readable).join("\n");
    assert.match(text, /Le SNE ne répond pas\. Prochain essai : 15\/01\/2026 09:31:00/);
  });

  it("shows the journal as hops, with the time between them", () => {
    const entries = readJournalView({
      journal: [
        { at: "2026-01-15T08:30:00.000Z", name: "flux.kept", label: "Reçu et gardé", detail: {} },
        {
          at: "2026-01-15T08:30:02.500Z",
          name: "flux.postponed",
          label: "Remise",
          detail: { code: "SNE_UNREACHABLE", ms: 12 },
        },
      ],
    });
    assert.ok(entries !== undefined);
    const text = reportJournal(entries, terminalOf().terminal, readable).join("\n");
    assert.match(
      text,
      /15\/01\/2026 09:30:00 .*\n +09:30:02 +\+2,5 s +Remise +SNE_UNREACHABLE, en 12 ms/,
    );
  });

  it("lets nothing that a sender wrote move the cursor or forge a line", () => {
    const flux = readFluxView({ ...FLUX, fileName: `a${ESCAPE}[2J\nÉtat  Acquitté.xml` });
    assert.ok(flux !== undefined);
    const text = reportFlux(flux, terminalOf().terminal, readable).join("\n");
    assert.ok(!text.includes(ESCAPE));
    assert.ok(!/^État {2}Acquitté/m.test(text));
  });

  it("writes spans and sizes as they are read in French", () => {
    assert.deepEqual([350, 4_250, 59_999, 200_000, 3_600_000, 93_600_000].map(readableSpan), [
      "350 ms",
      "4,2 s",
      "59 s",
      "3 min 20 s",
      "1 h",
      "1 j 2 h",
    ]);
    assert.deepEqual([812, 10_036, 1_258_291].map(readableSize), ["812 o", "9,8 Ko", "1,2 Mo"]);
  });

  it("falls back to Paris when the zone of the machine is not a name", () => {
    assert.equal(makeReadable(":/etc/localtime").hour(Date.UTC(2026, 0, 15, 8, 30)), "09:30:00");
  });

  it("paints for a terminal only, and never when NO_COLOR is set", () => {
    assert.ok(terminalOf({ isTTY: true }).terminal.paint("good", "x").includes(ESCAPE));
    assert.equal(terminalOf().terminal.paint("good", "x"), "x");
    const silenced = terminalOf({ isTTY: true, env: { NO_COLOR: "1" } });
    assert.equal(silenced.terminal.paint("good", "x"), "x");
  });

  it("takes a reader that leaves early for no error, and writes no more", () => {
    const { terminal, stdout, written } = terminalOf();
    terminal.line("première");
    stdout.emit("error", Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    terminal.line("seconde");
    assert.equal(written(), "première\n");
  });

  it("tells a gateway that is not there from one that says no", () => {
    const away = {
      kind: "unreachable",
      url: "http://127.0.0.1:1",
      detail: "connexion refusée",
    } as const;
    assert.equal(failureView(away).exitCode, 3);
    assert.match(failureLines(away).join("\n"), /Aucune passerelle ne répond à .*\n.*npm start/);
  });
});
