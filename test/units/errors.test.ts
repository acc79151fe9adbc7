/** What people read of an error that has a cause. */
import assert from "node:assert/strict";
import { gatewayError, messageWithCauseOf } from "../../src/domain/errors.ts";

describe("an error told with its cause", () => {
  it("says the cause in brackets, once", () => {
    assert.equal(messageWithCauseOf("texte"), "texte");
    assert.equal(messageWithCauseOf(new Error("seule")), "seule");
    const cause = new Error("disque débranché");
    assert.equal(messageWithCauseOf(new Error("panne", { cause })), "panne (disque débranché)");
    const inner = gatewayError("STORE_UNAVAILABLE", {}, cause);
    const outer = gatewayError("STORE_UNAVAILABLE", {}, inner);
    assert.equal(messageWithCauseOf(outer), `${outer.message} (disque débranché)`);
  });
});
