/** The outbox contract on two embedded stores made one: the guichets of Paris in one, others beside. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteOutbox } from "../../src/adapters/sqlite/sqlite-outbox.ts";
import { makePartitionedOutbox } from "../../src/keep/partitioned-outbox.ts";
import { outboxContract } from "./outbox-contract.ts";

outboxContract("partitioned", async () => {
  const folder = await mkdtemp(join(tmpdir(), "passerelle-partitions-"));
  return {
    open: async () =>
      makePartitionedOutbox({
        partitions: [
          { name: "nord", outbox: await openSqliteOutbox({ path: join(folder, "nord.db") }) },
          { name: "sud", outbox: await openSqliteOutbox({ path: join(folder, "sud.db") }) },
        ],
        // A stranger of these tests names nobody: it is kept where 75001 lives, so that its place in
        // the lanes of 75001 can be told; released to 69002, it has to be brought to the other.
        byGuichet: (guichet) => (guichet.startsWith("75") ? "nord" : "sud"),
        default: "nord",
        guichets: ["75001", "69002"],
      }),
    remove: () => rm(folder, { recursive: true }),
  };
});
