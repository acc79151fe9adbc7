/**
 * Reference for intake: smtp-server that keeps whole mails with grouped commits, and checks nothing.
 * One table, one row per mail, `synchronous=FULL`, a worker thread that commits what has queued: what
 * durability alone costs with the same packages.
 */
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import { SMTPServer } from "smtp-server";

const { path } = JSON.parse(process.argv[2] ?? "{}") as { path: string };
const worker = new Worker(new URL("./bare-intake-worker.ts", import.meta.url), {
  workerData: path,
  name: "bare-store",
});
const waiting = new Map<number, () => void>();
let lastId = 0;
worker.on("message", (ids: readonly number[]) => {
  for (const id of ids) {
    waiting.get(id)?.();
    waiting.delete(id);
  }
});

function keep(raw: Buffer): Promise<void> {
  return new Promise((resolve) => {
    lastId += 1;
    waiting.set(lastId, resolve);
    const bytes = new Uint8Array(raw);
    worker.postMessage({ id: lastId, bytes }, [bytes.buffer]);
  });
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
      void keep(Buffer.concat(chunks)).then(() => done());
    });
  },
});
server.on("error", () => undefined);
server.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.server.address() as AddressInfo).port });
});
process.on("disconnect", () => process.exit(0));
