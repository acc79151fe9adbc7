/**
 * The sentences a person of the guichet reads: the verdict first, then why, then which file. French,
 * or English for a guichet that asks for it. No content of the demande but its numéro unique.
 */
import type { Flux } from "../domain/flux.ts";
import type { Language } from "../domain/guichet.ts";
import type { Control, Verdict } from "../domain/outcome.ts";
import { controlsToShow } from "./acquittement-xml.ts";

export interface AcquittementText {
  /** One line: the subject of a mail. */
  readonly title: string;
  readonly text: string;
}

interface Phrases {
  readonly title: Readonly<Record<Verdict["kind"], string>>;
  readonly lead: Readonly<Record<Verdict["kind"] | "refusedByGateway" | "byOperator", string>>;
  readonly number: string;
  readonly attestation: string;
  readonly filesErased: string;
  readonly reason: string;
  readonly effectUnknown: string;
  readonly controls: string;
  readonly doublons: string;
  readonly forceDoublon: string;
  readonly remarks: string;
  readonly repeat: string;
  readonly about: string;
  readonly labels: Readonly<
    Record<"file" | "kind" | "reference" | "received" | "digest" | "flux", string>
  >;
  readonly line: string;
  readonly close: string;
}

const PHRASES: Readonly<Record<Language, Phrases>> = {
  fr: {
    title: { accepted: "Accepté", refused: "Refusé", discarded: "Abandonné" },
    lead: {
      accepted: "Le SNE a accepté votre flux.",
      refused: "Le SNE a refusé votre flux.",
      refusedByGateway: "Votre fichier n'a pas pu être transmis au SNE.",
      byOperator: "Un exploitant de la passerelle a conclu, après vérification auprès du SNE.",
      discarded: "Un exploitant de la passerelle a renoncé à transmettre votre flux.",
    },
    number: "Numéro unique",
    attestation: "L'attestation rendue par le SNE est jointe",
    filesErased:
      "Les fichiers rendus par le SNE ne sont pas joints : ils ont été effacés, leur durée de conservation étant passée.",
    reason: "Motif",
    effectUnknown:
      "Attention : un appel du SNE était resté sans réponse lue. Le SNE a pu enregistrer ce flux : vérifiez avant de le renvoyer.",
    controls: "Contrôles",
    doublons: "Demandes ressemblantes déjà connues du SNE",
    forceDoublon:
      "S'il s'agit bien d'une autre demande, renvoyez le fichier avec forcerDoublon à true.",
    remarks: "Remarques (le fichier a été transmis malgré ces écarts au schéma)",
    repeat:
      "Ce fichier avait déjà été reçu : il n'a produit qu'un seul effet, celui du premier envoi.",
    about: "Ce message concerne",
    labels: {
      file: "Fichier",
      kind: "Type",
      reference: "Référence interne",
      received: "Reçu le",
      digest: "Empreinte SHA-256",
      flux: "Identifiant du flux",
    },
    line: "ligne",
    close:
      "Message automatique de la passerelle SNE. Rappelez l'identifiant du flux dans tout échange.",
  },
  en: {
    title: { accepted: "Accepted", refused: "Refused", discarded: "Given up" },
    lead: {
      accepted: "The SNE accepted your flux.",
      refused: "The SNE refused your flux.",
      refusedByGateway: "Your file could not be forwarded to the SNE.",
      byOperator: "An operator of the gateway concluded, after checking with the SNE.",
      discarded: "An operator of the gateway gave up forwarding your flux.",
    },
    number: "Numéro unique",
    attestation: "The attestation given by the SNE is attached",
    filesErased:
      "The files given by the SNE are not attached: they were erased, the time they are kept having passed.",
    reason: "Reason",
    effectUnknown:
      "Beware: a call to the SNE was left without an answer we could read. The SNE may have recorded this flux: check before sending it again.",
    controls: "Controls",
    doublons: "Similar demandes already known to the SNE",
    forceDoublon: "If it is another demande, send the file again with forcerDoublon set to true.",
    remarks: "Remarks (the file was forwarded in spite of these differences with the schema)",
    repeat: "This file had already been received: it had one effect only, that of the first copy.",
    about: "This message is about",
    labels: {
      file: "File",
      kind: "Kind",
      reference: "Your reference",
      received: "Received",
      digest: "SHA-256",
      flux: "Flux identifier",
    },
    line: "line",
    close: "Automatic message of the SNE gateway. Quote the flux identifier in any exchange.",
  },
};

