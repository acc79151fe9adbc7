/**
 * The store on MongoDB beside the embedded one, in the same run: a replica set of one node on this
 * machine, its server, the gateway and the generator sharing the processors. Intake and end to end in
 * turns on both stores, claims at a thousand and a million kept, a backlog drained by one gateway and
 * by two. Without a MongoDB it says so and measures nothing.
 */
import { findMongod } from "../test/support/mongo/find-mongod.ts";
import { startReplicaSet } from "../test/support/mongo/replica-set.ts";
import { connect } from "../src/adapters/mongo/connect.ts";
import { documentAtBirth } from "../src/adapters/mongo/flux-documents.ts";
import { openMongoOutbox } from "../src/adapters/mongo/mongo-outbox.ts";
import type { Outbox } from "../src/keep/outbox.ts";
import { systemChance, systemClock } from "../src/runtime/clock.ts";
import { SILENT_LOG } from "../src/runtime/log.ts";
import type { BenchWorld } from "./bench-world.ts";
import { fillStore, smallFlux } from "./fill-store.ts";
import type { IntakeFigures } from "./load-protocol.ts";
import { startForwarding, sustained } from "./measure-chain.ts";
import { measureRates } from "./measure-claims.ts";
import { askIntake, measureGateway } from "./measure-intake.ts";
import type { Measured, Row, Spent } from "./measures.ts";
import { ratioOf, tenth, whole } from "./measures.ts";
import type { PortProgram } from "./programs.ts";
import { startGateway, startPortProgram } from "./programs.ts";
import { median } from "./statistics.ts";

const TITLE = "MongoDB, a replica set of one node on the same machine";
/** How often a backlog that drains is looked at, ms. */
const LOOK_EVERY_MS = 250;
/** Documents written at once when a store is filled. */
const FILL_BATCH = 5_000;

export async function measureMongo(world: BenchWorld): Promise<Measured> {
  const found = await findMongod({ ownProcesses: true });
  if (found.kind !== "binary") {
    const why = found.kind === "none" ? found.tried.join("; ") : "a server was given";
    return { title: TITLE, rows: [], spent: [], remarks: [`Not measured: ${why}.`] };
  }
  const set = await startReplicaSet({
    nodes: 1,
    binary: found.path,
    root: world.folder,
    cacheGb: 2,
    oplogMb: 2_000,
  });
  try {
    const onMongo = worldOn(world, set.uri);
    const target = await startPortProgram("bare-target.ts");
    const intake = await measureIntakes(world, onMongo);
    const chain = await measureChains(world, onMongo, target);
    const drain = await measureDrains(onMongo, target);
    await target.stop();
    const claims = await measureClaimsOn(onMongo);
    return {
      title: TITLE,
      rows: [...intake.rows, ...chain.rows, ...drain, ...claims],
      spent: [intake.spent, chain.spent],
      remarks: [
        "Everything is on the disk of a majority (of one) with its journal before it is told. The server's own processor time is in no line of its own: it is what the others leave of the whole.",
      ],
    };
  } finally {
    await set.stop();
  }
}

/** The same bench, its stores being databases of a server. */
function worldOn(world: BenchWorld, server: string): BenchWorld {
  let stores = 0;
  const openStore = (uri: string): Promise<Outbox> =>
    openMongoOutbox({
      ...{ uri, owner: "bench", clock: systemClock(), chance: systemChance(), log: SILENT_LOG },
    });
  return {
    ...world,
    newStore: (name) => {
      stores += 1;
      return server.replace("/?", `/bench-${name}-${stores}?`);
    },
    openStore,
    // Dropped with the server, at the end.
    dropStore: () => Promise.resolve(),
  };
}

async function measureIntakes(
  embedded: BenchWorld,
  onMongo: BenchWorld,
): Promise<{ readonly rows: readonly Row[]; readonly spent: Spent }> {
  const figures = { mongo: [], embedded: [], bare: [] } as Record<string, IntakeFigures[]>;
  let spent: Spent | undefined;
  for (let round = 0; round < embedded.scale.rounds; round += 1) {
    const ours = await measureGateway(onMongo);
    spent = { ...ours.spent, title: "Durable mail intake on MongoDB" };
    figures["mongo"]?.push(ours.figures);
    figures["embedded"]?.push((await measureGateway(embedded)).figures);
    const bare = await startPortProgram("bare-intake-mongo.ts", {
      uri: onMongo.newStore("bare"),
    });
    figures["bare"]?.push(await askIntake(onMongo, bare.port));
    await bare.stop();
  }
  if (spent === undefined) throw new Error("no round was measured");
  const of = (name: string, read: (figures: IntakeFigures) => number): number =>
    median((figures[name] ?? []).map(read));
  const rate = (name: string): number => of(name, ({ perSecond }) => perSecond);
  const times = (name: string): string =>
    `${tenth(of(name, ({ p50 }) => p50))} / ${tenth(of(name, ({ p99 }) => p99))}`;
  const p99 = of("mongo", (one) => one.p99);
  return {
    spent,
    rows: [
      {
        what: "durable mail intake on MongoDB (mails/s)",
        gateway: whole(rate("mongo")),
        reference: `${whole(rate("bare"))} (smtp-server, grouped insertMany, no checks); embedded store ${whole(rate("embedded"))}`,
        ratio: ratioOf(rate("mongo"), rate("bare")),
        aim: "≥ 1,500",
        met: rate("mongo") >= 1_500,
      },
      {
        what: "the same: from the final dot to the 250, p50 / p99 (ms)",
        gateway: times("mongo"),
        reference: `${times("bare")}; embedded store ${times("embedded")}`,
        ratio: "",
        aim: "p99 < 100",
        met: p99 < 100,
      },
    ],
  };
}

