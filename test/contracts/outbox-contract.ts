/**
 * The promises of the outbox port, as one suite that every store passes unchanged. It speaks of
 * fluxes, lanes and leases, never of how a store holds them; times are given, never waited for.
 */
import type { Outbox } from "../../src/keep/outbox.ts";
import { acknowledgingContract } from "./outbox/acknowledging.ts";
import { erasingContract } from "./outbox/erasing.ts";
import { keepingContract } from "./outbox/keeping.ts";
import { lanesContract } from "./outbox/lanes.ts";
import { lendingContract } from "./outbox/lending.ts";
import { movingContract } from "./outbox/moving.ts";
import { notingContract } from "./outbox/noting.ts";
import { pausingContract } from "./outbox/pausing.ts";
import { readingContract } from "./outbox/reading.ts";
import { repeatingContract } from "./outbox/repeating.ts";
import { recordingContract } from "./outbox/recording.ts";
import { rolesContract } from "./outbox/roles.ts";

/** A place where a store keeps its data, fresh for one test. */
export interface StorePlace {
  /** Opens the store; again after `stop()`, on the same data. */
  open(): Promise<Outbox>;
  /** Erases the data. */
  remove(): Promise<void>;
}

/** What a contract test has at hand: an open store, and the same opened again. */
export interface ContractBench {
  readonly outbox: () => Outbox;
  readonly reopen: () => Promise<Outbox>;
}

export function outboxContract(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`outbox contract, ${name} store`, function () {
    this.timeout(60_000);
    let place: StorePlace;
    let outbox: Outbox;
    const bench: ContractBench = {
      outbox: () => outbox,
      reopen: async () => {
        await outbox.stop();
        outbox = await place.open();
        return outbox;
      },
    };

    beforeEach(async () => {
      place = await makePlace();
      outbox = await place.open();
    });
    afterEach(async () => {
      await outbox.stop();
      await place.remove();
    });

    keepingContract(bench);
    repeatingContract(bench);
    lendingContract(bench);
    lanesContract(bench);
    movingContract(bench);
    recordingContract(bench);
    acknowledgingContract(bench);
    readingContract(bench);
    notingContract(bench);
    pausingContract(bench);
    rolesContract(bench);
    erasingContract(bench);
  });
}
