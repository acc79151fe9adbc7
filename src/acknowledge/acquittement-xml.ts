/**
 * Writes our small XML acquittement (`schemas/acquittement.xsd`): what the SNE answered, and for
 * which flux. The same flux always gives the same bytes, so that a second copy is seen as one.
 */
import type { Flux } from "../domain/flux.ts";
import type { Control, Judge, Verdict } from "../domain/outcome.ts";
import { escapeXml } from "../wire/xml-text.ts";

const NAMESPACE = "urn:passerelle-sne:acquittement:1";
const JUDGES: Readonly<Record<Judge, string>> = {
  sne: "SNE",
  gateway: "PASSERELLE",
  operator: "EXPLOITANT",
};

export function writeAcquittementXml(
  flux: Flux,
  verdict: Verdict,
  { attestationName, isRepeat }: { attestationName?: string; isRepeat: boolean },
): Uint8Array {
  const { envelope } = flux;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<acquittement xmlns="${NAMESPACE}" version="1">`,
    "  <flux>",
    element(4, "identifiant", flux.id),
    element(4, "guichet", flux.guichet ?? envelope?.numGuichet ?? "inconnu", 64),
    optional(4, "typeFichier", envelope?.kind, 64),
    optional(4, "nomFichier", flux.fileName, 255),
    optional(4, "refInterne", envelope?.refInterne, 64),
    optional(4, "numUnique", envelope?.numUnique, 64),
    element(4, "empreinteSha256", flux.sha256),
    element(4, "recuLe", isoTime(flux.receivedAt)),
    element(4, "canal", flux.channel),
    "  </flux>",
    "  <resultat>",
    ...writeResult(verdict, attestationName),
    "  </resultat>",
    ...(flux.remarks ?? []).flatMap((remark) => writeControl(2, "remarque", remark)),
    ...(isRepeat
      ? [
          "  <premierEnvoi>",
          element(4, "recuLe", isoTime(flux.receivedAt)),
          element(4, "canal", flux.channel),
          "  </premierEnvoi>",
        ]
      : []),
    "</acquittement>",
  ];
  return Buffer.from(`${lines.filter((line) => line !== "").join("\n")}\n`);
}

function writeResult(verdict: Verdict, attestationName: string | undefined): string[] {
  switch (verdict.kind) {
    case "accepted":
      return [
        "    <accepte>",
        element(6, "numUnique", verdict.numeroUnique, 64),
        attestationName === undefined
          ? ""
          : `      <attestation nom="${escapeXml(attestationName.slice(0, 255))}"/>`,
        element(6, "prononceLe", isoTime(verdict.at)),
        element(6, "par", JUDGES[verdict.by]),
        "    </accepte>",
      ];
    case "refused":
      return [
        "    <refuse>",
        element(6, "par", JUDGES[verdict.by]),
        element(6, "prononceLe", isoTime(verdict.at)),
        ...controlsToShow(verdict).flatMap((control) => writeControl(6, "controle", control)),
        ...verdict.doublons.map(
          (number) => `      <doublon>${inline("numUnique", number, 64)}</doublon>`,
        ),
        "    </refuse>",
      ];
    case "discarded":
      return [
        `    <abandonne${verdict.effectUnknown === true ? ' effetInconnu="true"' : ""}>`,
        element(6, "prononceLe", isoTime(verdict.at)),
        element(6, "motif", verdict.reason, 2000),
        "    </abandonne>",
      ];
  }
}

/** A refusal always shows at least one control, even when the SNE gave doublons only. */
export function controlsToShow(verdict: Extract<Verdict, { kind: "refused" }>): readonly Control[] {
  if (verdict.controls.length > 0) return verdict.controls;
  return [
    { code: "DOUBLONS", message: "Le SNE connaît déjà des demandes qui ressemblent à celle-ci." },
  ];
}

function writeControl(indent: number, name: string, control: Control): string[] {
  const pad = " ".repeat(indent);
  const complements = Object.entries(control.complements ?? {}).map(
    ([key, value]) =>
      `${pad}  <complement nom="${escapeXml(key)}">${escapeXml(value)}</complement>`,
  );
  return [
    `${pad}<${name} code="${escapeXml(control.code.slice(0, 64) || "SANS_CODE")}">`,
    optional(indent + 2, "propriete", control.field, 255),
    ...complements,
    element(indent + 2, "message", control.message),
    optional(indent + 2, "ligne", positive(control.line)),
    optional(indent + 2, "colonne", positive(control.column)),
    `${pad}</${name}>`,
  ];
}

/** The schema takes positive numbers only; a parser may say line 0 or a fraction of nothing. */
function positive(number: number | undefined): string | undefined {
  return number === undefined || !Number.isInteger(number) || number < 1 ? undefined : `${number}`;
}

function element(indent: number, name: string, text: string, max?: number): string {
  return `${" ".repeat(indent)}${inline(name, text, max)}`;
}

function inline(name: string, text: string, max?: number): string {
  const shown = max === undefined ? text : cut(text, max);
  return `<${name}>${escapeXml(shown === "" ? "-" : shown)}</${name}>`;
}

/** At most `max` UTF-16 units, without leaving half of a pair (escaped as U+FFFD otherwise). */
function cut(text: string, max: number): string {
  const head = text.slice(0, max);
  return head.isWellFormed() ? head : head.slice(0, -1);
}

function optional(indent: number, name: string, text: string | undefined, max?: number): string {
  return text === undefined || text === "" ? "" : element(indent, name, text, max);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
