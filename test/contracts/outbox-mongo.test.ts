/** The outbox contract on MongoDB: a database of its own for each test, on one real server. */
import { openMongoOutbox } from "../../src/adapters/mongo/mongo-outbox.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import { dropDatabase, freshDatabaseUri } from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";
import { outboxContract } from "./outbox-contract.ts";

await withMongo("the outbox contract on MongoDB", { ownProcesses: false }, () => {
  outboxContract("mongo", async () => {
    const uri = await freshDatabaseUri();
    return {
      open: () =>
        openMongoOutbox({
          uri,
          owner: "gateway-1",
          clock: systemClock(),
          chance: systemChance(),
          log: SILENT_LOG,
        }),
      remove: () => dropDatabase(uri),
    };
  });
});
