/** The outbox contract on MongoDB: one real server and one database, emptied between two tests. */
import { connect, type MongoDatabase } from "../../src/adapters/mongo/connect.ts";
import { openMongoOutbox } from "../../src/adapters/mongo/mongo-outbox.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { dropDatabase, freshDatabaseUri } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { outboxContract } from "./outbox-contract.ts";

await withMongo("the outbox contract on MongoDB", { ownProcesses: false }, () => {
  // Its own hooks come before those of the run, which stop the server.
  describe("MongoDB", () => {
    let uri: string;
    let database: MongoDatabase | undefined;

    outboxContract("mongo", async () => {
      // Making and dropping twenty indexes for each test would take longer than the tests.
      database ??= await connect((uri = await freshDatabaseUri()));
      const { db } = database;
      const clock = systemClock();
      return {
        open: () =>
          openMongoOutbox({
            ...{ uri, owner: "gateway-1", clock, chance: systemChance(), log: SILENT_LOG },
          }),
        remove: async () => {
          for (const collection of await db.collections()) await collection.deleteMany({});
        },
      };
    });

    after(async () => {
      if (database === undefined) return;
      await database.close();
      await dropDatabase(uri);
    });
  });
});
