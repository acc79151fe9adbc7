/**
 * Scenes 5 and 6: the SNE goes away while fifty fluxes arrive; it comes back, and in the middle of
 * the catching up the gateway is killed. Nothing is lost, and what nobody can know is said to be in
 * doubt rather than guessed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Cast } from "./cast.ts";
import { CHANNELS, type Channel, type Guichet, type Sent } from "./guichet.ts";
import { drawTable, summarize } from "./live-table.ts";
import { paint, stage, until } from "./stage.ts";
import { effectsOf, look, type SeenFlux, type View } from "./watch-gateway.ts";

const OUTAGE_FLUXES = 50;
const BETWEEN_ARRIVALS_MS = 45;
/** The numbers of the files that come meanwhile start here. */
const FIRST_NUMBER = 100;
/** Which of them the stand-in swallows the call of. */
const SWALLOWED = 3;
/** The stand-in takes this long to answer, so that a spectator sees the catching up, ms. */
const SLOW_MS = 120;
const LOOK_EVERY_MS = 90;

/** Shows the table until the condition holds; collects REST acquittements meanwhile. */
async function watch(
  { cast, guichet, batch }: { cast: Cast; guichet: Guichet; batch: readonly Sent[] },
  what: string,
  sne: string,
  condition: (view: View) => boolean | Promise<boolean>,
): Promise<View> {
  const progress = stage.progress();
  const paint = (view: View): void => {
    const picture = {
      view,
      batch,
      sne,
      isAcknowledged: (one: Sent) => guichet.isAcknowledged(one),
    };
    progress.show(drawTable(picture), summarize(picture));
  };
  try {
    return await until(
      what,
      async () => {
        const view = await look(cast);
        if (view.running) await guichet.collect();
        paint(view);
        if (await condition(view)) return view;
        await sleep(LOOK_EVERY_MS);
        return undefined;
      },
      40_000,
    );
  } finally {
    progress.done();
  }
}

export async function showOutage(cast: Cast, guichet: Guichet): Promise<Sent[]> {
  await stage.scene(
    5,
    "Le SNE s'en va",
    `Le simulateur ferme sa porte. ${OUTAGE_FLUXES} flux arrivent quand même, par les trois canaux : chacun est confirmé à son expéditeur, gardé, et visible en attente.`,
  );
  await cast.order({ do: "down", how: "refuse", cut: true });
  const batch: Sent[] = [];
  const order: readonly Channel[] = ["mail", "mail", "file", "rest", "mail", "file", "rest"];
  let failure: unknown;
  const arriving = (async () => {
    for (let i = 0; i < OUTAGE_FLUXES; i += 1) {
      const channel = order[i % order.length] ?? "mail";
      batch.push(await guichet.send(channel, guichet.make(FIRST_NUMBER + i)));
      await sleep(BETWEEN_ARRIVALS_MS);
    }
  })().catch((error: unknown) => (failure = error));
  const view = await watch(
    { cast, guichet, batch },
    "les 50 flux sont confirmés, gardés, et le disjoncteur est ouvert",
    paint.red("coupé"),
    ({ fluxes, breaker }) => {
      if (failure !== undefined) throw new OutageFailure(failure);
      return (
        batch.length === OUTAGE_FLUXES &&
        batch.every((one) => one.confirmed) &&
        waiting(fluxes, batch) === OUTAGE_FLUXES &&
        breaker === "open"
      );
    },
  );
  await arriving;
  const byChannel = CHANNELS.map((one) => batch.filter(({ channel }) => channel === one).length);
  stage.fact(
    `${OUTAGE_FLUXES} flux confirmés à leur expéditeur (${byChannel.join(" + ")}), ${waiting(view.fluxes, batch)} en attente, 0 perdu`,
  );
  const one = view.fluxes.find((flux) => flux.state === "kept" && flux.channel === "mail");
  if (one !== undefined) await showCommand(cast, ["flux", "show", one.id]);
  stage.say(
    "Le disjoncteur est ouvert : la passerelle n'use ni le SNE ni les flux à insister, un seul essai de temps en temps suffit à voir le retour.",
  );
  return batch;
}

