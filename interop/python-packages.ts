/** Packages of PyPI in a virtual environment of their own, in the cache. */
import { join } from "node:path";
import { cachedFolder } from "./cache.ts";
import { hasProgram, mustRun } from "./run-command.ts";

/** @returns the interpreter of an environment that has the packages, `name==version` each */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  if (!(await hasProgram("python3"))) throw new Error("no python3 on this machine");
  const version = (await mustRun("python3", ["--version"])).trim();
  const folder = await cachedFolder(name, [version, ...packages], async (made) => {
    await mustRun("python3", ["-m", "venv", made]);
    await mustRun(join(made, "bin", "pip"), ["install", "-q", ...packages]);
  });
  return join(folder, "bin", "python");
}
