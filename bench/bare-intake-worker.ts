/** The store of the intake reference: one table, one transaction for whatever has queued. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";

interface Mail {
  readonly id: number;
  readonly bytes: Uint8Array;
}

const port = parentPort;
if (port === null) throw new Error("bare-intake-worker runs as a worker thread");
const db = new DatabaseSync(workerData as string);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
db.exec("CREATE TABLE mail (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, bytes BLOB NOT NULL)");
const insert = db.prepare("INSERT INTO mail (at, bytes) VALUES (?, ?)");
const MAX_GROUP = 500;

let queue: Mail[] = [];
let scheduled = false;

function turn(): void {
  scheduled = false;
  if (port === null) return;
  for (
    let received = receiveMessageOnPort(port);
    received !== undefined;
    received = receiveMessageOnPort(port)
  ) {
    queue.push(received.message as Mail);
  }
  const group = queue.slice(0, MAX_GROUP);
  queue = queue.slice(MAX_GROUP);
  db.exec("BEGIN IMMEDIATE");
  for (const { bytes } of group) insert.run(Date.now(), bytes);
  db.exec("COMMIT");
  port.postMessage(group.map(({ id }) => id));
  if (queue.length > 0) schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(turn);
}

port.on("message", (mail: Mail) => {
  queue.push(mail);
  schedule();
});
