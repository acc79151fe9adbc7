/**
 * What this disk gives: 10 KB appended and fdatasynced, one after the other. Every durable figure
 * should be read beside it.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BenchWorld } from "./bench-world.ts";
import type { Measured } from "./measures.ts";
import { whole } from "./measures.ts";
import { FILE_BYTES } from "./sample-flows.ts";
import { quantile } from "./statistics.ts";

export function measureDisk(world: BenchWorld): Promise<Measured> {
  const { folder, scale } = world;
  const path = join(folder, "disk");
  const file = openSync(path, "w");
  const bytes = Buffer.alloc(FILE_BYTES, "x");
  const syncs: number[] = [];
  const begun = performance.now();
  const until = begun + scale.diskMs;
  while (performance.now() < until) {
    writeSync(file, bytes);
    const written = performance.now();
    fdatasyncSync(file);
    syncs.push(performance.now() - written);
  }
  const seconds = (performance.now() - begun) / 1_000;
  closeSync(file);
  rmSync(path);
  const perSecond = syncs.length / seconds;
  world.say(`disk: ${whole(perSecond)} write + fdatasync of 10 KB a second`);
  return Promise.resolve({
    title: "Disk",
    rows: [
      {
        what: "disk: 10 KB written and fdatasynced, one at a time (per second)",
        gateway: "",
        reference: `${whole(perSecond)} (fdatasync p50 ${ms(quantile(syncs, 0.5))}, p99 ${ms(quantile(syncs, 0.99))} ms)`,
        ratio: "",
        aim: "",
      },
    ],
    spent: [],
    remarks: [],
  });
}

function ms(value: number): string {
  return value.toFixed(2);
}
