/**
 * `npm run demo`: the product's main job, end to end and for real, in less than a minute. Promise:
 * everything shown happened; what does not hold makes it fail; it leaves nothing running behind,
 * also on Ctrl-C or a failure.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startCast, type Cast } from "./cast.ts";
import { makeGuichet } from "./guichet.ts";
import { showCast, showChannels } from "./scene-channels.ts";
import { showOutage, showReturn } from "./scene-outage.ts";
import { showProof } from "./scene-proof.ts";
import { showRefusals, showRepeat } from "./scene-refusals.ts";
import { paint, stage } from "./stage.ts";

/** A signal given to all the programs at once may reach this one last, ms. */
const SIGNAL_MS = 300;

let cast: Cast | undefined;
let stopCast: () => Promise<void> = () => Promise.resolve();
const interrupted = new AbortController();

async function play(): Promise<number> {
  const startedAt = performance.now();
  stage.title(
    "Passerelle SNE : la démonstration",
    "Entre les logiciels des bailleurs et le SNE (le registre national des demandes de logement social), la passerelle garde chaque flux reçu jusqu'à ce que le SNE ait répondu et que son expéditeur le sache. Rien d'autre ne peut lui arriver : ni panne, ni coupure, ni double.",
  );
  cast = await startCast((stop) => {
    stopCast = stop;
  });
  const guichet = makeGuichet(cast);
  await showCast(cast);
  const [first] = await showChannels(cast, guichet);
  await showRefusals(cast, guichet);
  if (first !== undefined) await showRepeat(cast, guichet, first);
  const batch = await showOutage(cast, guichet);
  await showReturn(cast, guichet, batch);
  const failures = await showProof(cast, guichet);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  if (failures.length > 0) {
    stage.failure(`La démonstration a échoué : ${failures.length} point(s) ne tiennent pas.`);
    return 1;
  }
  stage.say(
    paint.green(`Tout tient : chaque flux est acquitté, chacun une seule fois. (${seconds} s)`),
  );
  stage.lines(NEXT);
  return 0;
}

const NEXT = [
  "",
  "Pour continuer :",
  "  npm start                      la passerelle, avec vos réglages (docs/settings.md)",
  "  npm run passerelle -- standin  le simulateur du SNE, pour essayer sans le SNE",
  "  npm run passerelle -- doctor   vérifie une installation",
  "  npm run passerelle -- --help   toutes les commandes",
  "  README.md, docs/               le reste",
];

async function end(code: number): Promise<never> {
  stage.restore();
  await stopCast();
  process.exit(code);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) return;
    interrupted.abort();
    process.stdout.write("\nInterrompue : tout s'arrête et s'efface.\n");
    void end(signal === "SIGINT" ? 130 : 143);
  });
}

try {
  const code = await play();
  await end(code);
} catch (error) {
  // Ctrl-C reaches the programs too, perhaps before us: what failed then is only that.
  await sleep(SIGNAL_MS);
  if (!interrupted.signal.aborted) {
    stage.failure(
      `La démonstration s'est arrêtée : ${error instanceof Error ? error.message : String(error)}`,
    );
    for (const line of cast?.logTail() ?? []) process.stdout.write(`  ${paint.dim(line)}\n`);
    await end(1);
  }
}
