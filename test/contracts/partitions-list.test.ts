/** The list over several databases is the list of one big one: same fluxes, same order, no gap. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { FluxQuery, NewFlux } from "../../src/keep/outbox.ts";
import { newFlux, newQuarantinedFlux, newRefusedFlux, NOON } from "../support/new-flux.ts";
import { moveTo } from "./outbox/journeys.ts";
import { openPartitions, type PartitionsBench } from "./partitions-bench.ts";

const GUICHETS = ["75001", "69002", "13055"] as const;
const STATES = ["kept", "refused", "quarantined"] as const;

/** What is kept, in a few milliseconds so that many were received at once. */
function makeFlux(n: number): NewFlux {
  const receivedAt = NOON + ((n * 7) % 23);
  const guichet = GUICHETS[n % 3] ?? "13055";
  const state = STATES[(n * 5) % 4] ?? "kept";
  if (state === "quarantined") return newQuarantinedFlux({ receivedAt });
  return state === "refused"
    ? newRefusedFlux({ receivedAt, guichet })
    : newFlux({ receivedAt, guichet });
}

describe("the list of an outbox of several databases", function () {
  this.timeout(60_000);
  let bench: PartitionsBench;
  let all: NewFlux[];

  before(async () => {
    bench = await openPartitions();
    all = Array.from({ length: 150 }, (_, n) => makeFlux(n));
    for (const flux of all) await bench.outbox.keep([flux]);
  });
  after(() => bench.remove());

  /** Every page of a query, one after the other. */
  async function pagesOf(
    query: FluxQuery,
    between: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<readonly NewFlux["id"][]> {
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await bench.outbox.list({ ...query, ...(after === undefined ? {} : { after }) });
      assert.ok(page.fluxes.length <= query.limit);
      seen.push(...page.fluxes.map(({ id }) => id));
      after = page.next;
      // The REST interface takes no longer a place than this.
      assert.ok((after?.length ?? 0) <= 200, after);
      if (after !== undefined) assert.equal(page.fluxes.length, query.limit);
      await between();
    } while (after !== undefined);
    return seen;
  }

  /** One big list, in the order of reception; the partitions one after the other within a millisecond. */
  function expected(query: Omit<FluxQuery, "limit">): readonly string[] {
    const rank = ({ guichet }: NewFlux): number =>
      guichet === "75001" ? 1 : guichet === "69002" ? 2 : 0;
    const wanted = all
      .filter(
        ({ state, guichet, receivedAt }) =>
          (query.states?.includes(state) ?? true) &&
          (query.guichet === undefined || guichet === query.guichet) &&
          receivedAt >= (query.receivedFrom ?? 0) &&
          receivedAt < (query.receivedBefore ?? Number.POSITIVE_INFINITY),
      )
      .sort((a, b) => a.receivedAt - b.receivedAt || rank(a) - rank(b))
      .map(({ id }) => id);
    return query.order === "newestFirst" ? wanted.toReversed() : wanted;
  }

  const queries = fc.record(
    {
      limit: fc.integer({ min: 1, max: 40 }),
      order: fc.constantFrom("oldestFirst" as const, "newestFirst" as const),
      states: fc.subarray([...STATES], { minLength: 1 }),
      guichet: fc.constantFrom(...GUICHETS),
      receivedFrom: fc.integer({ min: NOON - 2, max: NOON + 20 }),
      receivedBefore: fc.integer({ min: NOON, max: NOON + 25 }),
    },
    { requiredKeys: ["limit"] },
  );

  it("is the list of one big one, page after page, whatever is asked", async () => {
    await fc.assert(
      fc.asyncProperty(queries, async (query) => {
        assert.deepEqual(await pagesOf(query), expected(query));
      }),
      { numRuns: 150, interruptAfterTimeLimit: 8_000, endOnFailure: true },
    );
  });

  it("has neither gap nor repeat while fluxes leave it and others arrive", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 25 }),
        fc.constantFrom("oldestFirst" as const, "newestFirst" as const),
        fc.array(fc.nat({ max: 149 }), { maxLength: 8 }),
        async (limit, order, leaving) => {
          const states = ["kept"] as const;
          const before = expected({ states });
          const left = new Set<string>();
          const arrived = new Set<string>();
          const seen = await pagesOf({ limit, order, states }, async () => {
            const flux = all[leaving.pop() ?? -1];
            if (flux?.state !== "kept") return;
            await bench.outbox.move({ ...moveTo("discarded", flux, NOON), from: ["kept"] });
            left.add(flux.id);
            all = all.filter((one) => one !== flux);
            const more = newFlux({ guichet: flux.guichet ?? "13055", receivedAt: NOON + 10 });
            await bench.outbox.keep([more]);
            arrived.add(more.id);
            all.push(more);
          });
          assert.equal(new Set(seen).size, seen.length, "no repeat");
          const stayed = before.filter((id) => !left.has(id));
          const known = seen.filter((id) => !left.has(id) && !arrived.has(id));
          assert.deepEqual(known.toSorted(), stayed.toSorted(), "no gap");
        },
      ),
      { numRuns: 60, interruptAfterTimeLimit: 8_000, endOnFailure: true },
    );
  });

  it("gives no place that another list could be confused with", async () => {
    const { next } = await bench.outbox.list({ limit: 2 });
    assert.ok(next !== undefined);
    for (const after of [`${next},${next}`, "ouest:1.1", "nord:%zz", "nord:x", `${next},`, ":"]) {
      await assert.rejects(
        bench.outbox.list({ limit: 2, after }),
        { code: "INVALID_REQUEST" },
        after,
      );
    }
  });
});
