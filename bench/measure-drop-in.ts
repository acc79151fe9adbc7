/**
 * A client of the SNE through the gateway, beside the same client straight to the target, in turns:
 * what keeping each flux durably before it is forwarded adds to a call, and at what rate it goes.
 */
import type { BenchWorld } from "./bench-world.ts";
import { BENCH_KEY } from "./bench-world.ts";
import { startForwarding } from "./measure-chain.ts";
import type { Measured, Row } from "./measures.ts";
import { ratioOf, tenth, whole } from "./measures.ts";
import type { PortProgram } from "./programs.ts";
import { startPortProgram, startSoapLoad } from "./programs.ts";
import type { SoapFigures } from "./soap-load.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = 20;
const PACE_PER_SECOND = 200;
/** How many times the warm-up of the scale, at full speed, before anything is measured. */
const WARM_UPS = 2;
const PATH = "/services/DemandeLogementImplService/";
const SIZES = [
  { bytes: 1_024, name: "the smallest demande" },
  { bytes: 102_400, name: "100 KB" },
] as const;

interface Pair {
  readonly through: SoapFigures;
  readonly straight: SoapFigures;
}

export async function measureDropIn(world: BenchWorld): Promise<Measured> {
  const target = await startPortProgram("bare-target.ts");
  const load = await startSoapLoad();
  const rows: Row[] = [];
  const remarks: string[] = [];
  for (const { bytes, name } of SIZES) {
    const paced = await inTurns(world, target, load, bytes, PACE_PER_SECOND);
    const full = await inTurns(world, target, load, bytes, undefined);
    const p50 = addedBy(paced, ({ p50: value }) => value);
    const p99 = addedBy(paced, ({ p99: value }) => value);
    rows.push({
      what: `SNE call through the gateway at ${PACE_PER_SECOND}/s, ${name}: added p50 / p99 (ms)`,
      gateway: `${tenth(p50)} / ${tenth(p99)}`,
      reference: `${paced.map(({ straight }) => `${tenth(straight.p50)} / ${tenth(straight.p99)}`).join("; ")} (straight)`,
      ratio: "",
      aim: "≤ 1.5 / ≤ 5",
      met: p50 <= 1.5 && p99 <= 5,
    });
    const rate = median(full.map(({ through }) => through.perSecond));
    const straight = median(full.map((pair) => pair.straight.perSecond));
    rows.push({
      what: `the same at full speed, ${CONNECTIONS} connections (calls/s)`,
      gateway: whole(rate),
      reference: `${whole(straight)} (straight)`,
      ratio: ratioOf(rate, straight),
      ...(bytes > 10_000 ? { aim: "≥ 0.60", met: rate >= 0.6 * straight } : { aim: "" }),
    });
    world.say(
      `drop-in, ${name}: added p50 ${tenth(p50)}, p99 ${tenth(p99)} ms; ${whole(rate)}/s, straight ${whole(straight)}/s`,
    );
    const rounds = full.map(
      (pair) => `${whole(pair.through.perSecond)}, ${whole(pair.straight.perSecond)}`,
    );
    remarks.push(
      `${name}, rounds in turns, through then straight (calls/s): ${rounds.join("; ")}.`,
    );
  }
  await load.stop();
  await target.stop();
  return { title: "The SNE's own services", rows, spent: [], remarks };
}

async function inTurns(
  world: BenchWorld,
  target: PortProgram,
  load: Awaited<ReturnType<typeof startSoapLoad>>,
  bytes: number,
  perSecond: number | undefined,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  const { warmUpMs, paceMs: ms, rounds } = world.scale;
  const straightTo = `http://127.0.0.1:${target.port}${PATH}`;
  for (let round = 0; round < rounds; round += 1) {
    const gateway = await startForwarding(world, straightTo, {
      // As many calls at once as callers: the default spares the SNE.
      GATEWAY_SNE_CONCURRENCY: String(CONNECTIONS),
    });
    const ask = async (url: string): Promise<SoapFigures> => {
      const common = { url, bytes, key: BENCH_KEY, connections: CONNECTIONS };
      // What was just started is slow until its code is compiled: calls at a pace would queue meanwhile,
      // and that queue would be measured. Both are warmed at their own speed first.
      await load.ask({ ...common, warmUpMs: 0, ms: WARM_UPS * warmUpMs });
      return load.ask({
        ...common,
        warmUpMs,
        ms,
        ...(perSecond === undefined ? {} : { perSecond }),
      });
    };
    const through = await ask(`${gateway.httpUrl}${PATH}`);
    await gateway.end();
    const straight = await ask(straightTo);
    pairs.push({ through, straight });
  }
  return pairs;
}

function addedBy(pairs: readonly Pair[], pick: (figures: SoapFigures) => number): number {
  return median(pairs.map(({ through, straight }) => pick(through) - pick(straight)));
}
