/** The commands under `flux`: their arguments and options, and what each runs. */
import type { Command } from "commander";
import type { CliContext } from "./cli-context.ts";
import { doToEach, resolutionOf, type ResolveOptions } from "./flux-actions.ts";
import { listFluxes, showFlux, type ListOptions } from "./flux-commands.ts";
import { withFrenchHelp } from "./french-usage.ts";
import { readLimit, readResolution, readStates } from "./read-options.ts";

export type RunCommand = (
  command: Command,
  act: (context: CliContext) => Promise<number> | number,
) => Promise<void>;

const DEFAULT_LIMIT = 20;

export function addFluxCommands(flux: Command, run: RunCommand): void {
  const add = (usage: string, description: string): Command =>
    withFrenchHelp(flux.command(usage).description(description));

  add("list", "liste les flux, les plus récents d'abord")
    .option(
      "--state <état>",
      "seulement ces états, séparés par des virgules (kept, inDoubt, failed…)",
      readStates,
    )
    .option("--guichet <code>", "seulement ce guichet")
    .option("--numero <numéro>", "seulement ce numéro unique")
    .option(
      "--limit <nombre>",
      `au plus ce nombre de flux (sinon ${DEFAULT_LIMIT})`,
      readLimit,
      DEFAULT_LIMIT,
    )
    .option("--all", "tous, page après page")
    .option("--oldest", "les plus anciens d'abord")
    .action((options: ListOptions, command: Command) =>
      run(command, (context) => listFluxes(context, options)),
    );
  add("show", "dit tout d'un flux : où il en est, ce qu'il attend, son journal")
    .argument("<id>", "identifiant du flux")
    .action((id: string, _: unknown, command: Command) =>
      run(command, (context) => showFlux(context, id)),
    );
  add("resolve", "tranche un doute, après vérification dans le SNE")
    .argument("<id>", "identifiant du flux en doute")
    .requiredOption(
      "--as <conclusion>",
      "accepted, refused, resend (le renvoyer) ou failed",
      readResolution,
    )
    .option("--numero <numéro>", "le numéro unique lu dans le SNE (avec accepted)")
    .option("--note <texte>", "l'explication (demandée avec refused et failed)")
    .action((id: string, options: ResolveOptions, command: Command) => {
      const body = resolutionOf(options);
      return run(command, (context) =>
        doToEach(context, [id], (client, one) => client.resolve(one, body)),
      );
    });
  add("resubmit", "transmet à nouveau des flux en échec")
    .argument("<id...>", "identifiants")
    .action((ids: string[], _: unknown, command: Command) =>
      run(command, (context) => doToEach(context, ids, (client, one) => client.resubmit(one))),
    );
  add("release", "libère des flux de la quarantaine")
    .argument("<id...>", "identifiants")
    .action((ids: string[], _: unknown, command: Command) =>
      run(command, (context) => doToEach(context, ids, (client, one) => client.release(one))),
    );
  add("discard", "renonce à des flux ; leur expéditeur en est averti")
    .argument("<id...>", "identifiants")
    .requiredOption("--reason <texte>", "le motif, que l'expéditeur lira")
    .action((ids: string[], { reason }: { reason: string }, command: Command) =>
      run(command, (context) =>
        doToEach(context, ids, (client, one) => client.discard(one, reason)),
      ),
    );
}
