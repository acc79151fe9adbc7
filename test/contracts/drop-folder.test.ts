/**
 * The promises of drop folders, on real folders: half-written files wait, one gateway takes each
 * file, a file leaves only once it is kept, and nothing that lies there stops the rest.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { makeDropFolders, type DropFolderOptions } from "../../src/adapters/folder/drop-folder.ts";
import type { Arrival, Receive, Reception } from "../../src/arrive/arrival.ts";
import { gatewayError } from "../../src/domain/errors.ts";
import type { GatewayEvent } from "../../src/domain/events.ts";
import { indexGuichets } from "../../src/domain/guichet.ts";
import { systemChance, systemClock } from "../../src/runtime/clock.ts";
import { makeEventBus } from "../../src/runtime/event-bus.ts";
import { SILENT_LOG } from "../../src/runtime/log.ts";
import type { Part } from "../../src/runtime/part.ts";
import { eventually } from "../support/eventually.ts";

const CODE = "75A01";
const PROGRAM = fileURLToPath(new URL("../support/drop-folder-process.ts", import.meta.url));

describe("drop folders", () => {
  let base: string;
  let drop: string;
  let parts: Part[];
  let arrivals: Arrival[];
  let told: GatewayEvent[];
  /** What `receive` does before it resolves; replaced by tests. */
  let receiving: (arrival: Arrival) => Promise<readonly Reception[]>;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "depot-"));
    drop = join(base, "depot");
    mkdirSync(drop);
    parts = [];
    arrivals = [];
    told = [];
    receiving = () => Promise.resolve([]);
  });
  afterEach(async () => {
    await Promise.all(parts.map((part) => part.stop()));
    rmSync(base, { recursive: true, force: true });
  });

  const receive: Receive = async (arrival) => {
    const receptions = await receiving(arrival);
    arrivals.push(arrival);
    return receptions;
  };

  async function gateway(options: Partial<DropFolderOptions> = {}): Promise<Part> {
    const clock = systemClock();
    const events = makeEventBus({ clock, log: SILENT_LOG });
    events.listen((event) => told.push(event));
    const part = makeDropFolders({
      guichets: indexGuichets([
        {
          code: CODE,
          name: "OPH",
          senders: [],
          folders: { drop, return: join(base, "retour") },
          returnBy: "same",
          language: "fr",
        },
      ]),
      receive,
      owner: "passerelle",
      settleMs: 30,
      pollMs: 20,
      maxBytes: 100_000,
      backoff: { firstMs: 40, maxMs: 200 },
      clock,
      chance: systemChance(),
      events,
      log: SILENT_LOG,
      ...options,
    });
    parts.push(part);
    await part.start();
    return part;
  }

  const put = (name: string | Buffer, content: string | Buffer = "<a/>") =>
    writeFileSync(inDrop(name), content);
  const inDrop = (name: string | Buffer) =>
    typeof name === "string"
      ? join(drop, name)
      : Buffer.concat([Buffer.from(drop), Buffer.from("/"), name]);
  const textOf = (arrival: Arrival | undefined) =>
    Buffer.from(arrival?.files[0]?.bytes ?? new Uint8Array()).toString("utf8");
  const nameOf = (arrival: Arrival | undefined) => arrival?.files[0]?.name;
  const visible = () => readdirSync(drop).filter((name) => name !== ".passerelle");
  const claimed = () => {
    const room = join(drop, ".passerelle/en-cours");
    return existsSync(room)
      ? readdirSync(room).flatMap((claim) => readdirSync(join(room, claim)))
      : [];
  };
  const received = (count: number) =>
    eventually(`${count} arrivals`, () => arrivals.length >= count);
  const codes = () => told.map(({ detail }) => detail.code);
  /** Drops a file after the others and waits for it: what was there before had its chance. */
  async function andAnother(): Promise<void> {
    put("zz-another.xml");
    await eventually("the other file received", () =>
      arrivals.some((arrival) => nameOf(arrival) === "zz-another.xml"),
    );
  }

  describe("taking a file", () => {
    it("hands it over with its name, its bytes and its way back, then removes it", async () => {
      await gateway();
      put("DEM75A01-202601150930-000001.xml", "<demande>é</demande>");
      await received(1);
      const [arrival] = arrivals;
      assert.equal(textOf(arrival), "<demande>é</demande>");
      assert.equal(arrival?.channel, "file");
      assert.deepEqual(
        arrival.sender.map(({ code }) => code),
        [CODE],
      );
      assert.match(arrival.arrivalKey ?? "", /^file:75A01:[0-9a-z]+-[0-9a-f]{16}:[0-9a-f]{16}$/);
      assert.equal(arrival.origin.from, drop);
      const [file] = arrival.files;
      assert.ok(file);
      assert.deepEqual(arrival.returnTo(file, undefined), {
        channel: "file",
        guichet: CODE,
        fileName: "DEM75A01-202601150930-000001.xml",
      });
      await eventually("the folder empty", () => visible().length + claimed().length === 0);
    });

    it("keeps the file on disk until the receiver has kept it", async () => {
      let keep = () => {};
      let asked = false;
      receiving = async () => {
        asked = true;
        await new Promise<void>((resolve) => (keep = resolve));
        return [];
      };
      await gateway();
      put("a.xml");
      await eventually("receive called", () => asked);
      assert.deepEqual([...visible(), ...claimed()], ["a.xml"]);
      keep();
      await eventually("the file gone", () => visible().length + claimed().length === 0);
    });

    it("takes a later file of the same name and content as another arrival", async () => {
      await gateway();
      put("a.xml");
      await received(1);
      put("a.xml");
      await received(2);
      assert.notEqual(arrivals[0]?.arrivalKey, arrivals[1]?.arrivalKey);
    });

    it("takes files in the order they were written, names telling equal dates apart", async () => {
      const dated = (name: string, seconds: number) => {
        put(name, name);
        utimesSync(join(drop, name), seconds, seconds);
      };
      dated("b.xml", 2_000_000);
      dated("c.xml", 1_000_000);
      dated("a2.xml", 3_000_000);
      dated("a1.xml", 3_000_000);
      await gateway();
      await received(4);
      assert.deepEqual(arrivals.map(textOf), ["c.xml", "b.xml", "a1.xml", "a2.xml"]);
    });

    it("takes a file dated 1970 or next century", async () => {
      put("old.xml");
      utimesSync(join(drop, "old.xml"), 0, 0);
      put("future.xml");
      utimesSync(join(drop, "future.xml"), 4_100_000_000, 4_100_000_000);
      await gateway();
      await received(2);
    });

    it("takes a file whatever its name is made of", async () => {
      const odd = [
        Buffer.from([0x64, 0xe9, 0x70, 0xf4, 0x74, 0x2e, 0x78, 0x6d, 0x6c]), // dépôt.xml in latin-1
        Buffer.from("retour\nà la ligne.xml"),
        Buffer.from("-rf *.xml"),
        Buffer.from("n".repeat(251) + ".xml"),
        Buffer.from("sans extension"),
        Buffer.from("__proto__"),
      ];
      for (const [index, name] of odd.entries()) put(name, String(index));
      await gateway();
      await received(odd.length);
      assert.deepEqual(arrivals.map(textOf).sort(), ["0", "1", "2", "3", "4", "5"]);
      assert.ok(arrivals.some((arrival) => nameOf(arrival) === "dépôt.xml"));
      await eventually("the folder empty", () => visible().length + claimed().length === 0);
    });

    it("makes the folder when it is missing", async () => {
      rmSync(drop, { recursive: true });
      await gateway();
      put("a.xml");
      await received(1);
    });
  });

  describe("a file that is not ready", () => {
    it("waits for a slow copy to end, and takes the whole of it once", async () => {
      await gateway({ settleMs: 1_000 });
      put("slow.xml", "");
      for (let i = 0; i < 12; i += 1) {
        appendFileSync(join(drop, "slow.xml"), `<part n="${i}"/>`);
        await sleep(25);
      }
      await received(1);
      await andAnother();
      const slow = arrivals.filter((arrival) => nameOf(arrival) === "slow.xml");
      assert.equal(slow.length, 1);
      assert.match(textOf(slow[0]), /^<part n="0"\/>.*<part n="11"\/>$/);
    });

    it("leaves a temporary name alone until its writer has renamed it", async () => {
      await gateway({ settleMs: 0 });
      const temporary = ["a.xml.tmp", "a.XML.PART", "a.filepart", ".a.xml", "~a.xml", "a.xml~"];
      for (const name of temporary) put(name);
      await andAnother();
      assert.deepEqual(visible().sort(), [...temporary].sort());
      renameSync(join(drop, "a.xml.tmp"), join(drop, "a.xml"));
      await received(2);
      assert.equal(nameOf(arrivals[1]), "a.xml");
    });

    it("forgets a file that goes away before it settled", async () => {
      await gateway({ settleMs: 1_000 });
      put("a.xml");
      await sleep(30);
      rmSync(join(drop, "a.xml"));
      await andAnother();
      assert.equal(arrivals.length, 1);
      assert.deepEqual(told, []);
    });

    it("gives a file back when its writer went on after it had settled", async () => {
      // Changed between the look and the reading: the receiver never sees the half of it.
      let first = true;
      receiving = (arrival) => {
        if (first && nameOf(arrival) === "0.xml") {
          first = false;
          const [claim] = readdirSync(join(drop, ".passerelle/en-cours"));
          appendFileSync(join(drop, ".passerelle/en-cours", claim ?? "", "1.xml"), "<b/>");
        }
        return Promise.resolve([]);
      };
      for (const name of ["0.xml", "1.xml"]) {
        put(name);
        utimesSync(join(drop, name), 1, 1);
      }
      await gateway();
      await received(2);
      assert.deepEqual(arrivals.map(textOf), ["<a/>", "<a/><b/>"]);
    });
  });

  describe("a file that cannot be taken", () => {
    it("is given back while the store is full, told once, then taken, in order", async () => {
      let full = true;
      const tries: number[] = [];
      receiving = () => {
        if (!full) return Promise.resolve([]);
        tries.push(performance.now());
        return Promise.reject(gatewayError("STORE_FULL"));
      };
      for (const [index, name] of ["a.xml", "b.xml", "c.xml"].entries()) {
        put(name, name);
        utimesSync(join(drop, name), index + 1, index + 1);
      }
      await gateway({ backoff: { firstMs: 100, maxMs: 400 } });
      await eventually("four tries", () => tries.length >= 4);
      await eventually("all three files in their place", () => visible().length === 3);
      assert.deepEqual(codes(), ["STORE_FULL"]);
      full = false;
      await received(3);
      assert.deepEqual(arrivals.map(textOf), ["a.xml", "b.xml", "c.xml"]);
      // 100, 200 and 400 ms, each at least by half.
      const [first = 0, , , fourth = 0] = tries;
      assert.ok(fourth - first >= 350, `four tries within ${fourth - first} ms`);
    });

    it("does not keep the others from being taken when it alone is refused a place", async () => {
      receiving = (arrival) =>
        textOf(arrival) === "poison" ? Promise.reject(new Error("surprise")) : Promise.resolve([]);
      put("a.xml", "poison");
      utimesSync(join(drop, "a.xml"), 1, 1);
      put("b.xml", "good");
      await gateway();
      await received(1);
      await eventually("the file in its place", () => visible().includes("a.xml"));
      assert.deepEqual(codes(), ["INTERNAL_ERROR"]);
    });

    it("is not given back over a newer file of the same name: both are received", async () => {
      let turnedAway = false;
      receiving = (arrival) => {
        if (turnedAway) return Promise.resolve([]);
        turnedAway = true;
        assert.equal(textOf(arrival), "first");
        put("a.xml", "second");
        return Promise.reject(gatewayError("STORE_UNAVAILABLE"));
      };
      put("a.xml", "first");
      await gateway();
      await received(2);
      assert.deepEqual(arrivals.map(textOf).sort(), ["first", "second"]);
      await eventually("the folder empty", () => visible().length + claimed().length === 0);
    });

    it("comes again as another arrival when its claim was received with other bytes", async () => {
      const keys: (string | undefined)[] = [];
      receiving = ({ arrivalKey }) => {
        keys.push(arrivalKey);
        const conflict: Reception = {
          kind: "keyConflict",
          first: {
            id: "01",
            state: "kept",
            channel: "file",
            fileName: "a.xml",
            sha256: "",
            size: 0,
            origin: { from: "" },
            receivedAt: 0,
            since: 0,
            attempts: 0,
            repeats: 0,
          },
        };
        return Promise.resolve(keys.length === 1 ? [conflict] : []);
      };
      put("a.xml");
      await gateway();
      await received(2);
      assert.notEqual(keys[0], keys[1]);
    });

    it("is refused to its sender when too large, and waits aside", async () => {
      await gateway({ maxBytes: 10 });
      put("big.xml", "x".repeat(11));
      await received(1);
      const [arrival] = arrivals;
      assert.equal(arrival?.unreadable?.code, "FILE_TOO_LARGE");
      assert.match(arrival.unreadable.message, /10 octets/);
      assert.deepEqual([nameOf(arrival), textOf(arrival)], ["big.xml", ""]);
      const aside = join(drop, ".passerelle/refuses");
      const set = await eventually("the file aside", () => {
        const [claim] = existsSync(aside) ? readdirSync(aside) : [];
        return claim !== undefined && readFileSync(join(aside, claim, "big.xml"), "utf8");
      });
      assert.equal(set.length, 11);
      assert.deepEqual(visible(), []);
    });

    it("is received when empty, later than others: its writer may only have begun", async () => {
      put("empty.xml", "");
      await gateway();
      await received(1);
      assert.deepEqual([nameOf(arrivals[0]), textOf(arrivals[0])], ["empty.xml", ""]);
      assert.equal(arrivals[0]?.unreadable, undefined);
    });

    it("stays, and is told once, when it may not be read; and is taken once it may", async () => {
      // The superuser reads everything: for the time of this test, be nobody.
      const root = process.geteuid?.() === 0;
      if (root) {
        chownSync(drop, 65534, 65534);
        chmodSync(base, 0o755);
        process.seteuid?.(65534);
      }
      try {
        put("closed.xml");
        chmodSync(join(drop, "closed.xml"), 0o000);
        await gateway();
        await andAnother();
        put("zz-more.xml");
        await received(2);
        assert.deepEqual(codes(), ["FILE_UNREADABLE"]);
        assert.deepEqual(visible(), ["closed.xml"]);
        chmodSync(join(drop, "closed.xml"), 0o600);
        await received(3);
      } finally {
        await Promise.all(parts.map((part) => part.stop()));
        if (root) process.seteuid?.(0);
      }
    });

    it("is never followed nor opened when it is no file", async () => {
      const outside = join(base, "outside.xml");
      writeFileSync(outside, "secret");
      symlinkSync(outside, join(drop, "link.xml"));
      symlinkSync("nowhere", join(drop, "broken.xml"));
      mkdirSync(join(drop, "folder.xml"));
      writeFileSync(join(drop, "folder.xml/inside.xml"), "<a/>");
      execFileSync("mkfifo", [join(drop, "pipe.xml")]);
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(drop, "socket.xml"), resolve));
      try {
        await gateway();
        await andAnother();
        assert.equal(arrivals.length, 1);
        assert.deepEqual(visible().sort(), [
          "broken.xml",
          "folder.xml",
          "link.xml",
          "pipe.xml",
          "socket.xml",
        ]);
        assert.equal(readFileSync(outside, "utf8"), "secret");
        put("zz-more.xml");
        await received(2);
        assert.deepEqual(codes().sort(), [
          "FOLDER_INSIDE",
          "NOT_A_FILE",
          "NOT_A_FILE",
          "SYMBOLIC_LINK",
          "SYMBOLIC_LINK",
        ]);
      } finally {
        server.close();
      }
    });

    it("tells once that a folder is out of reach, and takes up again when it is back", async () => {
      await gateway({ staleMs: 60 });
      renameSync(drop, `${drop}.away`);
      await eventually("the folder told", () => codes().includes("FOLDER_OUT_OF_REACH"));
      await sleep(60);
      assert.equal(codes().length, 1);
      assert.ok(!existsSync(drop), "a share that is away is not replaced by an empty folder");
      renameSync(`${drop}.away`, drop);
      await andAnother();
    });
  });

  describe("stopping and starting", () => {
    it("waits for the file in hand and gives the others back", async () => {
      let keep = () => {};
      let asked = 0;
      receiving = async () => {
        asked += 1;
        await new Promise<void>((resolve) => (keep = resolve));
        return [];
      };
      for (const name of ["a.xml", "b.xml", "c.xml"]) put(name);
      const part = await gateway();
      await eventually("the first in hand", () => asked === 1);
      let stopped = false;
      const stopping = part.stop().then(() => (stopped = true));
      await sleep(30);
      assert.equal(stopped, false);
      keep();
      await stopping;
      assert.equal(arrivals.length, 1);
      assert.equal(visible().length, 2);
      assert.deepEqual(claimed(), []);
      await part.stop();
    });

    it("resumes what a dead gateway had claimed, as the same arrival", async () => {
      claimBy("dead-1234", "3x-0123456789abcdef", "a.xml");
      await gateway();
      await received(1);
      assert.match(arrivals[0]?.arrivalKey ?? "", /^file:75A01:3x-0123456789abcdef:/);
      const [before] = arrivals;
      claimBy("dead-5678", "3x-0123456789abcdef", "a.xml");
      await received(2);
      assert.equal(arrivals[1]?.arrivalKey, before?.arrivalKey);
      await eventually("nothing claimed", () => claimed().length === 0);
    });

    it("leaves alone what another machine's gateway claimed, until it gives no sign of life", async () => {
      const sign = lifeSign("far-1234", { place: "elsewhere", pid: 1, started: "1" });
      claimBy("far-1234", "3x-0123456789abcdef", "a.xml");
      await gateway({ staleMs: 60_000 });
      await andAnother();
      await eventually("only what the other claimed is left", () => claimed().join() === "a.xml");
      const longAgo = Date.now() / 1000 - 61;
      utimesSync(sign, longAgo, longAgo);
      await received(2);
      assert.equal(nameOf(arrivals[1]), "a.xml");
    });

    it("finishes giving back a file when a crash interrupted it", async () => {
      put("a.xml");
      claimBy("dead-1234", "3x-0123456789abcdef", "a.xml", () => {
        execFileSync("ln", [
          join(drop, "a.xml"),
          join(drop, ".passerelle/en-cours/3x-0123456789abcdef@dead-1234/a.xml"),
        ]);
      });
      await gateway();
      await received(1);
      await andAnother();
      assert.equal(arrivals.length, 2);
    });

    function claimBy(life: string, id: string, name: string, make?: () => void): void {
      // Built aside and renamed in, as a claim is never seen half made.
      const room = join(drop, ".passerelle/en-cours");
      const claim = join(room, `${id}@${life}`);
      mkdirSync(make === undefined ? join(base, "claim") : claim, { recursive: true });
      if (make !== undefined) {
        make();
        return;
      }
      writeFileSync(join(base, "claim", name), "<a/>");
      mkdirSync(room, { recursive: true });
      renameSync(join(base, "claim"), claim);
    }
    function lifeSign(life: string, where: object): string {
      const path = join(drop, ".passerelle/passerelles", `${life}.vie`);
      mkdirSync(join(drop, ".passerelle/passerelles"), { recursive: true });
      writeFileSync(path, JSON.stringify(where));
      return path;
    }
  });

  it("gives each file to one gateway only, of two on the same folder", async () => {
    const count = 200;
    await Promise.all([gateway({ owner: "un" }), gateway({ owner: "deux" })]);
    for (let i = 0; i < count; i += 1) {
      put(`.${i}.tmp`, String(i));
      renameSync(join(drop, `.${i}.tmp`), join(drop, `${i}.xml`));
    }
    await received(count);
    await eventually("the folder empty", () => visible().length + claimed().length === 0);
    assert.equal(arrivals.length, count);
    assert.equal(new Set(arrivals.map(textOf)).size, count);
  });

  it("loses nothing and doubles nothing when gateways die at random moments", async function () {
    this.timeout(90_000);
    const journals: string[] = [];
    const dead: Promise<unknown>[] = [];
    let kills = 0;
    const start = async (owner: string) => {
      const journal = join(base, `journal-${journals.length}`);
      writeFileSync(journal, "");
      journals.push(journal);
      const child = spawn(process.execPath, [PROGRAM, drop, journal, owner], {
        stdio: ["ignore", "pipe", "inherit"],
        // Starting is most of a life here: what is compiled once serves the next.
        env: { ...process.env, NODE_COMPILE_CACHE: join(base, "compiled") },
      });
      dead.push(once(child, "exit"));
      await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
      return child;
    };
    const digests = new Set<string>();
    let fedEnough = false;
    const enough = () => fedEnough;
    const feed = async () => {
      for (let i = 0; !enough(); i += 1) {
        const content = `<demande n="${i}">${"x".repeat(i % 2000)}</demande>`;
        digests.add(createHash("sha256").update(content).digest("hex"));
        put(`.${i}.tmp`, content);
        renameSync(join(drop, `.${i}.tmp`), join(drop, `DEM-${i}.xml`));
        if (i % 8 === 0) await sleep(4);
        while (visible().length > 80 && !enough()) await sleep(4);
      }
    };
    const fed = feed();
    const lives = async (owner: string) => {
      while (kills < 24) {
        const child = await start(owner);
        await sleep(Math.random() * 120);
        // One in six is asked to stop: what it had claimed goes back.
        child.kill(Math.random() < 0.17 ? "SIGTERM" : "SIGKILL");
        kills += 1;
        await once(child, "exit").catch(() => undefined);
      }
    };
    await Promise.all([lives("un"), lives("deux")]);
    fedEnough = true;
    await fed;
    const last = await start("trois");
    try {
      await eventually("everything taken", () => visible().length + claimed().length === 0, {
        withinMs: 60_000,
      });
    } finally {
      last.kill("SIGTERM");
      await Promise.all(dead);
    }

    const keys = new Map<string, Set<string>>();
    let lines = 0;
    for (const journal of journals) {
      // A last line cut short was never received.
      for (const line of readFileSync(journal, "utf8").split("\n").slice(0, -1)) {
        const [key = "", digest = ""] = line.split(" ");
        keys.set(digest, (keys.get(digest) ?? new Set()).add(key));
        lines += 1;
      }
    }
    const lost = [...digests].filter((digest) => !keys.has(digest));
    const doubled = [...keys.values()].filter((names) => names.size > 1);
    assert.deepEqual({ lost: lost.length, doubled: doubled.length }, { lost: 0, doubled: 0 });
    assert.equal(keys.size, digests.size);
    assert.ok(lines >= digests.size && kills >= 24);
    this.test!.title += ` (${digests.size} files, ${kills} deaths, ${lines - digests.size} told again)`;
  });
});
