/** Scenes 3 and 4: what goes wrong in a file is said, with its place; what comes twice counts once. */
import type { Cast } from "./cast.ts";
import type { Guichet, Sent } from "./guichet.ts";
import { showMail, textFor } from "./scene-channels.ts";
import { stage, until } from "./stage.ts";
import { effectsOf, fluxOf } from "./watch-gateway.ts";

export async function showRefusals(cast: Cast, guichet: Guichet): Promise<void> {
  await stage.scene(
    3,
    "Un refus, et un fichier illisible",
    "Une réponse négative est aussi une réponse : le guichet apprend quel contrôle a refusé sa demande, ou à quelle ligne son fichier se casse.",
  );
  const person = { nom: "LE GOFF", prenom: "Soizic", dateNaissance: "1985-04-12" };
  const first = await guichet.send("mail", guichet.make(4, person));
  await until("la première demande est acquittée", () =>
    Promise.resolve(guichet.isAcknowledged(first)),
  );
  stage.say("Le guichet envoie une seconde demande pour une personne que le SNE connaît déjà :");
  const twin = await guichet.send("mail", guichet.make(5, person), { expected: "refused" });
  const answer = await until("le refus du doublon", () => Promise.resolve(guichet.mailFor(twin)));
  showMail("Le refus, tel que le guichet le reçoit", answer, twin);

  const whole = Buffer.from(guichet.make(6)).toString("utf8");
  // As if the export had been cut: an element never closed.
  const broken = Buffer.from(whole.replace("</logementRecherche>", "</logement>"));
  stage.say("Puis il dépose un fichier abîmé dans son dossier :");
  const damaged = await guichet.send("file", broken, { expected: "refused" });
  await until("l'acquittement du fichier illisible", () =>
    Promise.resolve(guichet.isAcknowledged(damaged)),
  );
  const text = textFor(cast, guichet, damaged);
  stage.exhibit(
    "Ce qu'il trouve dans son dossier de retour",
    text.length > 0 ? text : guichet.filesFor(damaged),
  );
  const effects = await effectsOf(cast);
  if (effects.byFile.has(damaged.sha256)) throw new Error("le fichier illisible est parti au SNE");
  stage.fact("le SNE n'a pas été dérangé pour le fichier illisible ; les octets reçus sont gardés");
}

export async function showRepeat(cast: Cast, guichet: Guichet, first: Sent): Promise<void> {
  await stage.scene(
    4,
    "Le même fichier par un second canal",
    "Le logiciel du guichet a un doute et dépose par REST le fichier déjà envoyé par messagerie. Un seul effet au SNE, et une réponse honnête.",
  );
  const known = await fluxOf(cast, first.sha256);
  const again = await guichet.send("rest", first.bytes, { name: `copie-${first.name}` });
  if (again.fluxId === undefined || again.fluxId !== known?.id) {
    throw new Error("la copie a fait un second flux");
  }
  stage.fact(`la passerelle répond par le premier flux, ${again.fluxId}, déjà acquitté`);
  await until("l'acquittement de la copie", async () => {
    await guichet.collect();
    return guichet.isAcknowledged(again);
  });
  const counted = (await effectsOf(cast)).byFile.get(first.sha256);
  if (counted?.taken !== 1) throw new Error(`le SNE a pris ${counted?.taken ?? 0} effets, pas 1`);
  stage.fact(`le simulateur du SNE a compté ${counted.calls} appel et ${counted.taken} effet`);
}
