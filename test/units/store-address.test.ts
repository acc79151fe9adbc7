/** Addresses of stores: told apart by kind, and shown without anything secret. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readPartitions, shownStore, storeKind } from "../../src/runtime/store-address.ts";

function problemOf(text: string, store = "data/passerelle.db"): string {
  const reading = readPartitions(text, store);
  assert.equal(reading.kind, "invalid", "the partitions were read without a problem");
  return reading.problem;
}

describe("the address of a store", () => {
  it("is a file or MongoDB, and nothing else that looks like a URL", () => {
    assert.equal(storeKind("data/passerelle.db"), "sqlite");
    assert.equal(storeKind("/var/lib/a:b.db"), "sqlite");
    assert.equal(storeKind("./a:b.db"), "sqlite");
    assert.equal(storeKind("mongodb://a,b/p"), "mongodb");
    assert.equal(storeKind("MongoDB+SRV://a/p"), "mongodb");
    for (const other of ["postgres://a/b", "mongodb:/a", "mongo:db", "u:p@host/db"]) {
      assert.equal(storeKind(other), undefined, other);
    }
  });

  it("is shown with its servers and its database, so that a reader knows which it is", () => {
    assert.equal(shownStore("data/passerelle.db"), "data/passerelle.db");
    assert.equal(
      shownStore("mongodb://op:s3cret@m1:27017,m2,[::1]:27018/passerelle?replicaSet=rs0"),
      "mongodb://m1:27017,m2,[::1]:27018/passerelle",
    );
    assert.equal(
      shownStore("mongodb+srv://op@cluster.example/p"),
      "mongodb+srv://cluster.example/p",
    );
    assert.equal(shownStore("mongodb://m1"), "mongodb://m1");
  });

  for (const address of [
    "mongodb://op:S3CRET@m1/p",
    "mongodb://op:S3CRET@S3CRET@m1/p",
    "mongodb://op:a/S3CRET@m1/p",
    "mongodb://op:a?S3CRET@m1/p",
    "mongodb://op:a#S3CRET@m1/p",
    "mongodb://op:S3CRET",
    "mongodb://op:S3CRET m1/p",
    "mongodb://op:S3CRET%40m1/p",
    "mongodb://m1/p?proxyPassword=S3CRET",
    "mongodb://m1/p?proxyPassword=a@S3CRET",
    "mongodb://m1/p?authMechanismProperties=AWS_SESSION_TOKEN:S3CRET",
    "mongodb:/op:S3CRET@m1/p",
    "mongo://op:S3CRET@m1/p",
    "op:S3CRET@m1/p",
    "MONGODB://op:S3CRET@m1/p",
  ]) {
    it(`is never shown with its secret: ${address}`, () => {
      assert.doesNotMatch(shownStore(address), /S3CRET|op/);
    });
  }

  it("is never shown with its password, whatever that is made of", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (noise) => {
        const shown = shownStore(`mongodb://op:S3CRET${noise}S3CRET@m1:27017/p?w=majority`);
        assert.ok(!shown.includes("S3CRET"), shown);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the partitions of the store", () => {
  it("are read by name, in their order, and none is no partition", () => {
    const reading = readPartitions(
      " nord = mongodb://op:a=b@m1/nord?w=1 ; sud=/srv/sud.db; ",
      "data/passerelle.db",
    );
    assert.deepEqual(reading, {
      kind: "read",
      stores: [
        { name: "nord", address: "mongodb://op:a=b@m1/nord?w=1" },
        { name: "sud", address: "/srv/sud.db" },
      ],
    });
    assert.deepEqual(readPartitions("", "x"), { kind: "read", stores: [] });
  });

  it("are refused with what is wrong, and never an address", () => {
    for (const [text, told] of [
      ["nord", /la 1re base n'est pas écrite nom=adresse/],
      ["nord=/a;mongodb://op:S3CRET@m1", /la 2e base n'est pas écrite nom=adresse/],
      ["mongodb://op:S3CRET@m1/p?w=1", /le nom de la 1re base/],
      ["Nord=/a", /le nom de la 1re base/],
      ["default=/a", /est le nom de GATEWAY_STORE/],
      ["nord=", /n'a pas d'adresse/],
      ["nord=postgres://op:S3CRET@m1/p", /mongodb:\/\/ ou mongodb\+srv:\/\/ est attendu/],
      ["nord=/a;nord=/b", /nommée deux fois/],
    ] as const) {
      const problem = problemOf(text);
      assert.match(problem, told);
      assert.doesNotMatch(problem, /S3CRET/);
    }
  });

  it("are never the same place twice, however it is written", () => {
    assert.match(problemOf("nord=./data//passerelle.db"), /« default » et « nord » sont la même/);
    assert.match(problemOf("nord=/a;sud=/b/../a"), /« nord » et « sud »/);
    const base = "mongodb://op:x@M1,m2:27018/p?replicaSet=rs0";
    assert.match(problemOf("nord=mongodb://m2:27018,m1:27017/p", base), /« default » et « nord »/);
    assert.equal(readPartitions("nord=mongodb://m1,m2:27018/q", base).kind, "read");
  });
});
