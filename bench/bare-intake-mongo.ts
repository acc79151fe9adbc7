/**
 * Reference for intake on MongoDB: smtp-server that keeps whole mails with grouped `insertMany`, on
 * the disk of a majority, and checks nothing: what durability alone costs with the same packages.
 */
import type { AddressInfo } from "node:net";
import mongoose from "mongoose";
import { SMTPServer } from "smtp-server";

const { uri } = JSON.parse(process.argv[2] ?? "{}") as { uri: string };
const writeConcern = { w: "majority", journal: true } as const;
const connection = await mongoose.createConnection(uri, { writeConcern }).asPromise();
const mails = connection.collection("mails");
const MAX_GROUP = 500;
/** Groups under way at once: one is written while the other waits for the disk. */
const AT_ONCE = 2;

let queue: { readonly bytes: Buffer; readonly done: () => void }[] = [];
let underWay = 0;

async function write(): Promise<void> {
  underWay += 1;
  await new Promise(setImmediate);
  while (queue.length > 0) {
    const group = queue.slice(0, MAX_GROUP);
    queue = queue.slice(MAX_GROUP);
    await mails.insertMany(
      group.map(({ bytes }) => ({ at: Date.now(), bytes })),
      { ordered: false },
    );
    for (const { done } of group) done();
  }
  underWay -= 1;
}

const server = new SMTPServer({
  disableReverseLookup: true,
  authOptional: true,
  disabledCommands: ["STARTTLS", "AUTH"],
  logger: false,
  onData: (stream, _session, done) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      queue.push({ bytes: Buffer.concat(chunks), done: () => done() });
      if (underWay < AT_ONCE) void write();
    });
  },
});
server.on("error", () => undefined);
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
