/**
 * The program `passerelle`: reads its command line, runs one command, gives back an exit code.
 *
 * Promise: the exit code tells a script what happened (`EXIT` of `cli-context.ts`), with `--json`
 * everything on standard output is one JSON document and errors are JSON on standard error too.
 */
import { Command, CommanderError } from "commander";
import { messageOf } from "../../domain/errors.ts";
import type { DoctorCheck } from "../../operate/doctor-check.ts";
import type { Clock } from "../../runtime/clock.ts";
import { addFluxCommands } from "./add-flux-commands.ts";
import { showBilan } from "./bilan-command.ts";
import { EXIT, UsageError, type CliContext } from "./cli-context.ts";
import { makeConnection } from "./connection.ts";
import { runDoctor } from "./doctor-command.ts";
import { frenchHelp, frenchUsageError, withFrenchHelp } from "./french-usage.ts";
import { readSeconds } from "./read-options.ts";
import { makeReadable } from "./readable.ts";
import { sendFiles, type SendOptions } from "./send-command.ts";
import { showSettings } from "./settings-command.ts";
import { copyStoreCommand, type StoreCommands } from "./store-command.ts";
import { makeTerminal, type Output } from "./terminal.ts";

/** The programs that the command line starts, made by the composition. */
export interface CliCommands {
  /** Runs the gateway until it is told to stop. */
  serve(): Promise<number>;
  /** Runs the stand-in SNE; its arguments are its own. */
  standin(args: readonly string[]): Promise<number>;
  doctor(): AsyncIterable<DoctorCheck>;
  readonly store: StoreCommands;
}

export interface CliOptions {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  readonly version: string;
  readonly commands: CliCommands;
  readonly fetch?: typeof globalThis.fetch;
}

export async function runCli(options: CliOptions): Promise<number> {
  const { argv, env, stdout, stderr, clock, commands } = options;
  // Its options are its own, `--help` among them: nothing of them is read here.
  if (argv[0] === "standin") return commands.standin(argv.slice(1));

  const terminal = makeTerminal({ stdout, stderr, env });
  const readable = makeReadable(env["TZ"] ?? "Europe/Paris");
  let exitCode: number = EXIT.ok;

  const program = withFrenchHelp(new Command("passerelle"))
    .description(
      "Passerelle SNE : garde chaque flux reçu jusqu'à ce que le SNE l'ait acquitté, et montre où il en est.",
    )
    .version(options.version, "-V, --version", "affiche la version")
    .option("--json", "écrit du JSON, pour un programme")
    .option(
      "--url <url>",
      "adresse de la passerelle (sinon PASSERELLE_URL, sinon http://127.0.0.1:8080)",
    )
    .option("--key <clé>", "clé d'exploitant ou de guichet (plutôt : PASSERELLE_KEY)")
    .usage("COMMANDE [options]")
    .configureHelp(frenchHelp((title) => terminal.paint("strong", title)))
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      // Usage errors are told in French below; what is left here is help shown for want of a command.
      writeErr: (text) => void stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(100, terminal.width),
      getErrHelpWidth: () => Math.min(100, terminal.width),
    })
    .exitOverride()
    .addHelpText("after", CODES);

  /** Runs a command with the options of this call, and remembers its exit code. */
  async function run(
    command: Command,
    act: (context: CliContext) => Promise<number> | number,
    guichet?: string,
  ): Promise<void> {
    const shared = command.optsWithGlobals<{ json?: boolean; url?: string; key?: string }>();
    const connect = makeConnection({
      env,
      ...(shared.url === undefined ? {} : { url: shared.url }),
      ...(shared.key === undefined ? {} : { key: shared.key }),
      ...(guichet === undefined ? {} : { guichet }),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    });
    exitCode = await act({
      terminal,
      readable,
      clock,
      wantsJson: shared.json === true,
      get client() {
        return connect();
      },
    });
  }
  const add = (usage: string, description: string): Command =>
    withFrenchHelp(program.command(usage).description(description));

  add("serve", "démarre la passerelle (réglages : variables GATEWAY_*)").action(async () => {
    exitCode = await commands.serve();
  });
  add(
    "standin",
    "démarre le simulateur du SNE, pour essayer sans le SNE (passerelle standin --help)",
  );
  add("send", "dépose des fichiers interfaceNuu par REST, avec la clé du guichet")
    .argument("<fichier...>", "fichiers à déposer")
    .option("--guichet <code>", "prend la clé du guichet dans PASSERELLE_KEY_<CODE>")
    .option("--name <nom>", "nom donné au fichier déposé, au lieu du sien")
    .option("--wait <secondes>", "attend la réponse du SNE et montre l'acquittement", readSeconds)
    .option("--again", "dépose à nouveau un fichier déjà envoyé (refusé ou abandonné)")
    .action((files: string[], given: SendOptions & { guichet?: string }, command: Command) =>
      run(command, (context) => sendFiles(context, files, given), given.guichet),
    );
  addFluxCommands(
    add("flux", "montre les flux, et permet à l'exploitant de décider").usage("COMMANDE [options]"),
    run,
  );
  add(
    "bilan",
    "reçus = acquittés + ouverts + en échec + abandonnés ; code 1 si la somme est fausse",
  ).action((_: unknown, command: Command) => run(command, showBilan));
  add("doctor", "vérifie les réglages, le stockage, les ports, la messagerie et le SNE").action(
    (_: unknown, command: Command) =>
      run(command, (context) => runDoctor(context, commands.doctor())),
  );
  add("settings", "montre tous les réglages et leur valeur (les secrets restent masqués)").action(
    (_: unknown, command: Command) => run(command, (context) => showSettings(context, env)),
  );
  withFrenchHelp(
    add("store", "déplace tout ce que garde une base vers une autre")
      .usage("COMMANDE [options]")
      .command("copy"),
  )
    .description("copie une base (passerelle arrêtée), vérifie la copie, et scelle la source")
    .argument(
      "<from>",
      "base à copier : chemin SQLite, mongodb://…, ou nom d'une variable qui la donne",
    )
    .argument("<to>", "base vide, écrite de même")
    .option("--abandon", "renonce à une copie inachevée : efface la copie, rouvre la source")
    .action((from: string, to: string, given: { abandon?: boolean }, command: Command) =>
      run(command, (context) =>
        copyStoreCommand(
          context,
          { from, to, abandon: given.abandon === true },
          { store: commands.store, env },
        ),
      ),
    );

  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      if (error.code !== "commander.help") tellUsage(frenchUsageError(error));
      return EXIT.usage;
    }
    if (error instanceof UsageError) {
      tellUsage(error.message, error.advice);
      return EXIT.usage;
    }
    throw error instanceof Error ? error : new Error(messageOf(error));
  }

  function tellUsage(message: string, advice = "Aide : passerelle --help"): void {
    if (argv.includes("--json")) {
      terminal.errorJson({ error: { code: "USAGE", message, advice, exitCode: EXIT.usage } });
    } else {
      terminal.errorLine(message);
      terminal.errorLine(`  ${advice}`);
    }
  }
}

const CODES = `
Codes de sortie :
  0  c'est fait
  1  réponse négative : refusé, bilan faux, contrôle en échec, pas d'acquittement à temps
  2  ligne de commande incorrecte
  3  aucune passerelle ne répond

Exemples :
  passerelle send DEMG3501.xml --wait 30
  passerelle flux list --state inDoubt
  passerelle flux show 01JZ…
  passerelle bilan --json
`;
