/** An example of `clients/` in each way it can speak: both SOAP versions, both framings, mutual TLS. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Example } from "./example.ts";
import type { Report } from "./report.ts";
import { runExample } from "./run-example.ts";
import type { GatewayOfExamples } from "./start-faces.ts";

interface Variant {
  readonly soap: "1.1" | "1.2";
  readonly mtom: boolean;
  readonly tls?: true;
}

export interface VariantsOf {
  readonly gateways: { readonly clear: GatewayOfExamples; readonly tls: GatewayOfExamples };
  readonly report: Report;
  readonly wanted: (...said: readonly string[]) => boolean;
}

/** Never rejects: an example that cannot be built is told to the report. */
export async function runVariants(example: Example, of: VariantsOf): Promise<void> {
  const framings = example.mtom ? [true, false] : [false];
  const variants: readonly Variant[] = [
    ...framings.map((mtom) => ({ soap: "1.2", mtom }) as const),
    ...framings.map((mtom) => ({ soap: "1.1", mtom }) as const),
    { soap: "1.2", mtom: example.mtom, tls: true },
  ];
  for (const [index, variant] of variants.entries()) {
    const against = variant.tls === true ? `${example.name}, mutual TLS` : example.name;
    if (!of.wanted(example.toolkit, against, variant.soap)) continue;
    try {
      await runVariant(example, variant, index === 0, against, of);
    } catch (error) {
      of.report.absent(against, error);
    }
  }
}

async function runVariant(
  example: Example,
  variant: Variant,
  whole: boolean,
  face: string,
  { gateways, report }: VariantsOf,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "passerelle-exemple-"));
  try {
    const secured = variant.tls === true ? await example.secure(folder) : undefined;
    const built = secured?.built ?? (await example.build());
    const gateway = secured === undefined ? gateways.clear : gateways.tls;
    const { demandeLogement: sneUrl } = gateway.face.urls;
    const verdicts = await runExample({
      ...{ built, soap: variant.soap, mtom: variant.mtom, whole },
      run: Date.now() % 1_000_000_000,
      identity: secured?.env ?? gateway.identity,
      serviceUrl: new URL("passerelle", sneUrl).href,
      standinControlUrl: gateway.standinControlUrl,
      ...(secured === undefined ? { apiUrl: new URL(sneUrl).origin } : {}),
    });
    report.row({
      ...{ toolkit: example.toolkit, version: built.version, wsdl: "passerelle.wsdl" },
      ...{ face, soap: variant.soap, mtom: variant.mtom, verdicts },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