/** Made once: making one costs far more than all the rest of an acquittement. */
const TIMES: Readonly<Record<Language, Intl.DateTimeFormat>> = {
  fr: timesIn("fr-FR"),
  en: timesIn("en-GB"),
};

function timesIn(locale: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, {
    dateStyle: "long",
    timeStyle: "medium",
    timeZone: "Europe/Paris",
  });
}

export function writeAcquittementText(
  flux: Flux,
  verdict: Verdict,
  language: Language,
  { attestationName, isRepeat }: { attestationName?: string; isRepeat: boolean },
): AcquittementText {
  const say = PHRASES[language];
  const kind = flux.envelope?.kind;
  const title = [
    `[SNE] ${say.title[verdict.kind]}`,
    ...(kind === undefined ? [] : [kind]),
    flux.fileName,
    ...(verdict.kind === "accepted" ? [verdict.numeroUnique] : []),
  ].join(" - ");
  const paragraphs = [
    ...writeVerdict(verdict, say, attestationName),
    ...(flux.erasedAt !== undefined && verdict.by === "sne" ? [say.filesErased] : []),
    ...(flux.remarks === undefined || flux.remarks.length === 0
      ? []
      : [`${say.remarks} :\n${flux.remarks.map((one) => controlLine(one, say)).join("\n")}`]),
    ...(isRepeat ? [say.repeat] : []),
    `${say.about} :\n${aboutLines(flux, language, say).join("\n")}`,
    say.close,
  ];
  return { title, text: `${paragraphs.join("\n\n")}\n` };
}

function writeVerdict(verdict: Verdict, say: Phrases, attestation: string | undefined): string[] {
  switch (verdict.kind) {
    case "accepted":
      return [
        verdict.by === "operator"
          ? `${say.lead.accepted}\n${say.lead.byOperator}`
          : say.lead.accepted,
        `${say.number} : ${verdict.numeroUnique}`,
        ...(attestation === undefined ? [] : [`${say.attestation} : ${attestation}`]),
      ];
    case "refused": {
      const lead = { sne: "refused", gateway: "refusedByGateway", operator: "byOperator" } as const;
      return [
        say.lead[lead[verdict.by]],
        `${say.controls} :\n${controlsToShow(verdict)
          .map((control) => controlLine(control, say))
          .join("\n")}`,
        ...(verdict.doublons.length === 0
          ? []
          : [
              `${say.doublons} :\n${verdict.doublons.map((number) => `  - ${number}`).join("\n")}`,
              say.forceDoublon,
            ]),
      ];
    }
    case "discarded":
      return [
        say.lead.discarded,
        `${say.reason} : ${verdict.reason}`,
        ...(verdict.effectUnknown === true ? [say.effectUnknown] : []),
      ];
  }
}

function controlLine(control: Control, say: Phrases): string {
  const place = control.line === undefined ? "" : ` (${say.line} ${control.line})`;
  const field = control.field === undefined ? "" : ` - ${control.field}`;
  const values = Object.entries(control.complements ?? {}).map(
    ([name, value]) => `${name} = ${value}`,
  );
  const complements = values.length === 0 ? "" : ` [${values.join(", ")}]`;
  return `  - ${control.code}${field}${place} : ${control.message}${complements}`;
}

function aboutLines(flux: Flux, language: Language, say: Phrases): string[] {
  const { labels } = say;
  const rows: [string, string | undefined][] = [
    [labels.file, flux.fileName],
    [labels.kind, flux.envelope?.kind],
    [labels.reference, flux.envelope?.refInterne],
    [labels.received, TIMES[language].format(flux.receivedAt)],
    [labels.digest, flux.sha256],
    [labels.flux, flux.id],
  ];
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [`  ${label} : ${value}`]));
}