async function measureChains(
  embedded: BenchWorld,
  onMongo: BenchWorld,
  target: PortProgram,
): Promise<{ readonly rows: readonly Row[]; readonly spent: Spent }> {
  const rates: { mongo: number[]; embedded: number[] } = { mongo: [], embedded: [] };
  let spent: Spent | undefined;
  for (let round = 0; round < embedded.scale.rounds; round += 1) {
    for (const [name, world] of [
      ["mongo", onMongo],
      ["embedded", embedded],
    ] as const) {
      const gateway = await startForwarding(world, urlOf(target));
      const measured = await sustained(world, gateway, target, world.scale.chainMs);
      await gateway.end();
      const { missing, twice, perSecond } = measured.figures;
      if (missing + twice > 0) throw new Error(`${missing} never came, ${twice} came twice`);
      rates[name].push(perSecond);
      if (name === "mongo") spent = { ...measured.spent, title: "End to end on MongoDB" };
      world.say(`end to end, ${name}: ${whole(perSecond)}/s`);
    }
  }
  if (spent === undefined) throw new Error("no round was measured");
  const rate = median(rates.mongo);
  return {
    spent,
    rows: [
      {
        what: "end to end on MongoDB, mail → SNE → mail, sustained (fluxes/s)",
        gateway: whole(rate),
        reference: `embedded store ${whole(median(rates.embedded))}`,
        ratio: ratioOf(rate, median(rates.embedded)),
        aim: "≥ 400",
        met: rate >= 400,
      },
    ],
  };
}

/** A backlog forwarded by one gateway, then the same by two that share it. */
async function measureDrains(world: BenchWorld, target: PortProgram): Promise<readonly Row[]> {
  const rates: number[] = [];
  for (const gateways of [1, 2]) rates.push(await drainBy(world, target, gateways));
  const [one = Number.NaN, two = Number.NaN] = rates;
  return [
    {
      what: "backlog forwarded and acknowledged by two gateways on one MongoDB (fluxes/s)",
      gateway: whole(two),
      reference: `${whole(one)} by one`,
      ratio: ratioOf(two, one),
      aim: "",
    },
  ];
}

async function drainBy(world: BenchWorld, target: PortProgram, gateways: number): Promise<number> {
  const store = world.newStore(`drain-${gateways}`);
  const outbox = await world.openStore(store);
  // Enough for what is measured and the time it takes all to start.
  const count = Math.ceil((world.scale.warmUpMs + world.scale.drainMs) * 2);
  await fillStore(outbox, count, "demandes");
  const programs = await Promise.all(
    Array.from({ length: gateways }, (_, n) =>
      startGateway(
        world.settings(store, {
          GATEWAY_NAME: `gateway-${n}`,
          GATEWAY_SNE_URL: urlOf(target),
          GATEWAY_MAIL_URL: `smtp://127.0.0.1:${world.load.sinkPort}`,
        }),
      ),
    ),
  );
  const acknowledged = async (): Promise<number> => (await outbox.counts()).byState.acknowledged;
  await sleep(world.scale.warmUpMs);
  const [from, begun] = [await acknowledged(), performance.now()];
  let [done, at] = [from, begun];
  while (at - begun < world.scale.drainMs && done < count) {
    await sleep(LOOK_EVERY_MS);
    [done, at] = [await acknowledged(), performance.now()];
  }
  await Promise.all(programs.map((program) => program.stop()));
  await outbox.stop();
  const rate = ((done - from) * 1_000) / (at - begun);
  world.say(`drained by ${gateways}: ${whole(rate)}/s`);
  return rate;
}

async function measureClaimsOn(world: BenchWorld): Promise<readonly Row[]> {
  const addresses = [world.newStore("claims-small"), world.newStore("claims-large")] as const;
  const small = await world.openStore(addresses[0]);
  const large = await world.openStore(addresses[1]);
  await fillDirectly(addresses[0], world.scale.claimSmall);
  await fillDirectly(addresses[1], world.scale.claimLarge);
  const rows = await measureRates(world, small, large, ", on MongoDB");
  await Promise.all([small.stop(), large.stop()]);
  return rows;
}

/**
 * Writes documents as `keep` would have, without its transactions: a million of them would take a
 * quarter of an hour. Nothing of this is timed.
 */
async function fillDirectly(uri: string, count: number): Promise<void> {
  const { collections, close } = await connect(uri);
  const asIs = { toStore: (at: number) => at };
  for (let first = 1; first <= count; first += FILL_BATCH) {
    const size = Math.min(FILL_BATCH, count - first + 1);
    const docs = Array.from({ length: size }, (_, n) => ({
      ...documentAtBirth(smallFlux(first + n), asIs),
      front: true as const,
      head: true as const,
    }));
    await collections.fluxes.insertMany(docs, { ordered: false, writeConcern: { w: 1 } });
  }
  await collections.tallies.insertOne({ _id: "filled", received: count });
  await close();
}

function urlOf({ port }: PortProgram): string {
  return `http://127.0.0.1:${port}/services/DemandeLogementImplService/`;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
