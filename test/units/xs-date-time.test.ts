/** The stand-in reads dates as XML Schema writes them, and times without offset as those of Paris. */
import assert from "node:assert/strict";
import { readDate, readDateTime } from "../../src/standin/xs-date-time.ts";

describe("dates of XML Schema", () => {
  it("are moments, with their offset", () => {
    const at = Date.UTC(2026, 0, 15, 8, 30);
    for (const text of [
      "2026-01-15T08:30:00Z",
      "2026-01-15T09:30:00.0+01:00",
      " 2026-01-14T21:30:00.000000-11:00 ",
    ]) {
      assert.equal(readDateTime(text), at, text);
    }
  });

  it("without offset are those of Paris, winter and summer", () => {
    assert.equal(readDateTime("2026-01-15T09:30:00"), Date.UTC(2026, 0, 15, 8, 30));
    assert.equal(readDateTime("2026-07-15T09:30:00.250"), Date.UTC(2026, 6, 15, 7, 30, 0, 250));
    assert.equal(readDateTime("2026-01-01T00:00:00"), Date.UTC(2025, 11, 31, 23));
    assert.equal(readDateTime("2026-03-29T12:00:00"), Date.UTC(2026, 2, 29, 10));
    assert.equal(readDateTime("2026-10-25T12:00:00"), Date.UTC(2026, 9, 25, 11));
  });

  it("are nothing else", () => {
    const wrong = ["", "hier", "2026-01-15", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z"];
    wrong.push("2026-01-15 09:30:00", "15/01/2026", "2026-01-15T09:30Z", "2026-01-15T25:00:00Z");
    for (const text of wrong) assert.equal(readDateTime(text), undefined, text);
    for (const text of ["", "2026-02-30", "2026-1-1", "20260101", "2026-01-15T00:00:00Z"]) {
      assert.equal(readDate(text), undefined, text);
    }
    assert.equal(readDate(" 2028-02-29+01:00"), "2028-02-29");
  });
});
