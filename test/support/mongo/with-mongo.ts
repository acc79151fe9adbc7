/**
 * Tests that need a MongoDB. Promise: when none can be had, nothing is left out in silence. What was
 * not run, and why, is printed and stands as one pending test; with PASSERELLE_REQUIRE_MONGO=1 (set
 * by `.ci/run`) it is a failure.
 */
import { findMongod } from "./find-mongod.ts";
import type { MongoFound, MongoWanted } from "./find-mongod.ts";

export type MongoAtHand = Exclude<MongoFound, { kind: "none" }>;

/**
 * Awaited at the top of a test file, before mocha knows its tests: a download has its own time limit.
 * @param what - what is not tested without it, in words
 */
export async function withMongo(
  what: string,
  wanted: MongoWanted,
  body: (mongo: MongoAtHand) => void,
): Promise<void> {
  const found = await findMongod(wanted);
  if (found.kind !== "none") {
    body(found);
    return;
  }
  const why = found.tried.join("; ");
  process.stdout.write(`\n  !! NOT RUN, no MongoDB: ${what}\n`);
  for (const way of found.tried) process.stdout.write(`  !!   ${way}\n`);
  process.stdout.write(
    "  !! MONGODB_URI (a replica set) or MONGOMS_SYSTEM_BINARY (a mongod) may name one.\n",
  );
  const isRequired = process.env["PASSERELLE_REQUIRE_MONGO"] === "1";
  describe(what, () => {
    const title = `is not run, no MongoDB: ${why}`;
    if (!isRequired) it(title);
    else {
      it(title, () => {
        throw new Error(`a MongoDB is required here (PASSERELLE_REQUIRE_MONGO): ${why}`);
      });
    }
  });
}
