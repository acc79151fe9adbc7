/** What the tests on MongoDB stand on: servers that start, fail as told, and leave nothing behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import mongoose from "mongoose";
import { eventually } from "../support/eventually.ts";
import { LONG } from "../support/long-form.ts";
import type { ReplicaNode } from "../support/mongo/replica-node.ts";
import { startReplicaSet } from "../support/mongo/replica-set.ts";
import type { ReplicaSet } from "../support/mongo/replica-set.ts";
import {
  dropDatabase,
  freshDatabaseUri,
  withDatabase,
} from "../support/mongo/shared-replica-set.ts";
import { withMongo } from "../support/mongo/with-mongo.ts";

const { MongoClient } = mongoose.mongo;
type Client = InstanceType<typeof MongoClient>;
/** An election on a busy machine. */
const AT_LENGTH = { withinMs: 60_000 } as const;
const MAJORITY = { writeConcern: { w: "majority", j: true } } as const;

await withMongo("a MongoDB of one node, shared by the tests", { ownProcesses: false }, () => {
  describe("a MongoDB of one node, shared by the tests", function () {
    this.timeout(90_000);

    it("takes a majority write, in a database that is the test's own", async () => {
      const uris = [await freshDatabaseUri(), await freshDatabaseUri()];
      const clients = uris.map((uri) => new MongoClient(uri));
      const [mine, other] = clients.map((client) => client.db().collection<{ _id: number }>("n"));
      try {
        await mine?.insertOne({ _id: 1 }, MAJORITY);
        assert.equal(await mine?.countDocuments(), 1);
        assert.equal(await other?.countDocuments(), 0);
        await dropDatabase(uris[0] ?? "");
        assert.equal(await mine?.countDocuments(), 0);
      } finally {
        await Promise.all(clients.map((client) => client.close()));
      }
    });

    it("keeps what a connection string says of hosts, login and options", () => {
      const name = (uri: string): string => withDatabase(uri, "t");
      assert.equal(name("mongodb://a:1,b:2/?replicaSet=r"), "mongodb://a:1,b:2/t?replicaSet=r");
      assert.equal(name("mongodb://u:p@a:1/admin"), "mongodb://u:p@a:1/t?authSource=admin");
      assert.equal(name("mongodb://a"), "mongodb://a/t");
      assert.throws(() => name("http://a"));
    });
  });
});

await withMongo("a MongoDB of three nodes that fail", { ownProcesses: true }, () => {
  describe("a MongoDB of three nodes that fail", function () {
    this.timeout(120_000);
    let set: ReplicaSet;
    let clients: Client[] = [];
    let lastId = 0;

    before(async () => {
      set = await startReplicaSet({ nodes: 3, throughProxies: true });
    });
    after(() => set.stop());
    afterEach(async () => {
      for (const node of set.nodes) {
        node.proxy?.restore();
        node.thaw();
        await node.start();
      }
      await Promise.all(clients.map((client) => client.close()));
      clients = [];
    });

    function clientNamed(appName: string, serverSelectionTimeoutMS = 60_000): Client {
      const client = new MongoClient(set.uri, { appName, serverSelectionTimeoutMS });
      clients.push(client);
      return client;
    }
    const numbers = (client: Client) => client.db("numbers").collection<{ _id: number }>("n");
    async function write(client: Client): Promise<number> {
      const _id = (lastId += 1);
      await numbers(client).insertOne({ _id }, MAJORITY);
      return _id;
    }
    const has = async (client: Client, _id: number): Promise<boolean> =>
      (await numbers(client).countDocuments({ _id })) === 1;
    async function isSecondary(node: ReplicaNode): Promise<boolean> {
      return (await node.admin({ hello: 1 }))["secondary"] === true;
    }

    it("goes on when its primary is killed, with all it had confirmed", async () => {
      const client = clientNamed("gateway-1");
      const before = await write(client);
      const dead = await set.primary();
      await dead.kill();
      // Again: the driver does not retry by itself a write on a socket that has just been ended.
      const after = await eventually("a majority write", () => write(client), AT_LENGTH);
      assert.ok(await has(client, before));
      assert.ok(await has(client, after));
      assert.notEqual((await set.primary()).port, dead.port);
      await dead.start();
      await eventually("the dead is back as a secondary", () => isSecondary(dead), AT_LENGTH);
    });

    if (LONG) {
      it("elects another when its primary is frozen, and takes it back as a secondary", async () => {
        const frozen = await set.primary();
        frozen.freeze();
        const next = await set.primary();
        assert.notEqual(next.port, frozen.port);
        frozen.thaw();
        await eventually(
          "the thawed knows it is primary no more",
          () => isSecondary(frozen),
          AT_LENGTH,
        );
      });
    }

    it("elects another when its primary steps down", async () => {
      const former = await set.primary();
      await set.stepDown();
      assert.notEqual((await set.primary()).port, former.port);
    });

    it("can be cut from one client while its members, and the others, reach each other", async () => {
      const [cut, other] = [clientNamed("gateway-1", 1_000), clientNamed("gateway-2")];
      await eventually("a majority write", () => write(cut), AT_LENGTH);
      const primary = await set.primary();
      for (const node of set.nodes) node.proxy?.cut({ of: "gateway-1" });
      await write(other);
      await assert.rejects(write(cut));
      await eventually(
        "the members see each other well",
        async () => {
          const { members } = await primary.admin({ replSetGetStatus: 1 });
          return Array.isArray(members) && members.every(({ health }) => health === 1);
        },
        AT_LENGTH,
      );
      const { proxy } = primary;
      assert.ok(proxy !== undefined);
      assert.ok(proxy.parties.includes("members") && !proxy.parties.includes("gateway-1"));
      for (const node of set.nodes) node.proxy?.restore();
      await eventually("it is heard again", () => write(cut), AT_LENGTH);
    });

    it("can do what it is asked while its answer is never heard", async () => {
      const [deaf, other] = [clientNamed("gateway-1"), clientNamed("gateway-2")];
      await write(deaf);
      const { proxy } = await set.primary();
      proxy?.silence({ of: "gateway-1", way: "down" });
      let isAnswered = false;
      const written = write(deaf).then((id) => {
        isAnswered = true;
        return id;
      });
      const asked = lastId;
      await eventually("it is written", () => has(other, asked), AT_LENGTH);
      assert.equal(isAnswered, false);
      proxy?.restore();
      assert.equal(await written, asked);
    });

    it("can be slow for everyone", async () => {
      const client = clientNamed("gateway-1");
      await write(client);
      for (const { proxy } of set.nodes) proxy?.delay({ of: "gateway-1", upMs: 60, downMs: 60 });
      const start = performance.now();
      await write(client);
      assert.ok(performance.now() - start >= 120);
    });
  });

  describe("a MongoDB whose starter is killed", function () {
    this.timeout(90_000);

    it("is killed with it, and its files are erased", async () => {
      const program = join(import.meta.dirname, "../fixtures/mongo-process.ts");
      const starter = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      starter.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const [, pid = "", folder = ""] = await eventually(
        "it runs",
        () => /^pid (\d+) folder (.+)$/m.exec(said),
        AT_LENGTH,
      );
      assert.ok(isAlive(Number(pid)));
      assert.ok(existsSync(folder));
      starter.kill("SIGKILL");
      await eventually("mongod is dead", () => !isAlive(Number(pid)));
      await eventually("its files are erased", () => !existsSync(folder));
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
