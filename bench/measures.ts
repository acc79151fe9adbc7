/** What a measure gives: lines of the table, where the processor time went, and remarks. */
import type { ProcessorUse } from "./processor-time.ts";

export interface Row {
  readonly what: string;
  readonly gateway: string;
  /** Measured in the same run. */
  readonly reference: string;
  readonly ratio: string;
  readonly aim: string;
  /** Undefined: no aim was set. */
  readonly met?: boolean;
}

export interface Spent {
  readonly title: string;
  /** Share of all processors that was busy. */
  readonly busy: number;
  readonly uses: readonly ProcessorUse[];
}

export interface Measured {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly spent: readonly Spent[];
  readonly remarks: readonly string[];
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function tenth(value: number): string {
  return value.toFixed(1);
}

export function ratioOf(value: number, reference: number): string {
  return (value / reference).toFixed(2);
}
