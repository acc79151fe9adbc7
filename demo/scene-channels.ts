/** Scenes 1 and 2: who is who, then one flux by each channel and the acquittement each brings back. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { API_KEY, GUICHET, type Cast } from "./cast.ts";
import { linesOf, type Guichet, type Sent } from "./guichet.ts";
import { stage, until } from "./stage.ts";
import type { CollectedMail } from "../test/support/mail-peers.ts";

export async function showCast(cast: Cast): Promise<void> {
  await stage.scene(
    1,
    "Qui est là",
    "Tout tourne sur cette machine, dans des programmes séparés, sur des ports libres ; rien n'en sort, et tout sera effacé à la fin.",
  );
  stage.lines([
    `  la passerelle         processus ${cast.pid}`,
    `    messagerie (SMTP)   127.0.0.1:${cast.smtpPort}`,
    `    REST                ${cast.url}`,
    "    base                un fichier SQLite : aucun serveur à installer",
    `  le simulateur du SNE  processus ${cast.standin.pid} (ce n'est pas le SNE : ses numéros ne valent rien)`,
    `    SOAP 1.2, MTOM      ${cast.standin.url}`,
    `  un guichet inventé    ${GUICHET}, « Armor Habitat » : une boîte aux lettres, deux dossiers, une clé REST`,
  ]);
}

/** @returns the three fluxes, for the scenes that follow */
export async function showChannels(cast: Cast, guichet: Guichet): Promise<readonly Sent[]> {
  await stage.scene(
    2,
    "Trois canaux, un flux chacun",
    "Le guichet envoie une demande de logement par chacun de ses canaux. La passerelle la garde sur disque avant de dire qu'elle l'a, la transmet au SNE, et rapporte la réponse par le même canal.",
  );
  const mail = await guichet.send("mail", guichet.make(1));
  stage.fact(`par messagerie : la passerelle a répondu « 250 », ${mail.name} est sur son disque`);
  const file = await guichet.send("file", guichet.make(2));
  stage.fact(`par dossier : ${file.name} est déposé ; il en sortira une fois gardé`);
  const rest = await guichet.send("rest", guichet.make(3));
  stage.fact(`par REST : « 201 Created », flux ${rest.fluxId ?? "?"}`);
  const all = [mail, file, rest];

  await until("les trois acquittements", async () => {
    await guichet.collect();
    return all.every((one) => guichet.isAcknowledged(one));
  });
  await until("le fichier quitte le dossier", () => Promise.resolve(file.confirmed));

  const answer = guichet.mailFor(mail);
  if (answer !== undefined) showMail("Ce que le guichet reçoit par messagerie", answer, mail);
  showFiles(cast, guichet, file);
  await showRest(cast, rest);
  return all;
}

/** A mail as its reader sees it: headers that matter, text, attachments. */
export function showMail(caption: string, mail: CollectedMail, sent: Sent): void {
  const header = (name: string): string[] => {
    const value = mail.header(name);
    return value === undefined ? [] : [`${name}: ${value}`];
  };
  const thread = sent.messageId === mail.header("In-Reply-To") ? "   (l'envoi du guichet)" : "";
  stage.exhibit(caption, [
    ...header("From"),
    ...header("To"),
    `Subject: ${mail.parsed.subject ?? ""}`,
    ...header("In-Reply-To").map((line) => line + thread),
    ...header("Message-ID"),
    ...header("Auto-Submitted"),
    ...header("X-Passerelle-Flux"),
    "",
    ...(mail.parsed.text ?? "").trimEnd().split(/\r?\n/),
    "",
    ...mail.attachments.map(
      ({ name, bytes }) => `[pièce jointe] ${name} (${bytes.length} octets) : ${whatIs(name)}`,
    ),
  ]);
}

function showFiles(cast: Cast, guichet: Guichet, sent: Sent): void {
  stage.exhibit(
    "Ce que le guichet trouve dans son dossier de retour",
    guichet.filesFor(sent).map((name) => {
      const { size } = statSync(join(cast.returned, name));
      return `${name} (${size} octets) : ${whatIs(name)}`;
    }),
  );
}

/** What a file of an acquittement is. */
function whatIs(name: string): string {
  if (name.endsWith(".acquittement.xml")) return "la réponse, pour un logiciel";
  if (name.endsWith(".acquittement.txt")) return "la réponse, pour une personne";
  if (name.endsWith(".pdf")) return "l'attestation rendue par le SNE";
  return "le fichier réponse du SNE, octet pour octet";
}

/** The text a guichet finds beside the XML of its acquittement, when there is one. */
export function textFor(cast: Cast, guichet: Guichet, sent: Sent): readonly string[] {
  const name = guichet.filesFor(sent).find((one) => one.endsWith(".txt"));
  return name === undefined ? [] : linesOf(join(cast.returned, name));
}

async function showRest(cast: Cast, sent: Sent): Promise<void> {
  stage.exhibit(
    "Ce que le guichet retire par REST, en XML",
    (sent.collected ?? "").trimEnd().split("\n"),
  );
  const answer = await fetch(`${cast.url}/api/v1/fluxes/${sent.fluxId ?? ""}/acquittement`, {
    headers: { authorization: `Bearer ${API_KEY}`, accept: "application/json" },
  });
  const body = (await answer.json()) as { acquittement?: { resultat?: unknown } };
  stage.exhibit(
    "… et le même en JSON (ici, son résultat)",
    JSON.stringify(body.acquittement?.resultat, undefined, 2).split("\n"),
  );
}
