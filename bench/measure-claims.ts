/**
 * Claims of the embedded store with 1,000 and with 1,000,000 fluxes kept: the same claims on both, in
 * turns, each round claiming a thousand and putting them back (not timed), so that the backlog stays
 * what it is. Payloads are a few bytes: a claim reads none, and a million of 10 KB would be 13 GB.
 */
import type { ClaimedFlux, Move, Outbox } from "../src/keep/outbox.ts";
import type { BenchWorld } from "./bench-world.ts";
import { fillStore } from "./fill-store.ts";
import type { Measured, Row } from "./measures.ts";
import { whole } from "./measures.ts";
import { median } from "./statistics.ts";

const PER_ROUND = 1_000;
const LEASE_MS = 10 * 60_000;
/** Callers at once, where several claim together. */
const CALLERS = 32;

/** One way of claiming: claims `PER_ROUND` fluxes and returns those still to be put back. */
interface Way {
  readonly name: string;
  claim(outbox: Outbox): Promise<readonly ClaimedFlux[]>;
}

const WAYS: readonly Way[] = [
  {
    name: "claims one at a time, one after the other (claims/s)",
    claim: async (outbox) => {
      const claimed: ClaimedFlux[] = [];
      for (let i = 0; i < PER_ROUND; i += 1) claimed.push(...(await claim(outbox, 1)));
      return claimed;
    },
  },
  {
    name: `claims one at a time, ${CALLERS} callers (claims/s)`,
    claim: (outbox) => together(() => claim(outbox, 1)),
  },
  {
    name: "claims by fifty, one after the other (claims/s)",
    claim: async (outbox) => {
      const claimed: ClaimedFlux[] = [];
      while (claimed.length < PER_ROUND) claimed.push(...(await claim(outbox, 50)));
      return claimed;
    },
  },
  {
    name: `claim and move back, ${CALLERS} callers (pairs/s)`,
    claim: async (outbox) => {
      await together(async () => {
        const claimed = await claim(outbox, 1);
        await putBack(outbox, claimed);
        return claimed;
      });
      return [];
    },
  },
];

export async function measureClaims(world: BenchWorld): Promise<Measured> {
  const { claimSmall, claimLarge, claimRounds } = world.scale;
  const paths = [world.newStore("claims-small"), world.newStore("claims-large")] as const;
  const small = await world.openStore(paths[0]);
  const large = await world.openStore(paths[1]);
  await fillStore(small, claimSmall, "small");
  await fillStore(large, claimLarge, "small");
  const rows = await measureRates(world, small, large);
  await Promise.all([small.stop(), large.stop()]);
  for (const path of paths) await world.dropStore(path);
  return {
    title: "Claims",
    rows,
    spent: [],
    remarks: [
      `Each rate is the median of ${claimRounds} rounds of ${whole(PER_ROUND)} claims, the two stores in turns. Every claim is durable: its lease and its journal entry are on disk when it resolves.`,
    ],
  };
}

/** The same claims on a small and on a large store, in turns. @param on - names the kind of store */
export async function measureRates(
  { scale, say }: BenchWorld,
  small: Outbox,
  large: Outbox,
  on = "",
): Promise<readonly Row[]> {
  const { claimSmall, claimLarge, claimRounds } = scale;
  say(`claims: ${whole(claimSmall)} and ${whole(claimLarge)} kept`);
  const rows: Row[] = [];
  for (const way of WAYS) {
    const rates: { small: number[]; large: number[] } = { small: [], large: [] };
    // The first round warms both; the order changes at each, so that neither always comes second.
    for (let round = 0; round <= claimRounds; round += 1) {
      const turns = [
        ["small", small],
        ["large", large],
      ] as const;
      for (const [name, outbox] of round % 2 === 0 ? turns : turns.toReversed()) {
        const rate = await rateOf(way, outbox);
        if (round > 0) rates[name].push(rate);
      }
    }
    const atThousand = median(rates.small);
    const atMillion = median(rates.large);
    rows.push({
      what: `${way.name}${on}`,
      gateway: `${whole(atMillion)} with ${whole(claimLarge)} kept`,
      reference: `${whole(atThousand)} with ${whole(claimSmall)} kept`,
      ratio: (atMillion / atThousand).toFixed(2),
      aim: "≥ 0.90",
      met: atMillion / atThousand >= 0.9,
    });
    say(`${way.name}: ${whole(atThousand)} at small, ${whole(atMillion)} at large`);
  }
  return rows;
}

async function rateOf(way: Way, outbox: Outbox): Promise<number> {
  const begun = performance.now();
  const claimed = await way.claim(outbox);
  const ms = performance.now() - begun;
  await putBack(outbox, claimed);
  return (PER_ROUND * 1_000) / ms;
}

async function claim(outbox: Outbox, max: number): Promise<readonly ClaimedFlux[]> {
  const claimed = await outbox.claim({ owner: "bench", now: Date.now(), leaseMs: LEASE_MS, max });
  if (claimed.length !== max) throw new Error(`${claimed.length} fluxes claimed instead of ${max}`);
  return claimed;
}

async function together(
  one: () => Promise<readonly ClaimedFlux[]>,
): Promise<readonly ClaimedFlux[]> {
  const claimed: ClaimedFlux[] = [];
  let left = PER_ROUND;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (left > 0) {
        left -= 1;
        claimed.push(...(await one()));
      }
    }),
  );
  return claimed;
}

/** Each returns behind all others, as after a postponement. */
async function putBack(outbox: Outbox, claimed: readonly ClaimedFlux[]): Promise<void> {
  await Promise.all(
    claimed.map(async ({ flux, fence }) => {
      const at = Date.now();
      const move: Move = {
        fluxId: flux.id,
        from: ["inTransit"],
        fence,
        to: "kept",
        at,
        event: { name: "flux.postponed", detail: { code: "BENCH" } },
      };
      const { kind } = await outbox.move(move);
      if (kind !== "moved") throw new Error(`a claimed flux could not be put back: ${kind}`);
    }),
  );
}
