/**
 * A gateway's drop folders alone, in a process of their own, to be killed at any moment: what is
 * received is written to a journal and put on disk before `receive` resolves, as the outbox does.
 *
 * Usage: node drop-folder-process.ts FOLDER JOURNAL OWNER
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { makeDropFolders } from "../../src/adapters/folder/drop-folder.ts";
import { indexGuichets } from "../../src/domain/guichet.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { makeEventBus } from "../../src/runtime/event-bus.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";

const [folder = "", journal = "", owner = ""] = process.argv.slice(2);
const clock = systemClock();
const log = SILENT_LOG;
const handle = openSync(journal, "a");

const part = makeDropFolders({
  guichets: indexGuichets([
    {
      code: "75A01",
      name: "OPH",
      senders: [],
      folders: { drop: folder, return: `${folder}.retour` },
      returnBy: "same",
      language: "fr",
    },
  ]),
  receive: async ({ files, arrivalKey }) => {
    const [file] = files;
    const digest = createHash("sha256")
      .update(file?.bytes ?? "")
      .digest("hex");
    // Others may be killed between the write and its resolution, as between commit and answer.
    writeSync(handle, `${arrivalKey ?? ""} ${digest}\n`);
    fsyncSync(handle);
    await clock.wait(1);
    return [];
  },
  owner,
  settleMs: 5,
  pollMs: 20,
  maxBytes: 1_000_000,
  clock,
  chance: systemChance(),
  events: makeEventBus({ clock, log }),
  log,
});

process.on("SIGTERM", () => {
  void part.stop().then(() => {
    closeSync(handle);
    process.exit(0);
  });
});
await part.start();
process.stdout.write("ready\n");
