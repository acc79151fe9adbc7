/**
 * A caller of the stand-in SNE for the tests: creates demandes, sends files of the second and third
 * services, and holds every answer file to its schema.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeSchemaValidator } from "../../src/adapters/xml/schema-validator.ts";
import { makeDemande, type SampleDemande } from "../../src/standin/sample-demandes.ts";
import {
  makeEventFile,
  makeEventTypesFile,
  makeSearchFile,
  type SampleCriteria,
  type SampleEvent,
} from "../../src/standin/sample-operation-files.ts";
import type { RunningStandin } from "../../src/standin/standin-main.ts";
import { ask, fileCall, numUniqueCall, post, readSoap, type SoapAnswer } from "./standin-calls.ts";

export const GUICHET = "G1104";
export const SERVICES = {
  demandes: "DemandeLogementImplService",
  search: "RechercheDemandeImplService",
  events: "GestionPartageeEVTImplService",
} as const;

export interface Effects {
  readonly calls: number;
  readonly effects: number;
  readonly refusals: number;
  readonly takenMoreThanOnce: number;
  readonly effectsByOperation: Readonly<Record<string, number>>;
  readonly violations: { readonly together: number; readonly order: number };
}

export interface StandinPeer {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** By getNumUnique; a creation unless told. */
  readonly give: (of: Partial<SampleDemande>) => Promise<SoapAnswer>;
  /** The number of a creation. */
  readonly create: (of?: Partial<SampleDemande>) => Promise<string>;
  readonly search: (criteres: SampleCriteria) => Promise<SoapAnswer>;
  /** The numbers a search found; it must not be refused. */
  readonly found: (criteres: SampleCriteria) => Promise<readonly string[]>;
  readonly events: (
    operation: string,
    numUnique: string | undefined,
    evenements?: readonly SampleEvent[],
  ) => Promise<SoapAnswer>;
  readonly types: (operation: string, territoire?: string) => Promise<SoapAnswer>;
  readonly effects: () => Promise<Effects>;
}

export function makeStandinPeer(standin: () => RunningStandin): StandinPeer {
  const schemasDir = join(import.meta.dirname, "../../schemas");
  const validator = makeSchemaValidator({ schemasDir });

  const send = async (
    url: string,
    operation: string,
    file: Uint8Array,
    document: string,
  ): Promise<SoapAnswer> => {
    const answer = readSoap(await post(url, fileCall(operation, file)));
    assert.equal(answer.status, 200, answer.envelope);
    assert.match(answer.envelope, /<sne:fichierXmlReponse [^>]*><nomFichierXmlRetour>RET-/);
    assert.match(textOf(answer), /^<\?xml[^>]*>\n<!-- Ceci n'est pas le SNE[^>]*-->\n<tns:interf/);
    const bytes = answer.files[0] ?? new Uint8Array();
    const check = await validator.checkDocument(bytes, document, "02.00");
    assert.deepEqual(check, { kind: "valid" }, textOf(answer));
    return answer;
  };
  const give: StandinPeer["give"] = async (of) => {
    const file = makeDemande({ typeFichier: "CRE", guichet: GUICHET, ...of });
    const answer = readSoap(await post(standin().url, numUniqueCall(file)));
    const check = await validator.check(
      answer.files[0] ?? new Uint8Array(),
      of.versionInterface ?? "02.01",
    );
    assert.deepEqual(check, { kind: "valid" }, textOf(answer));
    return answer;
  };
  const search: StandinPeer["search"] = (criteres) =>
    send(
      standin().searchUrl,
      "rechercheDemandeMulticritere",
      makeSearchFile({ guichet: GUICHET, criteres }),
      "recherche",
    );

  return {
    start: () => validator.start(),
    stop: () => validator.stop(),
    give,
    create: async (of = {}) => {
      const answer = textOf(await give(of));
      return /<tns:numUnique>(\w+)</.exec(answer)?.[1] ?? assert.fail(answer);
    },
    search,
    found: async (criteres) => {
      const answer = await search(criteres);
      assert.deepEqual(codesIn(answer), [], textOf(answer));
      const list = /<tns:listeDemandes>(.*)<\/tns:listeDemandes>/s.exec(textOf(answer))?.[1] ?? "";
      return all(list, /<tns:numUnique>(\w+)</g);
    },
    events: (operation, numUnique, evenements = []) => {
      const numbered = numUnique === undefined ? {} : { numUnique };
      const file = makeEventFile({ guichet: GUICHET, ...numbered, evenements });
      return send(standin().eventsUrl, operation, file, "evenements");
    },
    types: (operation, territoire) => {
      const placed = territoire === undefined ? {} : { territoire };
      const file = makeEventTypesFile({ guichet: GUICHET, ...placed });
      return send(standin().eventsUrl, operation, file, "typesEvenements");
    },
    effects: () => ask<Effects>(standin().controlUrl, "/standin/effects?summary"),
  };
}

/** The first file of an answer. */
export function textOf(answer: SoapAnswer): string {
  return Buffer.from(answer.files[0] ?? []).toString("utf8");
}

export function codesIn(answer: SoapAnswer): readonly string[] {
  return all(textOf(answer), /<tns:anomalie code="([^"]*)"/g);
}

export function idsIn(answer: SoapAnswer): readonly string[] {
  return all(textOf(answer), /<tns:idEvenement>(\d+)</g);
}

/** `Sender: the reason`, of a fault, which the answer must be. */
export function reasonIn(answer: SoapAnswer): string {
  assert.equal(answer.status, 500);
  const found = /<soap:Value>soap:(\w+)<.*<soap:Text xml:lang="fr">(.*)<\/soap:Text>/.exec(
    answer.envelope,
  );
  return found?.slice(1).join(": ") ?? "";
}

export function all(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, found]) => found ?? "");
}
