/** An example of `clients/`: how it is built, outside the repository, and how it is run. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { cachedFolder, textsOf } from "./cache.ts";
import { needDebianPackages } from "./debian.ts";
import { needGsoap } from "./gsoap/gsoap-toolkit.ts";
import { pythonWith } from "./python-packages.ts";
import { hasProgram, mustRun } from "./run-command.ts";
import { cxfVersion } from "./cxf/cxf-toolkit.ts";
import { ROOT } from "./wsdl-set.ts";
import { ZEEP_VERSION } from "./zeep/zeep-toolkit.ts";

export interface Example {
  readonly name: string;
  readonly toolkit: string;
  /** It can send its file in MTOM, by `PASSERELLE_MTOM`. */
  readonly mtom: boolean;
  /** @returns the program, its first arguments, its version @throws Error when it cannot be had */
  build(): Promise<Built>;
}

export interface Built {
  readonly version: string;
  readonly program: string;
  readonly arguments: readonly string[];
}

const CLIENTS = join(ROOT, "clients");
const WSDL = join(ROOT, "wsdl", "passerelle.wsdl");

export const EXAMPLES: readonly Example[] = [
  {
    name: "clients/python",
    toolkit: "zeep",
    mtom: false,
    build: async () => {
      const program = await pythonWith("zeep", [`zeep==${ZEEP_VERSION}`]);
      return { version: ZEEP_VERSION, program, arguments: [join(CLIENTS, "python/passerelle.py")] };
    },
  },
  {
    name: "clients/php",
    toolkit: "PHP SoapClient",
    mtom: false,
    build: async () => {
      await needDebianPackages(["php-cli", "php-soap"]);
      const version = (await mustRun("php", ["-r", "echo PHP_VERSION;"])).trim();
      return { version, program: "php", arguments: [join(CLIENTS, "php/passerelle.php")] };
    },
  },
  {
    name: "clients/java",
    toolkit: "Apache CXF",
    mtom: true,
    build: async () => {
      if (!(await hasProgram("mvn"))) throw new Error("no mvn on this machine");
      const source = join(CLIENTS, "java/src/main/java/fr/exemple/ClientPasserelle.java");
      const inputs = textsOf([join(CLIENTS, "java/pom.xml"), source, WSDL]);
      const folder = await cachedFolder("example-java", inputs, async (made) => {
        cpSync(join(CLIENTS, "java"), made, { recursive: true });
        await mustRun("mvn", ["-q", "-B", `-Dwsdl=${WSDL}`, "package"], { cwd: made });
      });
      const classPath = `${folder}/target/client-passerelle.jar:${folder}/target/lib/*`;
      return {
        version: cxfVersion(),
        program: "java",
        arguments: ["-cp", classPath, "fr.exemple.ClientPasserelle"],
      };
    },
  },
  {
    name: "clients/cpp",
    toolkit: "gSOAP",
    mtom: true,
    build: async () => {
      const version = await needGsoap();
      if (!(await hasProgram("make"))) await needDebianPackages(["make"]);
      const sources = ["Makefile", "passerelle.cpp"].map((name) => join(CLIENTS, "cpp", name));
      const inputs = [version, ...textsOf([...sources, WSDL])];
      const folder = await cachedFolder("example-cpp", inputs, async (made) => {
        for (const source of sources)
          cpSync(source, join(made, source.slice(source.lastIndexOf("/"))));
        await mustRun("make", [`WSDL=${WSDL}`], { cwd: made });
      });
      return {
        version: version.replace(/-.*/, ""),
        program: join(folder, "passerelle"),
        arguments: [],
      };
    },
  },
  {
    name: "clients/curl",
    toolkit: "curl",
    mtom: false,
    build: async () => {
      if (!(await hasProgram("curl"))) await needDebianPackages(["curl"]);
      const version = /curl (\S+)/.exec(await mustRun("curl", ["--version"]))?.[1] ?? "";
      return { version, program: "bash", arguments: [join(CLIENTS, "curl/passerelle.sh")] };
    },
  },
];
