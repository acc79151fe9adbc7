/** `flux list` and `flux show`: what is here, and all that is known of one flux. */
import { EXIT, type CliContext } from "./cli-context.ts";
import { reportFlux, reportFluxes, reportJournal } from "./flux-report.ts";
import type { FluxView } from "./read-views.ts";
import { tellFailure } from "./tell-failure.ts";

export interface ListOptions {
  readonly state?: readonly string[];
  readonly guichet?: string;
  readonly numero?: string;
  readonly limit: number;
  readonly all?: boolean;
  readonly oldest?: boolean;
}

/** Fluxes asked for at once when all are wanted. */
const PAGE = 500;

/** JSON: `{ "fluxes": [Flux…], "next"?: string }`. */
export async function listFluxes(context: CliContext, options: ListOptions): Promise<number> {
  const { client, terminal, readable, wantsJson } = context;
  const found: FluxView[] = [];
  let next: string | undefined;
  do {
    const answer = await client.list({
      limit: String(options.all === true ? PAGE : options.limit),
      order: options.oldest === true ? "oldestFirst" : "newestFirst",
      ...(options.state === undefined ? {} : { state: options.state.join(",") }),
      ...(options.guichet === undefined ? {} : { guichet: options.guichet }),
      ...(options.numero === undefined ? {} : { numUnique: options.numero }),
      ...(next === undefined ? {} : { after: next }),
    });
    if (answer.kind !== "ok") return tellFailure(context, answer);
    found.push(...answer.value.fluxes);
    next = answer.value.next;
  } while (options.all === true && next !== undefined);

  if (wantsJson) {
    terminal.json({
      fluxes: found.map((flux) => flux.raw),
      ...(next === undefined ? {} : { next }),
    });
    return EXIT.ok;
  }
  if (found.length === 0) {
    terminal.line("Aucun flux ne correspond.");
    return EXIT.ok;
  }
  for (const line of reportFluxes(found, terminal, readable)) terminal.line(line);
  if (next !== undefined) {
    terminal.line(
      terminal.paint(
        "faint",
        `… ${found.length} flux montrés, d'autres suivent : --all ou --limit.`,
      ),
    );
  }
  return EXIT.ok;
}

/** JSON: `{ "flux": Flux, "journal": [JournalEntry…] }`. */
export async function showFlux(context: CliContext, id: string): Promise<number> {
  const { client, terminal, readable, wantsJson } = context;
  const flux = await client.flux(id);
  if (flux.kind !== "ok") return tellFailure(context, flux);
  const journal = await client.journal(id);
  if (journal.kind !== "ok") return tellFailure(context, journal);
  if (wantsJson) {
    terminal.json({ flux: flux.value.raw, journal: journal.value.map((entry) => entry.raw) });
    return EXIT.ok;
  }
  for (const line of reportFlux(flux.value, terminal, readable)) terminal.line(line);
  for (const line of reportJournal(journal.value, terminal, readable)) terminal.line(line);
  for (const line of whatToDo(flux.value)) terminal.line(line);
  return EXIT.ok;
}

/** The commands that make sense in the state of a flux. */
function whatToDo({ id, state }: FluxView): string[] {
  switch (state) {
    case "inDoubt":
      return [
        "",
        "Vérifiez dans le SNE si ce flux a eu son effet, puis :",
        `  il l'a eu      passerelle flux resolve ${id} --as accepted --numero NUMÉRO`,
        `  il ne l'a pas  passerelle flux resolve ${id} --as resend`,
        `  il a refusé    passerelle flux resolve ${id} --as refused --note "…"`,
      ];
    case "failed":
      return [
        "",
        `  passerelle flux resubmit ${id}    pour le transmettre à nouveau`,
        `  passerelle flux discard ${id} --reason "…"    pour y renoncer`,
      ];
    case "quarantined":
      return [
        "",
        `  passerelle flux release ${id}    si l'expéditeur est légitime`,
        `  passerelle flux discard ${id} --reason "…"    sinon`,
      ];
    default:
      return [];
  }
}
