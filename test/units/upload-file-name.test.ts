/** The name a sender gives to the file it uploads: found, decoded, and safe. */
import assert from "node:assert/strict";
import { uploadFileName } from "../../src/adapters/http/upload-file-name.ts";

describe("the name of an uploaded file", () => {
  const named = (headers: Record<string, string>): string => uploadFileName(headers);

  it("prefers filename*, then filename, then X-File-Name", () => {
    const disposition = "attachment; filename=b.xml; filename*=UTF-8''%C3%A9.xml";
    assert.equal(named({ "content-disposition": disposition, "x-file-name": "c.xml" }), "é.xml");
    assert.equal(named({ "content-disposition": "attachment; filename=b.xml" }), "b.xml");
    assert.equal(named({ "content-disposition": "attachment", "x-file-name": "c.xml" }), "c.xml");
    assert.equal(named({}), "flux.xml");
  });

  it("reads UTF-8 that came as Latin-1, and Latin-1 that is no UTF-8", () => {
    const utf8 = Buffer.from("été.xml", "utf8").toString("latin1");
    assert.equal(named({ "x-file-name": utf8 }), "été.xml");
    assert.equal(named({ "x-file-name": "été.xml" }), "été.xml");
  });

  it("is safe before anything else sees it", () => {
    assert.equal(named({ "x-file-name": "../../etc/passwd" }), "passwd");
    const disposition = "attachment; filename*=UTF-8''..%2Fa%0D%0Ab.xml";
    assert.equal(named({ "content-disposition": disposition }), "ab.xml");
  });
});
