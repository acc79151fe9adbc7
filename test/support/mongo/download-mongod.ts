/** Has mongodb-memory-server download a mongod, or find the one it had; says `mongod at PATH`. */
import { MongoBinary } from "mongodb-memory-server-core";

try {
  process.stdout.write(`\nmongod at ${await MongoBinary.getPath()}\n`);
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
