/**
 * Tells who listens in this process of each move that was made durable, with the files it brought: who
 * waits for one flux learns what the outbox now holds without asking it again.
 *
 * Promise: nothing is told that is not on disk; a listener may miss moves of other gateways, and of a
 * former life, and must look for itself now and then.
 */
import type { Flux } from "../domain/flux.ts";
import type { Move, Outbox } from "./outbox.ts";

export interface MoveMade {
  readonly flux: Flux;
  /** The files the move brought: the SNE's answer and attestation. */
  readonly files: NonNullable<Move["files"]>;
}

/** Calls at each durable move; gives the function that ends it. */
export type OnMove = (listener: (made: MoveMade) => void) => () => void;

/** The outbox as it is, and where to listen to its moves. A listener must not throw. */
export function tellMoves(outbox: Outbox): { readonly outbox: Outbox; readonly onMove: OnMove } {
  const listeners = new Set<(made: MoveMade) => void>();
  return {
    outbox: {
      ...outbox,
      move: async (move) => {
        const result = await outbox.move(move);
        if (result.kind === "moved") {
          for (const listener of listeners)
            listener({ flux: result.flux, files: move.files ?? {} });
        }
        return result;
      },
    },
    onMove: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
