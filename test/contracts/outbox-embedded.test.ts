/** The outbox contract on the embedded store, and what is promised of that store alone. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import { outboxContract } from "./outbox-contract.ts";

outboxContract("embedded", async () => {
  const folder = await mkdtemp(join(tmpdir(), "passerelle-outbox-"));
  return {
    open: () => openSqliteOutbox({ path: join(folder, "gateway.db") }),
    remove: () => rm(folder, { recursive: true }),
  };
});
