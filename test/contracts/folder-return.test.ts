/** The promises of return folders, on real folders: whole files, the signal last, nobody overwritten. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AcquittementParcel } from "../../src/acknowledge/return-channel.ts";
import { makeFolderReturn } from "../../src/adapters/folder/folder-return.ts";
import { indexGuichets, type Guichet } from "../../src/domain/guichet.ts";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i);
const FLUX = "01JZZZZZZZZZZZZZZZZZZZZZZZ";
const OTHER = "01JYYYYYYYYYYYYYYYYYYYYYYY";

describe("return folders", () => {
  let base: string;
  let back: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "retour-"));
    back = join(base, "retour");
  });
  afterEach(() => {
    rmSync(base, { recursive: true, force: true });
  });

  const guichet = (code: string, folder?: string): Guichet => ({
    code,
    name: code,
    senders: [],
    ...(folder === undefined ? {} : { folders: { drop: join(base, "depot"), return: folder } }),
    returnBy: "same",
    language: "fr",
  });
  const channel = () =>
    makeFolderReturn({ guichets: indexGuichets([guichet("75A01", back), guichet("69B02")]) });
  const parcel = (fluxId = FLUX, more: Partial<AcquittementParcel> = {}): AcquittementParcel => ({
    fluxId,
    parcelId: fluxId,
    language: "fr",
    title: "Accepté : DEM1.xml",
    text: "Le SNE a accepté votre flux.",
    xml: { name: "x.xml", bytes: Buffer.from(`<acquittement flux="${fluxId}"/>`) },
    answer: { name: "reponse.xml", bytes: EVERY_BYTE },
    attestation: { name: "ATT.PDF", bytes: Buffer.from("%PDF-1.4") },
    originalName: "DEM1.xml",
    ...more,
  });
  const to = (fileName = "DEM1.xml", code = "75A01") =>
    ({ channel: "file", guichet: code, fileName }) as const;
  const visible = () => readdirSync(back).filter((name) => !name.startsWith("."));
  const temporary = () => readdirSync(join(back, ".passerelle"));
  const ALL = [
    "DEM1.acquittement.txt",
    "DEM1.acquittement.xml",
    "DEM1.attestation.pdf",
    "DEM1.reponse.xml",
  ];

  it("writes each file beside the original's name, byte for byte, and says which came last", async () => {
    const result = await channel().deliver(parcel(), to());
    assert.deepEqual(result, {
      kind: "delivered",
      detail: { channel: "file", guichet: "75A01", fileName: "DEM1.acquittement.xml" },
    });
    assert.deepEqual(visible(), ALL);
    assert.deepEqual(readFileSync(join(back, "DEM1.reponse.xml")), Buffer.from(EVERY_BYTE));
    assert.match(
      readFileSync(join(back, "DEM1.acquittement.txt"), "utf8"),
      /^Accepté : DEM1.xml\n\nLe SNE/,
    );
    assert.deepEqual(temporary(), []);
  });

  it("shows no file before it is whole, and the signal after all the others", async () => {
    mkdirSync(back);
    const big = Buffer.alloc(3_000_000, "x");
    const appeared: string[] = [];
    const watcher = watch(back, (event, name) => {
      if (name === null || name.startsWith(".") || event !== "rename") return;
      if (!appeared.includes(name)) appeared.push(name);
      if (name === "DEM1.reponse.xml") assert.equal(statSync(join(back, name)).size, big.length);
      if (name === "DEM1.acquittement.xml") assert.equal(visible().length, 4);
    });
    try {
      await channel().deliver(parcel(FLUX, { answer: { name: "r.xml", bytes: big } }), to());
    } finally {
      watcher.close();
    }
    const changed = (name: string) => statSync(join(back, name), { bigint: true }).ctimeNs;
    for (const name of ALL) assert.ok(changed(name) <= changed("DEM1.acquittement.xml"), name);
    assert.equal(appeared.at(-1) ?? "DEM1.acquittement.xml", "DEM1.acquittement.xml");
  });

  it("changes nothing when the same delivery is made twice, and writes again what was taken away", async () => {
    await channel().deliver(parcel(), to());
    const inodes = () => ALL.map((name) => statSync(join(back, name)).ino);
    const before = inodes();
    await channel().deliver(parcel(), to());
    assert.deepEqual(inodes(), before);
    assert.deepEqual(visible(), ALL);
    rmSync(join(back, "DEM1.acquittement.xml"));
    await channel().deliver(parcel(), to());
    assert.deepEqual(visible(), ALL);
  });

  it("goes on with what a crash left half done, under the same name", async () => {
    mkdirSync(back);
    writeFileSync(join(back, "DEM1.reponse.xml"), EVERY_BYTE);
    await channel().deliver(parcel(), to());
    assert.deepEqual(visible(), ALL);
  });

  it("never overwrites another flux's files: the identifier then follows the name", async () => {
    const folder = channel();
    await folder.deliver(parcel(), to());
    const result = await folder.deliver(parcel(OTHER), to());
    assert.equal(
      result.kind === "delivered" && result.detail.fileName,
      `DEM1-${OTHER}.acquittement.xml`,
    );
    assert.equal(visible().length, 8);
    assert.match(readFileSync(join(back, "DEM1.acquittement.xml"), "utf8"), new RegExp(FLUX));
    await folder.deliver(parcel(OTHER), to());
    assert.equal(visible().length, 8);
  });

  it("lets each of its own deliveries choose its name in turn", async () => {
    const folder = channel();
    const ids = Array.from({ length: 10 }, (_, i) => `${FLUX.slice(0, 24)}${10 + i}`);
    const results = await Promise.all(ids.map((id) => folder.deliver(parcel(id), to())));
    assert.deepEqual(new Set(results.map(({ kind }) => kind)), new Set(["delivered"]));
    assert.equal(visible().length, 40);
  });

  it("never overwrites another flux's files when twenty come at once, by two gateways", async () => {
    const [one, two] = [channel(), channel()];
    const ids = Array.from({ length: 20 }, (_, i) => `${FLUX.slice(0, 24)}${10 + i}`);
    const undelivered = new Set(ids);
    // What met another gateway's file halfway is tried again, as the acknowledger does.
    while (undelivered.size > 0) {
      const results = await Promise.all(
        [...undelivered].map(async (id, i) => ({
          id,
          result: await (i % 2 === 0 ? one : two).deliver(parcel(id), to()),
        })),
      );
      for (const { id, result } of results) if (result.kind === "delivered") undelivered.delete(id);
    }
    const signals = visible().filter((name) => name.endsWith(".acquittement.xml"));
    const told = signals.map((name) => readFileSync(join(back, name), "utf8"));
    for (const id of ids) assert.equal(told.filter((xml) => xml.includes(id)).length, 1, id);
  });

  it("does not follow a link laid under the name it wants", async () => {
    mkdirSync(back);
    // The very content wanted: still a link, which its sender may change under us.
    writeFileSync(join(base, "outside"), parcel().xml.bytes);
    symlinkSync(join(base, "outside"), join(back, "DEM1.acquittement.xml"));
    const result = await channel().deliver(parcel(), to());
    assert.equal(
      result.kind === "delivered" && result.detail.fileName,
      `DEM1-${FLUX}.acquittement.xml`,
    );
  });

  it("makes a name a file system takes of whatever the sender wrote", async () => {
    for (const name of ["../../etc/passwd", "€".repeat(300) + ".xml", "..", "a\nb.xml", ".XML"]) {
      const result = await channel().deliver(parcel(), to(name));
      assert.equal(result.kind, "delivered", name);
    }
    assert.ok(visible().includes("passwd.acquittement.xml"));
    assert.ok(!existsSync(join(base, "etc")));
  });

  it("sweeps what crashes left long ago, not what another writes now", async () => {
    mkdirSync(join(back, ".passerelle"), { recursive: true });
    for (const name of ["1-1.tmp", "1-2.tmp"]) writeFileSync(join(back, ".passerelle", name), "");
    utimesSync(join(back, ".passerelle/1-1.tmp"), 1000, 1000);
    await channel().deliver(parcel(), to());
    assert.deepEqual(temporary(), ["1-2.tmp"]);
  });

  it("says why it could not, in words that name no file", async () => {
    writeFileSync(back, "a file where the folder should be");
    const result = await channel().deliver(parcel(), to());
    assert.equal(result.kind, "notDelivered");
    assert.equal(result.reason.code, "FILE_NOT_DELIVERED");
    assert.ok(!result.reason.text.includes(base) && !result.reason.text.includes("DEM1"));
    const none = await channel().deliver(parcel(), to("DEM1.xml", "69B02"));
    assert.match(none.kind === "notDelivered" ? none.reason.text : "", /pas de dossier de retour/);
    rmSync(back);
    assert.equal((await channel().deliver(parcel(), to())).kind, "delivered");
  });
});
