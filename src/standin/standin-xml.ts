/**
 * What the stand-in needs read from XML: the envelope of a call, and the file in it. The
 * reading itself is an adapter (`adapters/standin-xml/`), so that this room imports no package.
 *
 * Promise of every implementation: hostile or broken XML is a value that says why, never a throw.
 */

/** One parameter of an operation: an inline text, an inlined code, or a file that travels beside. */
export interface CallParameter {
  readonly name: string;
  /** Text content; base64 when the parameter is a file sent inline. */
  readonly text: string;
  /** Content-ID of the part, when an `xop:Include` stands for the content; percent-decoded. */
  readonly cid?: string;
  /** `@code`, of the filters of getDemandesRadieesDepuisLe. */
  readonly code?: string;
}

export type EnvelopeReading =
  | {
      readonly kind: "read";
      readonly soap: "1.1" | "1.2";
      readonly namespace: string;
      /** Local name of the one element of the Body. */
      readonly element: string;
      readonly parameters: readonly CallParameter[];
      /** A header block that must be understood, and is not. */
      readonly mustUnderstand?: string;
    }
  | { readonly kind: "unreadable"; readonly reason: string };

export interface DemandePerson {
  readonly nom: string;
  readonly prenom: string;
  /** xs:date */
  readonly dateNaissance: string;
}

/**
 * The demande written again in UTF-8 with the prefix `tns` (three characters, as libsne needs), in three
 * pieces: the numéro unique goes after `head`; anomalies and doublons go after `middle`. Those that
 * came with the file are left out.
 */
export interface DemandeEcho {
  readonly head: Uint8Array;
  readonly middle: Uint8Array;
  readonly tail: Uint8Array;
}

/** What a search looks at, and the rules do not. Dates are xs:date. */
export interface SearchedFacts {
  readonly dateRenouvellement?: string;
  readonly dateRadiation?: string;
  /** Codes of principauxMotifDemande. */
  readonly motifs: readonly string[];
  /** Codes of the communes wanted. */
  readonly communes: readonly string[];
  readonly communeAttribution?: string;
  /** informationTraitement, of the 02.01 edition. */
  readonly estDelaiAnormalementLong?: boolean;
  readonly estMultiplesAttributionsSousConditions?: boolean;
}

/** What the rules of the stand-in look at. */
export interface ReadDemande {
  readonly typeFichier: string;
  readonly dateFichier: string;
  readonly numGuichet: string;
  readonly numUnique?: string;
  readonly refInterne?: string;
  /** xs:date, or empty. */
  readonly dateCreationDemande: string;
  readonly forcerDoublon: boolean;
  /** The demandeur; absent for an association. */
  readonly person?: DemandePerson;
  /** Name of the legal person. */
  readonly association?: string;
  readonly hasRenouvellement: boolean;
  readonly radiation?: {
    /** Empty: un-radiation. */
    readonly motif: string;
    readonly sousMotif?: string;
    readonly typeReservataire?: string;
  };
  readonly statutDalo?: string;
  readonly searched: SearchedFacts;
  /** `<tns:doublon>` content after numUnique, as a listeDoublons would show this demande. */
  readonly asDoublon: string;
  readonly echo: DemandeEcho;
}

/** An element of a search or event file, in the namespace of interfaceNuu; of another: `{uri}name`. */
export interface FileElement {
  readonly name: string;
  /** Its own text, without that of its children. */
  readonly text: string;
  readonly children: readonly FileElement[];
}

/** A search or event file, whole: they are small. */
export type FileReading =
  | { readonly kind: "read"; readonly root: FileElement }
  | { readonly kind: "unreadable"; readonly reason: string };

export type DemandeReading =
  | { readonly kind: "read"; readonly demande: ReadDemande }
  | { readonly kind: "unreadable"; readonly reason: string };

export interface StandinXml {
  readEnvelope(bytes: Uint8Array): EnvelopeReading;
  readDemande(bytes: Uint8Array): DemandeReading;
  readFile(bytes: Uint8Array): FileReading;
}
