/** Quantiles and rates of what was measured. */

/** The value under which a share of the sample stands; NaN of an empty sample. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  const place = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted[place] ?? Number.NaN;
}

/** The middle value; the mean of the two in the middle of an even sample. */
export function median(sample: readonly number[]): number {
  const sorted = sample.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  const high = sorted[Math.floor(middle)] ?? Number.NaN;
  return (low + high) / 2;
}
