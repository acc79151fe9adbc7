/** Holds the examples of `clients/` to the WSDL they are for, and to the README that presents them. */
import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXAMPLES } from "../../interop/example.ts";
import { makeDemande } from "../../src/standin/sample-demandes.ts";

const root = join(import.meta.dirname, "../..");
const clients = join(root, "clients");
const read = (path: string): string => readFileSync(path, "utf8");

const wsdl = read(join(root, "wsdl/passerelle.wsdl"));
const operations = new Set(
  [...wsdl.matchAll(/<wsdl:operation name="([^"]+)"/g)].map(([, name]) => name ?? ""),
);
const folders = readdirSync(clients, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "recu")
  .map(({ name }) => name);

describe("the examples of clients", () => {
  it("are all presented in their README", () => {
    const readme = read(join(clients, "README.md"));
    const missing = folders.filter((folder) => !readme.includes(`| \`${folder}/\` |`));
    assert.deepEqual(missing, []);
  });

  it("are all run by npm run interop, but .NET, which says that it is not", () => {
    const run = EXAMPLES.map(({ name }) => name.replace("clients/", ""));
    const left = folders.filter((folder) => !run.includes(folder));
    assert.deepEqual(left, ["dotnet"]);
    assert.match(read(join(clients, "dotnet/README.md")), /n'a pas été exécuté/);
  });

  for (const folder of folders) {
    it(`${folder} calls what the WSDL has, and goes from the deposit to the confirmation`, () => {
      const text = globSync(join(clients, folder, "**/*.{py,php,java,cpp,sh,md}"), {
        exclude: ["**/target/**"],
      })
        .filter((path) => !path.includes("/soap"))
        .map(read)
        .join("\n");
      const named = new Set(
        [...text.matchAll(/(?:deposer|suivre|lister|retirer|confirmer)[A-Z][A-Za-z]+/g)].map(
          ([name]) => name.replace(/(?:Reponse|Request|Async)+$/, ""),
        ),
      );
      const unknown = [...named].filter((name) => !operations.has(name));
      assert.deepEqual(unknown, []);
      const steps = ["deposerFlux", "suivreFlux", "retirerAcquittement", "confirmerAcquittement"];
      assert.deepEqual(
        steps.filter((step) => !named.has(step)),
        [],
      );
    });
  }

  it("deposit a demande that is fictitious, and ours", () => {
    const sample = makeDemande({
      ...{ typeFichier: "CRE", guichet: "75A01", refInterne: "EXEMPLE-1" },
      ...{ prefix: "tns", seed: 2 },
    });
    const file = readFileSync(join(clients, "DEM75A01-202601150930-000001.xml"));
    assert.ok(file.equals(sample));
  });
});
