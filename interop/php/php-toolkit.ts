/** PHP's own SoapClient (Debian): reads a WSDL as it runs; knows no MTOM. */
import { join } from "node:path";
import { needDebianPackages } from "../debian.ts";
import { mustRun, runCommand } from "../run-command.ts";
import { absentUnless, type Toolkit } from "../toolkit.ts";

export const PHP: Toolkit = {
  name: "PHP SoapClient",
  framings: ["base64"],
  limitOf: (report) =>
    report.fields.get("code") === "HTTP"
      ? "SoapClient gives up on an HTTP error whose body is multipart, and its fault with it"
      : undefined,
  prepare: () =>
    absentUnless(async () => {
      await needDebianPackages(["php-cli", "php-soap"]);
      const version = await mustRun("php", ["-r", "echo PHP_VERSION;"]);
      const program = join(import.meta.dirname, "sne-calls.php");
      return {
        kind: "ready",
        version: version.trim(),
        makeCaller: () => Promise.resolve((job) => runCommand("php", [program, job])),
      };
    }),
};
