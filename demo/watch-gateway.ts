/**
 * What an operator sees of the gateway while it works, and what only a demonstration can see: how
 * often the stand-in took the effect of each file.
 */
import type { Cast } from "./cast.ts";

export interface SeenFlux {
  readonly id: string;
  readonly state: string;
  readonly channel: string;
  readonly fileName: string;
  readonly sha256: string;
  readonly attempts: number;
}

export interface View {
  /** False while the gateway does not answer. */
  readonly running: boolean;
  readonly fluxes: readonly SeenFlux[];
  /** closed, open, halfOpen; undefined while unknown. */
  readonly breaker?: string;
}

/** One look; a gateway that does not answer is a view too. */
export async function look(cast: Cast): Promise<View> {
  try {
    const fluxes = await allFluxes(cast);
    const ready = (await getJson(`${cast.url}/readyz`)) as {
      checks?: { name: string; detail: string }[];
    };
    const breaker = ready.checks?.find(({ name }) => name === "sne")?.detail;
    return { running: true, fluxes, ...(breaker === undefined ? {} : { breaker }) };
  } catch {
    // Killed, or starting: that is what the view then shows.
    return { running: false, fluxes: [] };
  }
}

export async function allFluxes(cast: Cast): Promise<readonly SeenFlux[]> {
  const page = (await getJson(`${cast.url}/api/v1/fluxes?limit=500`)) as { fluxes: SeenFlux[] };
  return page.fluxes;
}

/** The flux made of this file. */
export async function fluxOf(cast: Cast, sha256: string): Promise<SeenFlux | undefined> {
  const page = (await getJson(`${cast.url}/api/v1/fluxes?sha256=${sha256}`)) as {
    fluxes: SeenFlux[];
  };
  return page.fluxes[0];
}

export interface Effects {
  /** Files whose effect was taken more than once. */
  readonly takenMoreThanOnce: number;
  readonly inProgress: number;
  readonly byFile: ReadonlyMap<string, FileEffects>;
}

export interface FileEffects {
  readonly calls: number;
  readonly taken: number;
  readonly refused: number;
  readonly numUnique?: string;
}

/** What the stand-in counted, file by file. */
export async function effectsOf(cast: Cast): Promise<Effects> {
  const body = (await getJson(`${cast.standin.controlUrl}/standin/effects?limit=100000`)) as {
    takenMoreThanOnce: number;
    inProgress: number;
    files: (FileEffects & { sha256: string })[];
  };
  return {
    takenMoreThanOnce: body.takenMoreThanOnce,
    inProgress: body.inProgress,
    byFile: new Map(body.files.map((file) => [file.sha256, file])),
  };
}

async function getJson(url: string): Promise<unknown> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  const text = await answer.text();
  if (!answer.ok && answer.status !== 503)
    throw new Error(`${url} : HTTP ${answer.status} ${text}`);
  return JSON.parse(text);
}
