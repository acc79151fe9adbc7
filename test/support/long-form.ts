/**
 * True for the long form of tests that have two: `PASSERELLE_LONG=1 npm test -- name`, and the
 * campaigns (`npm run crash`). The suite plays the short one, so that it stays quick enough to be run.
 */
export const LONG = process.env["PASSERELLE_LONG"] === "1";
