/**
 * End to end: mail in, kept, SNE called, acquittement mailed. Sustained rate (as many mails as come
 * back acknowledged, never more than a window of fluxes under way) and delay at 100 a second; the
 * gateway and the bare chain in turns, on the same target, generator and sink.
 */
import type { BenchWorld } from "./bench-world.ts";
import type { ChainFigures, PaceFigures } from "./load-protocol.ts";
import type { Measured, Spent } from "./measures.ts";
import { ratioOf, tenth, whole } from "./measures.ts";
import type { Watched } from "./processor-time.ts";
import { busyShare, processorUse, readBusyTicks, readProcessorTimes } from "./processor-time.ts";
import type { GatewayProgram, PortProgram } from "./programs.ts";
import { startGateway, startPortProgram, startStandin } from "./programs.ts";
import { median } from "./statistics.ts";

/** Fluxes under way at most: enough to keep every step busy, few enough not to be a backlog. */
export const WINDOW = 400;
const PACE_PER_SECOND = 100;

export async function measureChain(world: BenchWorld): Promise<Measured> {
  const { scale, load } = world;
  const target = await startPortProgram("bare-target.ts");
  const targetUrl = `http://127.0.0.1:${target.port}/services/DemandeLogementImplService/`;
  const ours: ChainFigures[] = [];
  const bare: ChainFigures[] = [];
  let spent: Spent | undefined;
  for (let round = 1; round <= scale.rounds; round += 1) {
    const gateway = await startForwarding(world, targetUrl);
    const measured = await sustained(world, gateway, target, scale.chainMs);
    ours.push(measured.figures);
    spent = measured.spent;
    await gateway.end();
    world.say(`end to end, gateway: ${whole(measured.figures.perSecond)}/s`);

    const chain = await startBareChain(world, target);
    const figures = await askChain(world, chain.port, scale.chainMs);
    await chain.stop();
    bare.push(figures);
    world.say(`end to end, reference: ${whole(figures.perSecond)}/s`);
  }

  const pacedGateway = await startForwarding(world, targetUrl);
  const paced = await askPace(world, pacedGateway.smtpPort);
  await pacedGateway.end();
  const pacedChain = await startBareChain(world, target);
  const pacedBare = await askPace(world, pacedChain.port);
  await pacedChain.stop();
  await target.stop();
  world.say(`at 100/s: gateway p50 ${tenth(paced.p50)} ms, reference ${tenth(pacedBare.p50)} ms`);

  const standin = await startStandin();
  const withStandin = await startForwarding(world, standin.url);
  const standinFigures = await load.ask<"chain">(
    chainLoad(world, withStandin.smtpPort, scale.standinMs),
  );
  await withStandin.end();
  await standin.stop();
  world.say(`end to end, stand-in SNE: ${whole(standinFigures.perSecond)}/s`);

  const all = [...ours, standinFigures];
  const lost = all.reduce((sum, { missing }) => sum + missing, 0) + paced.missing;
  const twice = all.reduce((sum, figures) => sum + figures.twice, 0);
  if (lost > 0 || twice > 0)
    throw new Error(`${lost} acquittements never came, ${twice} came twice`);
  const rate = median(ours.map(({ perSecond }) => perSecond));
  const bareRate = median(bare.map(({ perSecond }) => perSecond));
  return {
    title: "End to end",
    rows: [
      {
        what: `end to end, mail → SNE → mail, sustained ${tenth(scale.chainMs / 1_000)} s (fluxes/s)`,
        gateway: whole(rate),
        reference: `${whole(bareRate)} (same chain, nothing kept, no checks)`,
        ratio: ratioOf(rate, bareRate),
        aim: "≥ 800",
        met: rate >= 800,
      },
      {
        what: "the same, slowest second (fluxes/s)",
        gateway: whole(Math.min(...ours.map(({ slowestSecond }) => slowestSecond))),
        reference: whole(Math.min(...bare.map(({ slowestSecond }) => slowestSecond))),
        ratio: "",
        aim: "",
      },
      {
        what: "the same with the stand-in SNE as target, PDF attestations included (fluxes/s)",
        gateway: whole(standinFigures.perSecond),
        reference: "",
        ratio: "",
        aim: "",
      },
      {
        what: "at 100/s: from the 250 to the acquittement at its mail server, p50 / p99 (ms)",
        gateway: `${tenth(paced.p50)} / ${tenth(paced.p99)}`,
        reference: `${tenth(pacedBare.p50)} / ${tenth(pacedBare.p99)} (same chain, nothing kept)`,
        ratio: ratioOf(paced.p50, pacedBare.p50),
        aim: "p50 < 10",
        met: paced.p50 < 10,
      },
    ],
    spent: spent === undefined ? [] : [spent],
    remarks: [
      `Rounds in turns, gateway then reference (fluxes/s): ${ours
        .map(
          ({ perSecond }, round) =>
            `${whole(perSecond)}, ${whole(bare[round]?.perSecond ?? Number.NaN)}`,
        )
        .join("; ")}. Every mail that got its 250 was acknowledged, once.`,
    ],
  };
}

