/** Debian packages of the toolkits that come from nowhere else; installed when we may. */
import { hasProgram, mustRun, runCommand } from "./run-command.ts";

/**
 * Makes sure that packages are installed. Their presence is asked of dpkg, so that a second run
 * changes nothing.
 *
 * @throws Error that says what to install by hand, where we may not
 */
export async function needDebianPackages(names: readonly string[]): Promise<void> {
  if (!(await hasProgram("dpkg-query"))) {
    throw new Error(`not a Debian system: install ${names.join(", ")} by hand`);
  }
  const missing: string[] = [];
  for (const name of names) {
    const { code, out } = await runCommand("dpkg-query", ["-W", "-f=${Status}", name]);
    if (code !== 0 || !out.includes("install ok installed")) missing.push(name);
  }
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`needs, as root: apt-get install ${missing.join(" ")}`);
  }
  const install = ["install", "-y", "-q", "--no-install-recommends", ...missing];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // Lists may be old, or none: they are fetched only when they do not do.
  if ((await runCommand("apt-get", install, { env })).code === 0) return;
  await mustRun("apt-get", ["update", "-q"]);
  await mustRun("apt-get", install, { env });
}
