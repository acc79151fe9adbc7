/**
 * Acquittements owed: one document per flux and address, there from the verdict until it is
 * delivered. Promise: lent to one borrower; one whose lease was taken back can write nothing.
 */
import type { SleepingAddress, DeliveryDocument } from "./documents.ts";

/** @param dueAt - from when it may be lent, in the database's time, ms */
export function owedDelivery(
  flux: string,
  { n, to, isRepeat }: SleepingAddress,
  dueAt: number,
): DeliveryDocument {
  return {
    // As wide as it takes for the order of names to be the order of numbers.
    _id: `${flux}:${String(n).padStart(6, "0")}`,
    flux,
    to,
    isRepeat,
    state: "owed",
    dueAt,
    attempts: 0,
    fence: 0,
  };
}
