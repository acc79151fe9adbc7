/** Scene 7: the proof, made from what others counted, not from what the gateway says of itself. */
import type { Cast } from "./cast.ts";
import { CHANNELS, type Guichet } from "./guichet.ts";
import { showCommand } from "./scene-outage.ts";
import { stage, until } from "./stage.ts";
import { allFluxes, effectsOf } from "./watch-gateway.ts";

/** @returns what does not hold, in French; nothing when all does */
export async function showProof(cast: Cast, guichet: Guichet): Promise<readonly string[]> {
  await stage.scene(
    7,
    "La preuve",
    "Comptons : ce que le guichet a envoyé et reçu, ce que le simulateur du SNE a fait, et ce que la passerelle en dit.",
  );
  // The last mails may still be between two programs.
  await until("les derniers acquittements", async () => {
    await guichet.collect();
    return guichet.sent.every((one) => guichet.isAcknowledged(one));
  });
  const failures: string[] = [];
  const check = (holds: boolean, text: string): void => {
    if (holds) stage.fact(text);
    else {
      stage.failure(text);
      failures.push(text);
    }
  };

  const { sent } = guichet;
  const distinct = new Map(sent.map((one) => [one.sha256, one]));
  const accepted = [...distinct.values()].filter((one) => one.expected === "accepted");
  const refused = [...distinct.values()].filter((one) => one.expected === "refused");
  for (const channel of CHANNELS) {
    const mine = sent.filter((one) => one.channel === channel);
    const told = mine.filter((one) => guichet.isAcknowledged(one));
    const name = { mail: "par messagerie", file: "par dossier", rest: "par REST" }[channel];
    check(
      told.length === mine.length && mine.every((one) => one.confirmed),
      `${name} : ${mine.length} envoyés, ${mine.filter((one) => one.confirmed).length} confirmés, ${told.length} acquittés`,
    );
  }
  const effects = await effectsOf(cast);
  const once = accepted.filter((one) => effects.byFile.get(one.sha256)?.taken === 1);
  check(
    once.length === accepted.length && effects.takenMoreThanOnce === 0,
    `le simulateur du SNE a pris exactement un effet pour chacune des ${accepted.length} demandes acceptées (${once.length} sur ${accepted.length}, aucune deux fois)`,
  );
  check(
    refused.every((one) => (effects.byFile.get(one.sha256)?.taken ?? 0) === 0),
    `et aucun pour les ${refused.length} fichiers refusés`,
  );
  const fluxes = await allFluxes(cast);
  const ended = fluxes.filter(({ state }) => state === "acknowledged");
  check(
    fluxes.length === distinct.size && ended.length === fluxes.length,
    `la passerelle a ${fluxes.length} flux pour ${distinct.size} fichiers différents, tous acquittés`,
  );
  await showCommand(cast, ["bilan"]);
  return failures;
}