/** A gateway that forwards to a target and returns to the sink, on a new store. */
export async function startForwarding(
  world: BenchWorld,
  sneUrl: string,
  more: Readonly<Record<string, string>> = {},
): Promise<GatewayProgram & { end(): Promise<void> }> {
  const store = world.newStore("chain");
  const gateway = await startGateway(
    world.settings(store, {
      GATEWAY_SNE_URL: sneUrl,
      GATEWAY_MAIL_URL: `smtp://127.0.0.1:${world.load.sinkPort}`,
      ...more,
    }),
  );
  return {
    ...gateway,
    end: async () => {
      await gateway.stop();
      await world.dropStore(store);
    },
  };
}

function startBareChain(world: BenchWorld, target: PortProgram): Promise<PortProgram> {
  // As many calls and deliveries at once as the gateway's defaults.
  return startPortProgram("bare-chain.ts", {
    targetPort: target.port,
    sinkPort: world.load.sinkPort,
    concurrency: 8,
  });
}

/** Fluxes per second that came back acknowledged. */
export async function sustained(
  world: BenchWorld,
  gateway: GatewayProgram,
  target: PortProgram,
  ms: number,
): Promise<{ figures: ChainFigures; spent: Spent }> {
  const watched: readonly Watched[] = [
    { name: "gateway", pid: gateway.pid, inDetail: true },
    { name: "generator and sink", pid: world.load.pid },
    { name: "target", pid: target.pid },
  ];
  const begun = performance.now();
  const before = readProcessorTimes(watched);
  const ticks = readBusyTicks();
  const figures = await askChain(world, gateway.smtpPort, ms);
  const seconds = (performance.now() - begun) / 1_000;
  const uses = processorUse(before, readProcessorTimes(watched), {
    seconds,
    fluxes: figures.mails,
  });
  const busy = busyShare(ticks, readBusyTicks(), seconds);
  return { figures, spent: { title: "End to end, sustained", busy, uses } };
}

function askChain(world: BenchWorld, port: number, ms: number): Promise<ChainFigures> {
  return world.load.ask<"chain">(chainLoad(world, port, ms));
}

function chainLoad({ scale, connections }: BenchWorld, port: number, ms: number) {
  const { warmUpMs } = scale;
  return { kind: "chain", port, connections, window: WINDOW, warmUpMs, ms } as const;
}

function askPace({ load, scale, connections }: BenchWorld, port: number): Promise<PaceFigures> {
  const { warmUpMs, paceMs: ms } = scale;
  const perSecond = PACE_PER_SECOND;
  return load.ask<"pace">({ kind: "pace", port, connections, perSecond, warmUpMs, ms });
}
