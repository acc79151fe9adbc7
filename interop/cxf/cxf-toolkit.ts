/**
 * Apache CXF (Maven Central): its jars, its generated clients, and a target of its own making. What
 * most French public SOAP services run on, and the SNE by the look of its names.
 */
import { globSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cachedFolder, textsOf } from "../cache.ts";
import { hasProgram, mustRun, runCommand } from "../run-command.ts";
import { absentUnless, type Toolkit } from "../toolkit.ts";
import type { WsdlSet } from "../wsdl-set.ts";

const HERE = import.meta.dirname;
const POM = join(HERE, "pom.xml");
const SOURCES = join(HERE, "java", "interop");
const COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

export function cxfVersion(): string {
  const version = /<cxf\.version>([^<]+)</.exec(readFileSync(POM, "utf8"))?.[1];
  if (version === undefined) throw new Error(`${POM} has no cxf.version`);
  return version;
}

/** @returns the class path of CXF's jars @throws Error when Java, Maven or the jars cannot be had */
export async function cxfJars(): Promise<string> {
  for (const program of ["java", "javac", "mvn"]) {
    if (!(await hasProgram(program))) throw new Error(`no ${program} on this machine`);
  }
  const folder = await cachedFolder("cxf-jars", textsOf([POM]), async (made) => {
    await mustRun("mvn", ["-q", "-B", "-f", POM, COPY_JARS, `-DoutputDirectory=${made}`]);
    if (!readdirSync(made).some((name) => name.endsWith(".jar"))) throw new Error("no jar came");
  });
  return join(folder, "*");
}

/** Generates the classes of a set and compiles our programs with them. @returns the class path */
export async function cxfClasses(set: WsdlSet): Promise<string> {
  const jars = await cxfJars();
  const sources = globSync(join(SOURCES, "*.java")).sort();
  const inputs = [cxfVersion(), ...set.texts, ...textsOf(sources)];
  const folder = await cachedFolder(`cxf-${set.name}`, inputs, async (made) => {
    const generated = join(made, "src");
    const classes = join(made, "classes");
    mkdirSync(classes);
    await mustRun("java", [
      ...[...SHORT_LIVED, "-cp", jars, join(SOURCES, "Generate.java"), generated],
      ...["interop.demandes", set.paths.demandeLogement],
      ...["interop.recherche", set.paths.rechercheDemande],
      ...["interop.evenements", set.paths.gestionPartageeEvt],
    ]);
    const all = [...globSync(join(generated, "**/*.java")), ...sources];
    await mustRun("javac", ["-nowarn", "-encoding", "UTF-8", "-cp", jars, "-d", classes, ...all]);
  });
  return `${join(folder, "classes")}:${jars}`;
}

/** For programs that live a few seconds: less compiling, and it is quick to start. */
export const SHORT_LIVED = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"] as const;

export const CXF: Toolkit = {
  name: "Apache CXF",
  framings: ["mtom", "base64"],
  prepare: () =>
    absentUnless(async () => {
      await cxfJars();
      return {
        kind: "ready",
        version: cxfVersion(),
        makeCaller: async (set) => {
          const classPath = await cxfClasses(set);
          return (job) =>
            runCommand("java", [...SHORT_LIVED, "-cp", classPath, "interop.SneCalls", job]);
        },
      };
    }),
};
