/**
 * The short words an operator reads for the states and channels of a flux, where a column has no
 * room for a sentence. Every state has one: the compiler refuses a table that forgets any.
 */
import type { Channel } from "../../domain/flux.ts";
import { readFluxState, type FluxState } from "../../domain/flux-state.ts";
import type { Tone } from "./terminal.ts";

interface StateWord {
  readonly word: string;
  readonly tone: Tone;
}

const STATE_WORDS: Readonly<Record<FluxState, StateWord>> = {
  kept: { word: "gardé", tone: "accent" },
  inTransit: { word: "en transit", tone: "accent" },
  inDoubt: { word: "en doute", tone: "warning" },
  accepted: { word: "accepté", tone: "good" },
  refused: { word: "refusé", tone: "warning" },
  acknowledged: { word: "acquitté", tone: "good" },
  failed: { word: "en échec", tone: "bad" },
  quarantined: { word: "en quarantaine", tone: "warning" },
  discarded: { word: "abandonné", tone: "faint" },
};

const CHANNEL_WORDS: Readonly<Record<Channel, string>> = {
  mail: "messagerie",
  file: "dossier",
  rest: "REST",
  soap: "SOAP",
};

/** The word of a state; a state this program does not know is shown as it is. */
export function stateWord(state: string): string {
  const known = readFluxState(state);
  return known === undefined ? state : STATE_WORDS[known].word;
}

export function stateTone(state: string): Tone {
  const known = readFluxState(state);
  return known === undefined ? "strong" : STATE_WORDS[known].tone;
}

export function channelWord(channel: string): string {
  return Object.entries(CHANNEL_WORDS).find(([name]) => name === channel)?.[1] ?? channel;
}
