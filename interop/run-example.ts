/**
 * An example of `clients/` against the gateway's own service: a file deposited, waited for, fetched,
 * confirmed; then what the stand-in and the gateway say of it. Once per toolkit, all its commands.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAttestation } from "../src/standin/attestation-pdf.ts";
import { makeDemande } from "../src/standin/sample-demandes.ts";
import { GUICHET, readEffects, sha256 } from "../test/support/world.ts";
import type { Built } from "./example.ts";
import { runCommand, type CommandResult } from "./run-command.ts";
import type { CallVerdict } from "./run-toolkit.ts";

export interface ExampleRun {
  readonly built: Built;
  /** How it says who it is: Basic, or a client certificate. */
  readonly identity: Readonly<Record<string, string>>;
  readonly soap: "1.1" | "1.2";
  readonly mtom: boolean;
  /** Its other commands too, and a deposit made again. */
  readonly whole: boolean;
  readonly serviceUrl: string;
  /** Of the gateway's REST interface; not looked at when absent. */
  readonly apiUrl?: string;
  readonly standinControlUrl: string;
  /** Another one for each run. */
  readonly run: number;
}

export async function runExample(of: ExampleRun): Promise<readonly CallVerdict[]> {
  const { built, run } = of;
  const folder = mkdtempSync(join(tmpdir(), "passerelle-exemple-"));
  const verdicts: CallVerdict[] = [];
  const check = (operation: string, complaint: string | undefined, fault = false): void => {
    const expects = fault ? "fault" : "answer";
    verdicts.push({ operation, expects, ...(complaint === undefined ? {} : { complaint }) });
  };
  const command = (...args: readonly string[]): Promise<CommandResult> =>
    runCommand(built.program, [...built.arguments, ...args], {
      cwd: folder,
      timeoutMs: 90_000,
      env: {
        PASSERELLE_URL: of.serviceUrl,
        ...of.identity,
        PASSERELLE_SOAP: of.soap,
        PASSERELLE_MTOM: of.mtom ? "oui" : "non",
      },
    });
  try {
    const bytes = makeDemande({
      ...{ typeFichier: "CRE", guichet: GUICHET, refInterne: `E${run}`, padToBytes: 60_000 },
      ...{ nom: `EXEMPLE ${run}`, prenom: "Noémie", dateNaissance: "1975-03-02" },
    });
    const name = `DEM${GUICHET}-202601150930-${String(run % 1_000_000).padStart(6, "0")}.xml`;
    writeFileSync(join(folder, name), bytes);
    writeFileSync(join(folder, "illisible.xml"), "<illisible>");
    mkdirSync(join(folder, "recu"));

    const deposited = await command("deposer", name, "recu");
    const id = /Accusé de dépôt : (\S+), état \w+, déjà reçu : non/.exec(deposited.out)?.[1];
    const number = /Résultat : ACCEPTE, numéro unique ([0-9A-Z]{18})\s*$/m.exec(deposited.out)?.[1];
    check("deposerFlux", id === undefined ? saidBy(deposited) : undefined);
    check(
      "suivreFlux",
      number === undefined || deposited.code !== 0 ? saidBy(deposited) : undefined,
    );
    check("retirerAcquittement", fetched(join(folder, "recu"), number ?? ""));
    check("confirmerAcquittement", await confirmed(of.apiUrl, id));
    const effects = (await readEffects(of.standinControlUrl)).get(sha256(bytes)) ?? 0;
    check("one effect on the SNE", effects === 1 ? undefined : `${effects} effects`);

    const refused = await command("deposer", "illisible.xml", "recu");
    const told = /^Erreur WRONG_ROOT : L.élément racine est « illisible »/m.test(refused.err);
    check("deposerFlux", told && refused.code === 1 ? undefined : saidBy(refused), true);

    if (of.whole) {
      const again = await command("deposer", name, "recu");
      const same =
        again.out.includes(`Accusé de dépôt : ${id ?? ""},`) &&
        again.out.includes("déjà reçu : oui") &&
        again.code === 0;
      check("deposerFlux again", same ? undefined : saidBy(again));
      const list = await command("lister");
      const listed = list.out.includes(id ?? "-") && list.out.includes(name);
      check("listerFluxDepuis", listed ? undefined : saidBy(list));
      const announced = await command("bordereau", name, `jamais-envoyé-${run}.xml`);
      const counted =
        announced.out.includes("1 fichier(s) connu(s) sur 2") &&
        announced.out.includes(`Absent : jamais-envoyé-${run}.xml`);
      check("deposerBordereau", counted ? undefined : saidBy(announced));
    }
    return verdicts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function saidBy({ code, out, err }: CommandResult): string {
  return `exit ${code}: ${`${out} ${err}`.replace(/\s+/g, " ").trim().slice(-400)}`;
}

/** The three files are there: the acquittement, the SNE's answer, the attestation byte for byte. */
function fetched(folder: string, number: string): string | undefined {
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  if (files.length !== 3) return `${files.length} files: ${readdirSync(folder).join(", ")}`;
  if (!files.some((file) => file.equals(makeAttestation(number)))) return "no whole attestation";
  const texts = files.map((file) => file.toString("utf8"));
  if (!texts.some((text) => text.includes("<tns:interfaceNuu") || text.includes("<interfaceNuu"))) {
    return "no file of the SNE";
  }
  const numbered = texts.filter((text) => text.includes(number)).length;
  return numbered === 3 ? undefined : `the number is in ${numbered} of 3 files`;
}

/** What the gateway itself says of the flux. */
async function confirmed(
  apiUrl: string | undefined,
  id: string | undefined,
): Promise<string | undefined> {
  if (id === undefined) return "nothing was deposited";
  if (apiUrl === undefined) return undefined;
  const response = await fetch(`${apiUrl}/api/v1/fluxes/${id}/journal`);
  const text = await response.text();
  return text.includes("acquittement.confirmed")
    ? undefined
    : `not confirmed: ${text.slice(0, 500)}`;
}
