/**
 * libsne 0.1.0a8 (PyPI), the one public client written for the SNE, run as it was published. It is
 * under the AGPL: it is fetched and run, never copied. Its source distribution also carries the
 * ministry's WSDLs.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { cachedFolder } from "../cache.ts";
import { pythonWith } from "../python-packages.ts";
import { mustRun, runCommand } from "../run-command.ts";
import { absentUnless, type Toolkit } from "../toolkit.ts";

const VERSION = "0.1.0a8";
// Only a source distribution is published; it declares its own needs loosely.
const BUILD = ["setuptools==75.8.0", "wheel==0.45.1"];
const NEEDS = ["jinja2==3.1.6", "lxml==6.0.2", "six==1.17.0"];
const PROGRAM = join(import.meta.dirname, "libsne_calls.py");

/** @returns the folder of its unpacked sources @throws Error when it cannot be had */
export async function libsneSources(): Promise<string> {
  const folder = await cachedFolder("libsne", [VERSION, ...BUILD], async (made) => {
    const python = await pythonWith("libsne-python", [...BUILD, ...NEEDS]);
    const options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", made];
    const download = ["-m", "pip", "download", "-q", ...options, `libsne==${VERSION}`];
    await mustRun(python, download);
    const [archive] = globSync(join(made, "libsne-*.tar.gz"));
    if (archive === undefined) throw new Error("pip brought no source distribution of libsne");
    await mustRun("tar", ["xzf", archive, "-C", made]);
  });
  return join(folder, `libsne-${VERSION}`);
}

export const LIBSNE: Toolkit = {
  name: "libsne",
  framings: ["mtom"],
  tlsOnly: true,
  noWsdl: true,
  checksFiles: true,
  // It hands over the XML file it finds in the answer, nothing else.
  noAttestation: true,
  operations: [
    "getNumUnique",
    "getDemandeLogement",
    "getDoublons",
    "getDemandesRadieesDepuisLe",
    "getNouveauxDaloDepuisLe",
  ],
  prepare: () =>
    absentUnless(async () => {
      const sources = await libsneSources();
      const python = await pythonWith("libsne-python", [...BUILD, ...NEEDS]);
      const minor = Number(/3\.(\d+)/.exec(await mustRun(python, ["--version"]))?.[1]);
      if (minor > 11) {
        return {
          kind: "absent",
          why: `it passes cert_file to HTTPSConnection, which Python 3.${minor} no longer takes (3.11 does)`,
        };
      }
      return {
        kind: "ready",
        version: VERSION,
        makeCaller: () =>
          Promise.resolve((job) =>
            runCommand(python, ["-W", "ignore", PROGRAM, job], { env: { PYTHONPATH: sources } }),
          ),
      };
    }),
};
