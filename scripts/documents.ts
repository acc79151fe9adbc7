/**
 * The documents made from tables of the code: settings, errors, states. Pure: `write-docs.ts` writes
 * them, `test/house/documented.test.ts` compares them.
 */
import { INDEXES } from "../src/adapters/mongo/indexes.ts";
import { ERRORS } from "../src/domain/errors.ts";
import { JOURNAL_EVENTS } from "../src/domain/events.ts";
import { BILAN_COLUMNS, FLUX_STATES, MOVES, holdsLane } from "../src/domain/flux-state.ts";
import { SETTINGS, type SettingRow } from "../src/runtime/settings-table.ts";

export interface GeneratedDocument {
  readonly path: string;
  readonly text: string;
}

const MADE = "made from the code by `npm run docs`; a test compares them";

/** @param read - reads a file of the project, for the documents that are only partly made */
export function documents(read: (path: string) => string): readonly GeneratedDocument[] {
  return [
    { path: "docs/settings.md", text: settingsDocument() },
    { path: "docs/errors.md", text: errorsDocument() },
    { path: "config/gateway.env", text: environmentFile() },
    withBlocks(read, "docs/lifecycle.md", lifecycleBlocks()),
    withBlocks(read, "docs/mongodb.md", { indexes: indexTable() }),
  ];
}

function settingRows(): readonly SettingRow[] {
  return Object.values(SETTINGS);
}

function groups(): readonly SettingRow["group"][] {
  return [...new Set(settingRows().map((row) => row.group))];
}

function shownDefault(row: SettingRow): string {
  switch (row.kind) {
    case "optional":
    case "list":
      return "";
    case "flag":
      return String(row.default);
    case "milliseconds":
    case "bytes":
    case "integer":
      return String(row.default);
    case "choice":
    case "text":
      return row.default;
    case "choices":
      return row.default.join(",");
  }
}

function shownShape(row: SettingRow): string {
  switch (row.kind) {
    case "optional":
      return row.secret === true ? "secret, may be unset" : "text, may be unset";
    case "list":
      return "list";
    case "flag":
      return "true or false";
    case "milliseconds":
      return `ms, ${row.min} to ${row.max} (30s, 5m, 2h)`;
    case "bytes":
      return `bytes, ${row.min} to ${row.max} (500k, 20m)`;
    case "integer":
      return `integer, ${row.min} to ${row.max}`;
    case "choice":
      return row.oneOf.map((one) => `\`${one}\``).join(", ");
    case "choices":
      return `list of ${row.oneOf.map((one) => `\`${one}\``).join(", ")}`;
    case "text":
      return "text";
  }
}

function settingsDocument(): string {
  const lines = [
    "# Settings",
    "",
    `All of them, ${MADE}. They are read from the environment once, at start; an unknown`,
    "`GATEWAY_*` name or a value out of shape stops the start with a sentence that says which, and",
    "suggests the name that was meant. `passerelle settings` shows the values in force, `passerelle",
    "doctor` checks that they work. `config/gateway.env` is the same list, ready to fill in.",
  ];
  for (const group of groups()) {
    lines.push(
      "",
      `## ${group}`,
      "",
      "| Setting | Shape | Default | What it does |",
      "| --- | --- | --- | --- |",
    );
    for (const row of settingRows().filter((one) => one.group === group)) {
      const byDefault = shownDefault(row);
      const cell = byDefault === "" ? "" : `\`${byDefault}\``;
      lines.push(
        `| \`${row.env}\` | ${shownShape(row)} | ${cell} | ${row.help.replaceAll("|", "\\|")} |`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function environmentFile(): string {
  const lines = [
    "# Settings of the gateway: every one, at its default. Remove the leading # to change a value.",
    "# node --env-file=config/gateway.env, systemd's EnvironmentFile= and docker --env-file read it.",
    "# Made from the code by `npm run docs`; docs/settings.md says the same as a table.",
  ];
  for (const group of groups()) {
    lines.push("", `# --- ${group} ${"-".repeat(Math.max(0, 90 - group.length))}`);
    for (const row of settingRows().filter((one) => one.group === group)) {
      lines.push("", ...wrap(row.help, 94).map((line) => `# ${line}`));
      lines.push(`# (${shownShape(row).replaceAll("`", "")})`, `#${row.env}=${shownDefault(row)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}

function errorsDocument(): string {
  const told = { sender: "sender", operator: "operator", both: "sender and operator" } as const;
  const lines = [
    "# Errors",
    "",
    `Every code of the gateway, ${MADE}. Programs match the code, people read the sentence. A code`,
    "travels in problem+json (`type` is `urn:passerelle-sne:error:CODE`), in the controls of a",
    "negative acquittement, in the journal of a flux and in the logs. Codes that begin with",
    "`CTRL_DEM_` are the SNE's own; those that begin with `SCHEMA_` say where a file departs from the",
    "schema (`schemas/README.md`).",
    "",
    "| Code | HTTP | Read by | Sentence | What to do |",
    "| --- | --- | --- | --- | --- |",
    ...Object.entries(ERRORS).map(
      ([code, row]) =>
        `| \`${code}\` | ${row.status} | ${told[row.told]} | ${row.text} | ${row.advice} |`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function lifecycleBlocks(): Readonly<Record<string, string>> {
  const column = (state: string): string =>
    Object.entries(BILAN_COLUMNS).find(([, states]) => states.some((one) => one === state))?.[0] ??
    "";
  return {
    moves: [
      "| State | Leaves for | Holds its lane | Column of the bilan |",
      "| --- | --- | --- | --- |",
      ...FLUX_STATES.map((state) => {
        const next = MOVES[state].map((one) => `\`${one}\``).join(", ");
        return `| \`${state}\` | ${next === "" ? "(end)" : next} | ${holdsLane(state) ? "yes" : "no"} | ${column(state)} |`;
      }),
    ].join("\n"),
    events: JOURNAL_EVENTS.map((name) => `\`${name}\``).join(", "),
  };
}

/** Replaces what stands between `<!-- made: NAME -->` and `<!-- end -->`. */
function indexTable(): string {
  return [
    "| Collection | Index | Keys | Only | Serves |",
    "| --- | --- | --- | --- | --- |",
    ...INDEXES.map(({ collection, name, key, options, serves }) => {
      const keys = Object.keys(key).join(", ");
      const only = [
        ...(options?.unique === true ? ["unique"] : []),
        ...Object.keys(options?.partialFilterExpression ?? {}).map((field) => `with \`${field}\``),
      ].join(", ");
      return `| \`${collection}\` | \`${name}\` | ${keys} | ${only} | ${serves} |`;
    }),
  ].join("\n");
}

/** A document written by hand, but for its blocks. */
function withBlocks(
  read: (path: string) => string,
  path: string,
  blocks: Readonly<Record<string, string>>,
): GeneratedDocument {
  const text = Object.entries(blocks).reduce((done, [name, block]) => {
    const start = `<!-- made: ${name} -->`;
    const from = done.indexOf(start);
    const to = done.indexOf("<!-- end -->", from);
    if (from < 0 || to < 0) throw new Error(`${path} lacks its block ${name}`);
    return `${done.slice(0, from + start.length)}\n\n${block}\n\n${done.slice(to)}`;
  }, read(path));
  return { path, text };
}
