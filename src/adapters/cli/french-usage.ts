/**
 * Makes commander speak French: headings of the help, and what it says of a command line that is not
 * right, with the suggestion it found. A message it has and we do not know is shown as it is.
 */
import type { Command, CommanderError, HelpConfiguration } from "commander";

const TITLES: Readonly<Record<string, string>> = {
  "Usage:": "Utilisation :",
  "Arguments:": "Arguments :",
  "Options:": "Options :",
  "Global Options:": "Options communes à toutes les commandes :",
  "Commands:": "Commandes :",
};

export function frenchHelp(paintTitle: (text: string) => string): HelpConfiguration {
  return {
    showGlobalOptions: true,
    styleTitle: (title) => paintTitle(TITLES[title] ?? title),
    // Our descriptions say their defaults themselves, in French.
    optionDescription: (option) => option.description,
  };
}

/** Gives `-h` and `help` their French descriptions. */
export function withFrenchHelp(command: Command): Command {
  return command.helpOption("-h, --help", "affiche cette aide").helpCommand(false);
}

/** The sentence of a usage error, without the prefix commander gives it. */
export function frenchUsageError(error: CommanderError): string {
  const message = error.message.replace(/^error: /, "");
  const [first = "", ...rest] = message.split("\n");
  const quoted = /'([^']*)'/.exec(first)?.[1] ?? "";
  const meant = /\(Did you mean (?:one of )?(.*?)\?\)/.exec(rest.join(" "))?.[1];
  const suggestion =
    meant === undefined ? "" : ` Vouliez-vous dire ${meant.replace(/, ([^,]*)$/, " ou $1")} ?`;
  switch (error.code) {
    case "commander.unknownCommand":
      return `La commande « ${quoted} » n'existe pas.${suggestion}`;
    case "commander.unknownOption":
      return `L'option ${quoted} n'existe pas.${suggestion}`;
    case "commander.missingArgument":
      return `Il manque l'argument ${quoted.toUpperCase()}.`;
    case "commander.optionMissingArgument":
      return `L'option ${quoted} attend une valeur.`;
    case "commander.missingMandatoryOptionValue":
      return `L'option ${quoted} est demandée.`;
    case "commander.excessArguments":
      return `Il y a trop d'arguments : ${/: (.*)\.$/.exec(first)?.[1] ?? ""}.`;
    case "commander.invalidArgument": {
      const value = /argument '([^']*)' is invalid|value '([^']*)' is invalid/.exec(first);
      const why = /is invalid[^.]*\. (.*)$/.exec(message)?.[1] ?? "";
      const given = value?.[1] ?? value?.[2];
      const subject = quoted === given ? "La valeur" : `La valeur de ${quoted}`;
      return `${subject} n'est pas acceptable${given === undefined ? "" : ` (« ${given} »)`}. ${why}`.trim();
    }
    default:
      return message;
  }
}
