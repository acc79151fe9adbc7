/**
 * A start with 100,000 fluxes kept while the SNE was away: how soon it serves, what memory it takes
 * idle, after a thousand mails more, and while it drains. The store is filled by its own port, then
 * closed; the program that is measured finds it as a real one would.
 */
import { statSync } from "node:fs";
import type { BenchWorld } from "./bench-world.ts";
import { fillStore } from "./fill-store.ts";
import type { Measured } from "./measures.ts";
import { tenth, whole } from "./measures.ts";
import { readMemory } from "./processor-time.ts";
import { startGateway, startPortProgram } from "./programs.ts";

const MEGABYTE = 1024 * 1024;
const MAILS = 1_000;

export async function measureBacklog(world: BenchWorld): Promise<Measured> {
  const { scale, load, connections } = world;
  const empty = await bootOnce(world, world.newStore("empty"));
  const store = world.newStore("backlog");
  const outbox = await world.openStore(store);
  await fillStore(outbox, scale.backlog, "demandes");
  await outbox.stop();
  const storeBytes = statSync(store).size;
  world.say(`backlog: ${whole(scale.backlog)} kept, ${whole(storeBytes / MEGABYTE)} MB on disk`);

  const gateway = await startGateway(world.settings(store));
  const first = await load.ask<"some">(someLoad(gateway.smtpPort, 1, 1));
  const firstMailMs = gateway.readyMs + first.ms;
  await sleep(scale.idleMs);
  const idle = readMemory(gateway.pid);
  await load.ask<"some">(someLoad(gateway.smtpPort, connections, MAILS));
  const after = readMemory(gateway.pid);
  await gateway.stop();
  world.say(`backlog: serves in ${whole(firstMailMs)} ms, ${whole(after.own / MEGABYTE)} MB`);

  const target = await startPortProgram("bare-target.ts");
  const draining = await startGateway(
    world.settings(store, {
      GATEWAY_SNE_URL: `http://127.0.0.1:${target.port}/services/DemandeLogementImplService/`,
      GATEWAY_MAIL_URL: `smtp://127.0.0.1:${load.sinkPort}`,
    }),
  );
  const drained = await load.ask<"drain">({
    kind: "drain",
    warmUpMs: scale.warmUpMs,
    ms: scale.drainMs,
  });
  const drainMemory = readMemory(draining.pid);
  await draining.stop();
  await target.stop();
  await world.dropStore(store);

  const most = Math.max(idle.own, after.own, drainMemory.own);
  const megabytes = (bytes: number): string => whole(bytes / MEGABYTE);
  return {
    title: "Start and memory with a backlog",
    rows: [
      {
        what: `boot with ${whole(scale.backlog)} kept: serving / first 250 (s)`,
        gateway: `${tenth(gateway.readyMs / 1_000)} / ${tenth(firstMailMs / 1_000)}`,
        reference: `${tenth(empty.readyMs / 1_000)} / ${tenth(empty.firstMailMs / 1_000)} (empty store)`,
        ratio: (firstMailMs / empty.firstMailMs).toFixed(2),
        aim: "< 3",
        met: firstMailMs < 3_000,
      },
      {
        what: `memory with ${whole(scale.backlog)} kept: idle / after 1,000 mails / draining (MB RSS)`,
        gateway: [idle, after, drainMemory].map(({ own }) => megabytes(own)).join(" / "),
        reference: `${megabytes(empty.memory)} (empty store, idle)`,
        ratio: (most / empty.memory).toFixed(2),
        aim: "< 300",
        met: most < 300 * MEGABYTE,
      },
      {
        what: "draining that backlog to a bare target (fluxes/s)",
        gateway: whole(drained.perSecond),
        reference: "",
        ratio: "",
        aim: "",
      },
    ],
    spent: [],
    remarks: [
      `The store of ${whole(scale.backlog)} fluxes of 10 KB is ${megabytes(storeBytes)} MB. ` +
        `The schema checker is a process of its own, ${megabytes(Math.max(idle.children, after.children, drainMemory.children))} MB beside the memory above. ` +
        "Without an address of the SNE, nothing is forwarded while start and memory are measured; the drain is a later start, with a target.",
    ],
  };
}

async function bootOnce(
  world: BenchWorld,
  store: string,
): Promise<{ readyMs: number; firstMailMs: number; memory: number }> {
  const gateway = await startGateway(world.settings(store));
  const { ms } = await world.load.ask<"some">(someLoad(gateway.smtpPort, 1, 1));
  await sleep(Math.min(2_000, world.scale.idleMs));
  const memory = readMemory(gateway.pid).own;
  await gateway.stop();
  await world.dropStore(store);
  return { readyMs: gateway.readyMs, firstMailMs: gateway.readyMs + ms, memory };
}

function someLoad(port: number, connections: number, mails: number) {
  return { kind: "some", port, connections, mails } as const;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
