/**
 * Profiles the gateway under the two loads it is measured by, apart from the figures (a profiler
 * slows what it looks at), and names the places that cost most.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BenchWorld } from "./bench-world.ts";
import type { ProfiledThread } from "./cpu-profile.ts";
import { readProfiles } from "./cpu-profile.ts";
import { startForwarding, WINDOW } from "./measure-chain.ts";
import type { Measured } from "./measures.ts";
import { startGateway, startPortProgram } from "./programs.ts";

const SHOWN = 12;

export async function measureProfile(world: BenchWorld): Promise<Measured> {
  const { scale, load, connections } = world;
  const remarks: string[] = [];
  if (scale.profileMs > 0) {
    const { warmUpMs, profileMs: ms } = scale;
    const options = profiling(world);
    const store = world.newStore("profiled");
    const intake = await startGateway(world.settings(store, options.settings));
    await load.ask<"intake">({ kind: "intake", port: intake.smtpPort, connections, warmUpMs, ms });
    await intake.stop();
    await world.dropStore(store);
    remarks.push(...described("intake", readProfiles(options.folder, intake.pid)));
    world.say("profiled: intake");

    const target = await startPortProgram("bare-target.ts");
    const url = `http://127.0.0.1:${target.port}/services/DemandeLogementImplService/`;
    const chain = await startForwarding(world, url, options.settings);
    const port = chain.smtpPort;
    await load.ask<"chain">({ kind: "chain", port, connections, window: WINDOW, warmUpMs, ms });
    await chain.end();
    await target.stop();
    remarks.push(...described("end to end", readProfiles(options.folder, chain.pid)));
    world.say("profiled: end to end");
    rmSync(options.folder, { recursive: true, force: true });
  }
  return {
    title: "Where the gateway spends its time (profiled apart)",
    rows: [],
    spent: [],
    remarks,
  };
}

function profiling({ folder }: BenchWorld): { folder: string; settings: Record<string, string> } {
  const profiles = join(folder, "profiles");
  mkdirSync(profiles, { recursive: true });
  return {
    folder: profiles,
    settings: { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` },
  };
}

function described(load: string, threads: readonly ProfiledThread[]): string[] {
  return threads.map(({ name, places }) => {
    const shown = places.slice(0, SHOWN).map(({ place, share }) => {
      return `${place} ${(share * 100).toFixed(0)} %`;
    });
    return `${load}, ${name}: ${shown.join(", ")}.`;
  });
}
