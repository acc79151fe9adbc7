/**
 * The operations of the first service that ask for demandes: one by its number, or those radiated,
 * or declared DALO, since a moment.
 */
import type { BookEntry, DemandeBook } from "./demande-book.ts";
import type { OperationName } from "./operations-table.ts";
import { faulty, type Performed, type PrepareCall } from "./prepared-call.ts";
import type { SoapCall } from "./soap-request.ts";
import type { Settings } from "./steering.ts";
import { readDateTime } from "./xs-date-time.ts";
import { writeZip } from "./zip-store.ts";

const FORGOTTEN = faulty(
  "Receiver",
  "Le simulateur n'a plus le contenu de cette demande : il ne garde que les dernières.",
);

/** How a "DepuisLe" operation lists. */
interface Listing {
  readonly parameter: string;
  readonly name: string;
  readonly file: string;
  readonly zip: string;
  /** @param since - ms since the epoch */
  listed(entry: BookEntry, since: number, call: SoapCall): boolean;
}

const LISTINGS: Partial<Record<OperationName, Listing>> = {
  getDemandesRadieesDepuisLe: {
    parameter: "dateRadiationDepuisLe",
    name: "nomFichierDemandesRadiees",
    file: "fichierDemandesRadiees",
    zip: "RadieesDepuisLe.zip",
    listed: ({ radiation, dalo }, since, call) =>
      radiation !== undefined &&
      radiation.at >= since &&
      wanted(call.code("motifRadiation"), radiation.motif) &&
      wanted(call.code("typeReservataire"), radiation.typeReservataire) &&
      wanted(call.code("statutDalo"), dalo?.statut),
  },
  getNouveauxDaloDepuisLe: {
    parameter: "dateNouveauDaloDepuisLe",
    name: "nomFichierNouveauxDalo",
    file: "fichierNouveauxDalo",
    zip: "NouveauxDalo.zip",
    listed: ({ dalo }, since) => dalo !== undefined && dalo.at >= since,
  },
};

/** A filter that is absent or empty wants nothing. */
function wanted(filter: string | undefined, value: string | undefined): boolean {
  return filter === undefined || filter === "" || filter === value;
}

export function makeDemandeReadOperations(deps: { readonly book: DemandeBook }): PrepareCall {
  const { book } = deps;

  const readOne = (call: SoapCall): Performed => {
    const numUnique = call.text("numUnique") ?? "";
    const file = book.file(numUnique);
    if (file === undefined) {
      const text = `Aucune demande ne porte le numéro unique ${numUnique.slice(0, 40)}.`;
      return faulty("Sender", text);
    }
    if (file === "forgotten") return FORGOTTEN;
    return {
      kind: "answer",
      outcome: "read",
      fields: [
        { name: "nomFichierDemande", text: `DEM${numUnique}.xml` },
        { name: "fichierDemande", file, contentType: "text/xml" },
      ],
    };
  };

  const listSince = (call: SoapCall, listing: Listing, { since: form }: Settings): Performed => {
    const since = readDateTime(call.text(listing.parameter) ?? "");
    if (since === undefined) {
      return faulty("Sender", `${listing.parameter} n'est pas une date (xs:dateTime).`);
    }
    const files: { name: string; bytes: Uint8Array }[] = [];
    for (const entry of book.entries()) {
      if (!listing.listed(entry, since, call)) continue;
      const bytes = book.file(entry.numUnique);
      if (bytes === undefined || bytes === "forgotten") return FORGOTTEN;
      files.push({ name: `${entry.numUnique}.xml`, bytes });
    }
    const latest = files.at(-1);
    if (latest === undefined) return { kind: "answer", outcome: "read", fields: [] };
    if (form === "latest") {
      return {
        kind: "answer",
        outcome: "read",
        fields: [
          { name: listing.name, text: latest.name },
          { name: listing.file, file: latest.bytes, contentType: "text/xml" },
        ],
      };
    }
    return {
      kind: "answer",
      outcome: "read",
      fields: [
        { name: listing.name, text: listing.zip },
        { name: listing.file, file: writeZip(files), contentType: "application/zip" },
      ],
    };
  };

  return (call) => {
    const { operation } = call;
    const numUnique = call.text("numUnique");
    const listing = LISTINGS[operation];
    return {
      kind: "prepared",
      prepared: {
        facts: { operation, ...(numUnique === undefined ? {} : { numUnique }) },
        writes: false,
        perform: ({ settings }) =>
          listing === undefined ? readOne(call) : listSince(call, listing, settings),
      },
    };
  };
}