class OutageFailure extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function waiting(fluxes: readonly SeenFlux[], batch: readonly Sent[]): number {
  const digests = new Set(batch.map(({ sha256 }) => sha256));
  return fluxes.filter(({ sha256, state }) => state === "kept" && digests.has(sha256)).length;
}

export async function showReturn(
  cast: Cast,
  guichet: Guichet,
  batch: readonly Sent[],
): Promise<void> {
  await stage.scene(
    6,
    "Le SNE revient, et la passerelle est tuée en plein rattrapage",
    "Le simulateur rouvre sa porte et les flux repartent d'eux-mêmes. Au milieu, la passerelle est tuée net (kill -9), comme par une coupure de courant, puis relancée.",
  );
  await cast.order([
    { do: "slow", ms: SLOW_MS },
    // One call is swallowed: what the SNE did of it, the gateway cannot know either.
    { do: "hang", when: { refInterne: guichet.refInterne(FIRST_NUMBER + SWALLOWED) }, times: 1 },
    { do: "up" },
  ]);
  await watch({ cast, guichet, batch }, "le rattrapage avance", paint.green("en ligne"), (view) => {
    const done = batch.filter((one) => guichet.isAcknowledged(one)).length;
    const swallowed = view.fluxes.find(({ sha256 }) => sha256 === batch[SWALLOWED]?.sha256);
    return done >= 12 && swallowed?.state === "inTransit";
  });
  await cast.killGateway();
  stage.warn("kill -9 : la passerelle n'a rien pu finir, rien pu ranger, rien pu dire");
  await cast.startGateway();
  stage.fact("relancée sur la même base");

  const view = await watch(
    { cast, guichet, batch },
    "le rattrapage s'achève",
    paint.green("en ligne"),
    ({ running, fluxes }) =>
      running && fluxes.every(({ state }) => state === "acknowledged" || state === "inDoubt"),
  );
  const doubtful = view.fluxes.filter(({ state }) => state === "inDoubt");
  if (doubtful.length === 0) {
    stage.fact("aucun appel n'était en cours au moment du coup : rien n'est en doute");
  } else await settleDoubts(cast, guichet, batch, doubtful);
  await cast.order({ do: "clear" });
}

/** An operator's work: look in the SNE, then settle each doubt by the command line. */
async function settleDoubts(
  cast: Cast,
  guichet: Guichet,
  batch: readonly Sent[],
  doubtful: readonly SeenFlux[],
): Promise<void> {
  stage.lines([""]);
  stage.say(
    `${doubtful.length} flux étaient en cours d'appel : le SNE a-t-il eu le temps d'agir ? La passerelle ne peut pas le savoir. Elle ne devine pas (renvoyer pourrait faire deux effets, abandonner en perdre un) : ils sont « en doute », et un exploitant tranche.`,
  );
  await showCommand(cast, ["flux", "list", "--state", "inDoubt"]);
  await until(
    "le simulateur a fini ses appels",
    async () => (await effectsOf(cast)).inProgress === 0,
  );
  await sleep(2 * SLOW_MS);
  const effects = await effectsOf(cast);
  for (const { id, sha256, fileName } of doubtful) {
    const found = effects.byFile.get(sha256);
    const happened = found?.numUnique !== undefined && found.taken > 0;
    stage.say(
      happened
        ? `L'exploitant cherche ${fileName} dans le SNE : il y est, numéro ${found.numUnique}.`
        : `L'exploitant cherche ${fileName} dans le SNE : il n'y est pas.`,
    );
    await showCommand(
      cast,
      happened
        ? ["flux", "resolve", id, "--as", "accepted", "--numero", found.numUnique]
        : ["flux", "resolve", id, "--as", "resend"],
    );
  }
  await watch(
    { cast, guichet, batch },
    "tout est acquitté",
    paint.green("en ligne"),
    ({ fluxes }) => fluxes.every(({ state }) => state === "acknowledged"),
  );
}

/** Runs the command line of the product and shows what it says; a command that fails is a failure. */
export async function showCommand(cast: Cast, args: readonly string[]): Promise<void> {
  const { code, lines } = await cast.passerelle(args);
  const shown = args.map((arg) => (arg.includes(" ") ? `"${arg}"` : arg)).join(" ");
  stage.exhibit(`$ passerelle ${shown}`, lines);
  if (code !== 0) throw new Error(`passerelle ${shown} rend le code ${code}`);
}
