/** An example of `clients/`: how it is built, outside the repository, and how it is run. */
import { cpSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cachedFolder, textsOf } from "./cache.ts";
import { needDebianPackages } from "./debian.ts";
import { needGsoap } from "./gsoap/gsoap-toolkit.ts";
import { pythonWith } from "./python-packages.ts";
import { hasProgram, mustRun } from "./run-command.ts";
import { cxfVersion, SHORT_LIVED } from "./cxf/cxf-toolkit.ts";
import { TLS } from "./tls-files.ts";
import { ROOT } from "./wsdl-set.ts";
import { ZEEP_VERSION } from "./zeep/zeep-toolkit.ts";

export interface Example {
  readonly name: string;
  readonly toolkit: string;
  /** It can send its file in MTOM, by `PASSERELLE_MTOM`. */
  readonly mtom: boolean;
  /**
   * Makes it speak mutual TLS with the certificates of the tests: no guichet, no key.
   *
   * @param folder - for files of its own
   */
  secure(folder: string): Promise<Secured>;
  /** @returns the program, its first arguments, its version @throws Error when it cannot be had */
  build(): Promise<Built>;
}

export interface Secured {
  readonly env: Readonly<Record<string, string>>;
  /** In place of the program of `build`, where another is needed. */
  readonly built?: Built;
}

export interface Built {
  readonly version: string;
  readonly program: string;
  readonly arguments: readonly string[];
}

const CLIENTS = join(ROOT, "clients");
const WSDL = join(ROOT, "wsdl", "passerelle.wsdl");

/** As most of them take it: PEM files by their names. */
const PEM_FILES: Secured = {
  env: {
    PASSERELLE_AC: TLS.client.ca,
    PASSERELLE_CERTIFICAT: TLS.client.cert,
    PASSERELLE_CLE_PRIVEE: TLS.client.key,
  },
};

/** @param options - of make */
async function buildCpp(name: string, options: readonly string[]): Promise<Built> {
  const version = await needGsoap();
  if (!(await hasProgram("make"))) await needDebianPackages(["make"]);
  const sources = ["Makefile", "passerelle.cpp"].map((file) => join(CLIENTS, "cpp", file));
  const inputs = [version, ...options, ...textsOf([...sources, WSDL])];
  const folder = await cachedFolder(name, inputs, async (made) => {
    for (const source of sources) cpSync(source, join(made, basename(source)));
    await mustRun("make", [`WSDL=${WSDL}`, ...options], { cwd: made });
  });
  return {
    version: version.replace(/-.*/, ""),
    program: join(folder, "passerelle"),
    arguments: [],
  };
}

async function buildJava(options: readonly string[] = []): Promise<Built> {
  if (!(await hasProgram("mvn"))) throw new Error("no mvn on this machine");
  const source = join(CLIENTS, "java/src/main/java/fr/exemple/ClientPasserelle.java");
  const inputs = textsOf([join(CLIENTS, "java/pom.xml"), source, WSDL]);
  const folder = await cachedFolder("example-java", inputs, async (made) => {
    for (const name of ["pom.xml", "src"]) {
      cpSync(join(CLIENTS, "java", name), join(made, name), { recursive: true });
    }
    await mustRun("mvn", ["-q", "-B", `-Dwsdl=${WSDL}`, "package"], { cwd: made });
  });
  const classPath = `${folder}/target/client-passerelle.jar:${folder}/target/lib/*`;
  return {
    version: cxfVersion(),
    program: "java",
    arguments: [...SHORT_LIVED, ...options, "-cp", classPath, "fr.exemple.ClientPasserelle"],
  };
}

/** Java reads its own kinds of key stores. */
async function secureJava(folder: string): Promise<Secured> {
  if (!(await hasProgram("openssl"))) throw new Error("no openssl to make its key store with");
  const { ca, cert, key } = TLS.client;
  const [keys, trust] = [join(folder, "keys.p12"), join(folder, "trust.p12")];
  const password = "changeit";
  await mustRun("openssl", [
    ...["pkcs12", "-export", "-in", cert, "-inkey", key],
    ...["-out", keys, "-passout", `pass:${password}`],
  ]);
  await mustRun("keytool", [
    ...["-importcert", "-noprompt", "-alias", "ac", "-file", ca],
    ...["-keystore", trust, "-storepass", password],
  ]);
  const property = (name: string, value: string): string => `-Djavax.net.ssl.${name}=${value}`;
  const built = await buildJava([
    ...[property("keyStore", keys), property("keyStorePassword", password)],
    ...[property("trustStore", trust), property("trustStorePassword", password)],
  ]);
  return { env: {}, built };
}

async function secureCpp(folder: string): Promise<Secured> {
  await needDebianPackages(["libssl-dev"]);
  const pair = join(folder, "pair.pem");
  writeFileSync(pair, textsOf([TLS.client.cert, TLS.client.key]).join("\n"));
  return {
    env: { PASSERELLE_AC: TLS.client.ca, PASSERELLE_CERTIFICAT: pair },
    built: await buildCpp("example-cpp-tls", ["TLS=1"]),
  };
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "clients/python",
    toolkit: "zeep",
    mtom: false,
    secure: () => Promise.resolve(PEM_FILES),
    build: async () => {
      const program = await pythonWith("zeep", [`zeep==${ZEEP_VERSION}`]);
      return { version: ZEEP_VERSION, program, arguments: [join(CLIENTS, "python/passerelle.py")] };
    },
  },
  {
    name: "clients/php",
    toolkit: "PHP SoapClient",
    mtom: false,
    secure: () => Promise.resolve(PEM_FILES),
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
    build: () => buildJava(),
    secure: secureJava,
  },
  {
    name: "clients/cpp",
    toolkit: "gSOAP",
    mtom: true,
    build: () => buildCpp("example-cpp", []),
    secure: secureCpp,
  },
  {
    name: "clients/curl",
    toolkit: "curl",
    mtom: false,
    secure: () => Promise.resolve(PEM_FILES),
    build: async () => {
      if (!(await hasProgram("curl"))) await needDebianPackages(["curl"]);
      const version = /curl (\S+)/.exec(await mustRun("curl", ["--version"]))?.[1] ?? "";
      return { version, program: "bash", arguments: [join(CLIENTS, "curl/passerelle.sh")] };
    },
  },
];
