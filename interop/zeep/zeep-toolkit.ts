/** Python's zeep: reads a WSDL as it runs, sends base64, understands MTOM in what comes back. */
import { join } from "node:path";
import { pythonWith } from "../python-packages.ts";
import { runCommand } from "../run-command.ts";
import { absentUnless, type Toolkit } from "../toolkit.ts";

export const ZEEP_VERSION = "4.3.3";

export const ZEEP: Toolkit = {
  name: "zeep",
  framings: ["base64"],
  limitOf: (_report, complaint) =>
    complaint.startsWith("attestation is not")
      ? "zeep strips line ends off the end of a binary part (Attachment.content)"
      : undefined,
  prepare: () =>
    absentUnless(async () => {
      const python = await pythonWith("zeep", [`zeep==${ZEEP_VERSION}`]);
      const program = join(import.meta.dirname, "sne_calls.py");
      return {
        kind: "ready",
        version: ZEEP_VERSION,
        makeCaller: () => Promise.resolve((job) => runCommand(python, [program, job])),
      };
    }),
};
