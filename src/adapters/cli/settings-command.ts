/**
 * `settings`: every setting, its value and where it comes from. Promise: a secret never shows, not
 * even in part; settings that are not acceptable are shown with what is wrong.
 */
import { describeProblems, readSettings } from "../../runtime/settings.ts";
import { SETTINGS, type SettingRow } from "../../runtime/settings-table.ts";
import { shownStore } from "../../runtime/store-address.ts";
import { EXIT, type CliContext } from "./cli-context.ts";
import { layTable, type Column } from "./text-table.ts";

const MASK = "********";

const COLUMNS: readonly Column[] = [
  { title: "Réglage" },
  { title: "Valeur", shrinkTo: 12 },
  { title: "Origine", shrinkTo: 6 },
];

/** JSON: `{ "valid", "settings": [{ "env", "group", "value", "source", "help" }], "problems": […] }`. */
export function showSettings(
  { terminal, wantsJson }: Pick<CliContext, "terminal" | "wantsJson">,
  env: Readonly<Record<string, string | undefined>>,
): number {
  const reading = readSettings(env);
  const rows = Object.entries(SETTINGS).map(([name, row]: [string, SettingRow]) => {
    const text = env[row.env]?.trim() ?? "";
    const value =
      reading.kind === "read"
        ? Object.entries(reading.settings).find(([known]) => known === name)?.[1]
        : undefined;
    return { row, isSet: text !== "", value: shown(row, text, value) };
  });
  const problems = reading.kind === "invalid" ? reading.problems : [];
  if (wantsJson) {
    terminal.json({
      valid: problems.length === 0,
      settings: rows.map(({ row, isSet, value }) => ({
        env: row.env,
        group: row.group,
        value: value === "" ? null : value,
        source: isSet ? "environment" : "default",
        help: row.help,
      })),
      problems,
    });
    return problems.length === 0 ? EXIT.ok : EXIT.negative;
  }
  const table = layTable(
    COLUMNS,
    rows.map(({ row, isSet, value }) => [
      row.env,
      value === "" ? "—" : value,
      isSet ? "environnement" : "défaut",
    ]),
    terminal.width,
  );
  table.forEach((line, i) => {
    const isSet = i > 0 && rows[i - 1]?.isSet === true;
    terminal.line(terminal.paint(isSet ? "strong" : "faint", line));
  });
  if (problems.length === 0) return EXIT.ok;
  terminal.errorLine("");
  terminal.errorLine(terminal.paint("bad", "Des réglages ne sont pas acceptables :"));
  terminal.errorLine(describeProblems(problems));
  return EXIT.negative;
}

/** The value as text; before the settings are right, what the environment says, else the default. */
function shown(row: SettingRow, text: string, value: unknown): string {
  if (row.secret === true) return text === "" ? "" : MASK;
  if (row.env === SETTINGS.store.env && text !== "") return shownStore(text);
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (Array.isArray(value)) return value.join(", ");
  if (text !== "") return text;
  return "default" in row ? String(row.default) : "";
}
