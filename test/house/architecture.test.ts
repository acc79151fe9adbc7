/** Holds the import law (architecture.md, law 3) and the homes of packages. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "../..");

/** What each room may import from, besides itself. Outermost files may import everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  runtime: ["domain"],
  wire: [],
  keep: ["domain", "runtime"],
  arrive: ["domain", "runtime", "wire", "keep"],
  forward: ["domain", "runtime", "wire", "keep"],
  acknowledge: ["domain", "runtime", "wire", "keep"],
  reconcile: ["domain", "runtime", "keep"],
  operate: ["domain", "runtime", "keep", "reconcile", "arrive", "forward", "acknowledge"],
  adapters: [
    "domain",
    "runtime",
    "wire",
    "keep",
    "arrive",
    "forward",
    "acknowledge",
    "reconcile",
    "operate",
  ],
};
/** One step may know the words of another that both share (a type, a pure rule), by name. */
const SHARED_WORDS: readonly string[] = [
  "forward/attempt.ts -> arrive/schema-check.ts",
  "forward/attempt.ts -> arrive/schema-controls.ts",
];
/** A package with one home: the adapter folder that alone may import it. */
const HOMES: Readonly<Record<string, string>> = {
  "node:sqlite": "sqlite",
  mongoose: "mongo",
  soap: "sne",
  undici: "sne",
  opossum: "breaker",
  express: "http",
  "prom-client": "http",
  helmet: "http",
  "@fastify/busboy": "http",
  "smtp-server": "mail",
  nodemailer: "mail",
  "postal-mime": "mail",
  "libxml2-wasm": "xml",
  pino: "log",
  commander: "cli",
  "jsonc-parser": "config",
};

export interface SourceImport {
  readonly file: string;
  readonly target: string;
}

/** Every import of every file of `src/`; targets are paths in `src/` or package names. */
function readImports(): SourceImport[] {
  return globSync("src/**/*.ts", { cwd: root }).flatMap((path) => {
    const file = relative("src", path);
    const text = readFileSync(join(root, path), "utf8");
    const specifiers = text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)"|import\("([^"]+)"\)/g,
    );
    return [...specifiers].map(([, statical, dynamic]) => {
      const specifier = statical ?? dynamic ?? "";
      const target = specifier.startsWith(".") ? join(dirname(file), specifier) : specifier;
      return { file, target };
    });
  });
}

/** The first folder of a path in `src/`, or undefined for an outermost file. */
function roomOf(path: string): string | undefined {
  return path.includes("/") ? path.split("/")[0] : undefined;
}

export function breaches(imports: readonly SourceImport[]): string[] {
  const found: string[] = [];
  for (const { file, target } of imports) {
    const room = roomOf(file);
    const arrow = `${file} -> ${target}`;
    const isOurs = target.endsWith(".ts");
    if (!isOurs) {
      const home =
        HOMES[
          target.startsWith("@") || target.startsWith("node:")
            ? target
            : (target.split("/")[0] ?? "")
        ];
      const allowedHome = home === undefined || file.startsWith(`adapters/${home}/`);
      if (!allowedHome) found.push(`${arrow}: ${target} lives in adapters/${home}`);
      if (!target.startsWith("node:") && room !== "adapters")
        found.push(`${arrow}: packages only under adapters/`);
      if (room === "domain") found.push(`${arrow}: the domain imports nothing`);
      continue;
    }
    if (room === undefined || room === "standin") continue;
    const other = roomOf(target);
    if (other === room) {
      const [, mine] = file.split("/");
      const [, theirs] = target.split("/");
      if (room === "adapters" && mine !== theirs)
        found.push(`${arrow}: one adapter never imports another`);
      continue;
    }
    if (SHARED_WORDS.includes(arrow)) continue;
    // The stand-in is a program of its own: its one port is met by its one adapter.
    if (file.startsWith("adapters/standin-xml/") && target === "standin/standin-xml.ts") continue;
    if (other === undefined || !(MAY_IMPORT[room] ?? []).includes(other)) found.push(arrow);
  }
  return found;
}

describe("the house", () => {
  const imports = readImports();

  it("imports inward only, and packages only from their home", () => {
    assert.deepEqual(breaches(imports), []);
  });

  it("would notice a breach", () => {
    const wrong = [
      { file: "domain/flux.ts", target: "keep/outbox.ts" },
      { file: "arrive/receive.ts", target: "forward/attempt.ts" },
      { file: "adapters/mail/x.ts", target: "adapters/http/y.ts" },
      { file: "keep/x.ts", target: "express" },
      { file: "adapters/http/x.ts", target: "soap" },
      { file: "adapters/http/x.ts", target: "gateway.ts" },
    ];
    assert.ok(breaches(wrong).length >= wrong.length);
  });

  it("reads every import", () => {
    assert.ok(imports.length > 100, `only ${imports.length} imports were read`);
    assert.ok(imports.some(({ target }) => target === "domain/flux.ts"));
  });

  it("opens each file by saying its duty", () => {
    const silent = globSync("{src,test,demo,bench,scripts}/**/*.{ts,mjs}", { cwd: root }).filter(
      (path) => !readFileSync(join(root, path), "utf8").startsWith("/**"),
    );
    assert.deepEqual(silent, []);
  });

  it("has no grab-bag, no barrel, no default export in src", () => {
    const files = globSync("src/**/*.ts", { cwd: root });
    const bags = files.filter((path) =>
      /\/(utils?|helpers?|types|common|index|misc)\.ts$/.test(path),
    );
    assert.deepEqual(bags, []);
    const defaults = files.filter((path) =>
      /^export default /m.test(readFileSync(join(root, path), "utf8")),
    );
    assert.deepEqual(defaults, []);
  });

  it("reads the clock and chance only where they are injected from", () => {
    const allowed = ["src/runtime/clock.ts"];
    const readers = globSync("src/**/*.ts", { cwd: root }).filter(
      (path) =>
        !allowed.includes(path) &&
        /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandom(?:Bytes|UUID|Int)\(/.test(
          readFileSync(join(root, path), "utf8"),
        ),
    );
    assert.deepEqual(readers, []);
  });
});
