/** What an answer must hold, said once for all toolkits. Each gives the complaint, or undefined. */
import { createHash } from "node:crypto";
import { fileOf, type CallReport } from "./call-lines.ts";

export type Check = (report: CallReport) => string | undefined;

/** All of them; the first complaint is told. */
export function all(...checks: readonly Check[]): Check {
  return (report) => {
    for (const check of checks) {
      const complaint = check(report);
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  };
}

/** The file is there, is an XML file, and holds each of the texts. */
export function fileHolds(name: string, ...texts: readonly string[]): Check {
  return (report) => {
    const file = fileOf(report, name);
    if (file === undefined) return `no ${name} in the answer`;
    const text = file.toString("utf8");
    // A byte that is no UTF-8, or one too many at the end, is a file that came wrong.
    if (text.includes("�")) return `${name} is not UTF-8 any more`;
    if (!/^(\uFEFF)?\s*</.test(text) || !text.trimEnd().endsWith(">")) {
      return `${name} is not a whole XML file: ${text.slice(0, 60)}…${text.slice(-30)}`;
    }
    const missing = texts.find((wanted) => !text.includes(wanted));
    return missing === undefined
      ? undefined
      : `${name} lacks « ${missing} »: ${text.slice(0, 300)}`;
  };
}

/** The file is there, byte for byte. */
export function fileIs(name: string, bytes: Uint8Array): Check {
  return (report) => {
    const file = fileOf(report, name);
    if (file === undefined) return `no ${name} in the answer`;
    if (file.equals(bytes)) return undefined;
    return `${name} is not what was sent: ${file.length} bytes for ${bytes.length}`;
  };
}

/** The file is there, of any kind but empty, and begins with the text. */
export function fileBegins(name: string, ...starts: readonly string[]): Check {
  return (report) => {
    const file = fileOf(report, name);
    if (file === undefined) return `no ${name} in the answer`;
    const text = file.toString("latin1");
    return starts.some((start) => text.startsWith(start))
      ? undefined
      : `${name} begins with « ${text.slice(0, 20)} »`;
  };
}

/** Its code is some word, its text the sentence: not blank, not « null », accents whole. */
export function faultTells(pattern: RegExp): Check {
  return ({ fields }) => {
    const code = fields.get("code") ?? "";
    const text = fields.get("text") ?? "";
    if (code === "" || /^(null|none)$/i.test(code)) return "its code cannot be read";
    if (text === "" || /^(null|none)$/i.test(text)) return "its text cannot be read";
    return pattern.test(text) ? undefined : `its text is « ${text} »`;
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
