/**
 * Reads what `node --cpu-prof` wrote: where each thread of the gateway spent its time, by file or
 * package. Only shares are read from it: profiling slows what it looks at.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface ProfiledThread {
  readonly name: string;
  /** Share of its time when it had something to do, by place, the greatest first. */
  readonly places: readonly { readonly place: string; readonly share: number }[];
}

/** The threads of one process. @param pid - profiles of other processes are left out */
export function readProfiles(folder: string, pid: number): readonly ProfiledThread[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".cpuprofile") && name.split(".")[3] === String(pid))
    .sort()
    .map((name) => {
      const profile = JSON.parse(readFileSync(join(folder, name), "utf8")) as Profile;
      return {
        name: name.split(".")[4] === "0" ? "main thread" : "store thread",
        places: placesOf(profile),
      };
    });
}

function placesOf({ nodes, samples, timeDeltas }: Profile): ProfiledThread["places"] {
  const placeById = new Map(nodes.map((node) => [node.id, placeOf(node)]));
  const times = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const place = placeById.get(id);
    if (place === undefined) return;
    const time = timeDeltas[index] ?? 0;
    times.set(place, (times.get(place) ?? 0) + time);
    total += time;
  });
  return [...times]
    .map(([place, time]) => ({ place, share: time / total }))
    .sort((a, b) => b.share - a.share);
}

/** Undefined for the time when there was nothing to do. */
function placeOf({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  if (functionName === "(idle)" || functionName === "(root)") return undefined;
  if (functionName === "(garbage collector)") return "garbage collector";
  if (functionName === "(program)") return "native code and system calls";
  const parts = url.split("/node_modules/");
  if (parts.length > 1) return (parts.at(-1) ?? "").split("/")[0] ?? "";
  const ours = url.indexOf("/src/");
  if (url.startsWith("file:") && ours >= 0) return url.slice(ours + 1);
  if (url.startsWith("node:")) return url.replace(/^node:internal\//, "node:").replace(/\/.*$/, "");
  return `native: ${functionName}`;
}
