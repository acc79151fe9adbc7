/** The suggestion made for a misspelt name. */
import assert from "node:assert/strict";
import { suggest } from "../../src/runtime/suggest.ts";

describe("suggesting the name that was meant", () => {
  const known = ["returnBy", "returnMail", "senders", "smtpUser", "folders", "GATEWAY_SNE_URL"];

  it("finds the nearest name: a letter more, less, other, or two swapped", () => {
    assert.equal(suggest("senderss", known), "senders");
    assert.equal(suggest("sender", known), "senders");
    assert.equal(suggest("sunders", known), "senders");
    assert.equal(suggest("esnders", known), "senders");
    assert.equal(suggest("GATEWAY_SEN_URL", known), "GATEWAY_SNE_URL");
  });

  it("takes no account of case", () => {
    assert.equal(suggest("RETURNBY", known), "returnBy");
    assert.equal(suggest("gateway_sne_url", known), "GATEWAY_SNE_URL");
  });

  it("chooses the nearest of two near names, the first of two equally near", () => {
    assert.equal(suggest("port", ["sport", "port"]), "port");
    assert.equal(suggest("cart", ["care", "cars"]), "care");
  });

  it("suggests nothing when nothing is near", () => {
    assert.equal(suggest("colour", known), undefined);
    assert.equal(suggest("x", ["yz"]), undefined);
    assert.equal(suggest("", known), undefined);
    assert.equal(suggest("senders", []), undefined);
  });

  it("counts a swap of neighbours as one edit, not two", () => {
    // Three letters allow one edit only: "sne" for "nse" is a suggestion only if a swap is one.
    assert.equal(suggest("nse", ["sne"]), "sne");
  });
});
