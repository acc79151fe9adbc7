/**
 * Durable mail intake: mails per second that got their 250, 10 KB each, 50 connections, one mail in
 * flight on each; the gateway and its bare reference in turns, so that both meet the same machine.
 * No SNE: fluxes are kept and wait. The tally of the store is compared with the 250s.
 */
import type { BenchWorld } from "./bench-world.ts";
import type { IntakeFigures } from "./load-protocol.ts";
import type { Measured, Spent } from "./measures.ts";
import { ratioOf, tenth, whole } from "./measures.ts";
import type { Watched } from "./processor-time.ts";
import { busyShare, processorUse, readBusyTicks, readProcessorTimes } from "./processor-time.ts";
import { startGateway, startPortProgram } from "./programs.ts";
import { median } from "./statistics.ts";

export async function measureIntake(world: BenchWorld): Promise<Measured> {
  const { scale } = world;
  const ours: IntakeFigures[] = [];
  const bare: IntakeFigures[] = [];
  const spent: Spent[] = [];
  for (let round = 1; round <= scale.rounds; round += 1) {
    const gateway = await measureGateway(world);
    ours.push(gateway.figures);
    spent.push(gateway.spent);
    bare.push(await measureBare(world));
  }
  const rate = median(ours.map(({ perSecond }) => perSecond));
  const bareRate = median(bare.map(({ perSecond }) => perSecond));
  const p50 = median(ours.map((figures) => figures.p50));
  const p99 = median(ours.map((figures) => figures.p99));
  const bareP50 = median(bare.map((figures) => figures.p50));
  const bareP99 = median(bare.map((figures) => figures.p99));
  return {
    title: "Durable mail intake",
    rows: [
      {
        what: "durable mail intake, 10 KB, 50 connections (mails/s)",
        gateway: whole(rate),
        reference: `${whole(bareRate)} (smtp-server, grouped commits, no checks)`,
        ratio: ratioOf(rate, bareRate),
        aim: "≥ 2,500 and ≥ 0.6 of the reference",
        met: rate >= 2_500 && rate / bareRate >= 0.6,
      },
      {
        what: "the same: from the final dot to the 250, p50 / p99 (ms)",
        gateway: `${tenth(p50)} / ${tenth(p99)}`,
        reference: `${tenth(bareP50)} / ${tenth(bareP99)}`,
        ratio: ratioOf(p99, bareP99),
        aim: "p99 < 60",
        met: p99 < 60,
      },
    ],
    spent: spent.slice(-1),
    remarks: [
      `Rounds in turns, gateway then reference (mails/s): ${ours
        .map(
          ({ perSecond }, round) =>
            `${whole(perSecond)}, ${whole(bare[round]?.perSecond ?? Number.NaN)}`,
        )
        .join("; ")}. After each, the store held exactly the mails that got a 250.`,
    ],
  };
}

/** One round of the gateway, on a new store of this world. */
export async function measureGateway(
  world: BenchWorld,
): Promise<{ figures: IntakeFigures; spent: Spent }> {
  const store = world.newStore("intake");
  const gateway = await startGateway(world.settings(store));
  const watched: readonly Watched[] = [
    { name: "gateway", pid: gateway.pid, inDetail: true },
    { name: "generator", pid: world.load.pid },
  ];
  const begun = performance.now();
  const before = readProcessorTimes(watched);
  const ticks = readBusyTicks();
  const figures = await askIntake(world, gateway.smtpPort);
  const seconds = (performance.now() - begun) / 1_000;
  const uses = processorUse(before, readProcessorTimes(watched), {
    seconds,
    fluxes: figures.mails,
  });
  const busy = busyShare(ticks, readBusyTicks(), seconds);
  await gateway.stop();
  await mustHold(world, store, figures.mails);
  await world.dropStore(store);
  world.say(`intake, gateway: ${whole(figures.perSecond)}/s, p99 ${tenth(figures.p99)} ms`);
  return { figures, spent: { title: "Durable mail intake", busy, uses } };
}

async function measureBare(world: BenchWorld): Promise<IntakeFigures> {
  const path = world.newStore("bare-intake");
  const bare = await startPortProgram("bare-intake.ts", { path });
  const figures = await askIntake(world, bare.port);
  await bare.stop();
  await world.dropStore(path);
  world.say(`intake, reference: ${whole(figures.perSecond)}/s, p99 ${tenth(figures.p99)} ms`);
  return figures;
}

export function askIntake(
  { load, scale, connections }: BenchWorld,
  port: number,
): Promise<IntakeFigures> {
  const { warmUpMs, intakeMs: ms } = scale;
  return load.ask<"intake">({ kind: "intake", port, connections, warmUpMs, ms });
}

/** A figure is worth nothing if a mail that got its 250 is not there. */
async function mustHold(world: BenchWorld, store: string, mails: number): Promise<void> {
  const outbox = await world.openStore(store);
  const { received } = await outbox.counts();
  await outbox.stop();
  if (received !== mails) throw new Error(`${mails} mails got their 250, ${received} are kept`);
}
