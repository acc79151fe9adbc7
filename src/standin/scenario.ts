/**
 * Reads and plays a scenario: orders given at moments counted from the start of the stand-in
 * (`config/standin-scenario.example.json`, README.md).
 */
import type { Clock } from "../runtime/clock.ts";
import { readOrders, type Order } from "./orders.ts";

export interface ScenarioStep {
  /** ms since the start. */
  readonly atMs: number;
  readonly orders: readonly Order[];
}

/** Reads `{ description?, steps: [{ atS?, description?, orders: [...] }] }`; throws saying what is wrong. */
export function readScenario(text: string): readonly ScenarioStep[] {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("steps" in value)) {
    throw new Error("a scenario is an object with steps");
  }
  const { steps } = value;
  if (!Array.isArray(steps)) throw new Error("steps is a list");
  return steps
    .map((step: unknown, index) => readStep(step, index + 1))
    .toSorted((one, other) => one.atMs - other.atMs);
}

function readStep(step: unknown, number: number): ScenarioStep {
  if (typeof step !== "object" || step === null || !("orders" in step)) {
    throw new Error(`step ${number} has orders`);
  }
  const unknown = Object.keys(step).find((key) => !["atS", "orders", "description"].includes(key));
  if (unknown !== undefined) throw new Error(`step ${number} has no field "${unknown}"`);
  const atS = "atS" in step ? step.atS : 0;
  if (typeof atS !== "number" || !(atS >= 0)) throw new Error(`step ${number}: atS is in seconds`);
  const reading = readOrders(step.orders);
  if (reading.kind === "wrong") throw new Error(`step ${number}, ${reading.reason}`);
  return { atMs: atS * 1000, orders: reading.orders };
}

/** Applies each step at its moment; ends when all are applied, or at the signal. */
export async function playScenario(
  steps: readonly ScenarioStep[],
  parts: {
    readonly apply: (orders: readonly Order[]) => Promise<void>;
    readonly clock: Clock;
    readonly stopped: AbortSignal;
  },
): Promise<void> {
  const start = parts.clock.now();
  for (const { atMs, orders } of steps) {
    const left = start + atMs - parts.clock.now();
    if (left > 0) await parts.clock.wait(left, parts.stopped);
    if (parts.stopped.aborted) return;
    await parts.apply(orders);
  }
}
