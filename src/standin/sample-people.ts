/**
 * Fictitious people and real communes, drawn from a seed: the same seed always gives the same
 * household. Telephone numbers are those ARCEP keeps for fiction, mail addresses end in example.org.
 */

/** A repeatable source of choices. */
export interface Draw {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** True that many times in a hundred. */
  chance(percent: number): boolean;
}

export interface SamplePerson {
  readonly civilite: "1" | "2";
  readonly sexe: "M" | "F";
  readonly nom: string;
  readonly prenom: string;
  /** xs:date */
  readonly dateNaissance: string;
}

export interface SamplePlace {
  readonly codePostal: string;
  /** INSEE code: five characters, letters in Corsica. */
  readonly commune: string;
}

const SURNAMES = [
  ...["Abécassis", "Bernard", "Carpentier", "Delaunay", "Étienne", "François", "Guérin", "Hébert"],
  ...["Ibarra", "Joly", "Kowalski", "Lefèvre", "M'Bala", "Nguyen", "Olivier", "Péron", "Quéré"],
  ...["Roussel-Dupré", "Santos", "Traoré", "Urbain", "Vasseur", "Weber", "Yılmaz", "Zeller"],
] as const;
const HERS = [
  ...["Aïcha", "Béatrice", "Chloé", "Danièle", "Élodie", "Fatou", "Gaëlle", "Hélène", "Inès"],
  ...["Jeanne", "Léa", "Maëva", "Noémie", "Océane", "Raphaëlle", "Zoé"],
] as const;
const HIS = [
  ...["Amadou", "Benoît", "Clément", "Didier", "Éric", "François", "Grégory", "Hervé", "Ismaël"],
  ...["Jérôme", "Loïc", "Mathéo", "Noël", "Olivier", "Rémi", "Théo"],
] as const;

const PLACES: readonly [SamplePlace, ...SamplePlace[]] = [
  { codePostal: "35000", commune: "35238" },
  { codePostal: "13001", commune: "13055" },
  { codePostal: "69003", commune: "69123" },
  { codePostal: "59000", commune: "59350" },
  { codePostal: "31000", commune: "31555" },
  { codePostal: "44000", commune: "44109" },
  { codePostal: "67000", commune: "67482" },
  { codePostal: "33000", commune: "33063" },
  { codePostal: "76000", commune: "76540" },
  { codePostal: "80000", commune: "80021" },
  // Corsica: a commune code is not all digits.
  { codePostal: "20000", commune: "2A004" },
  { codePostal: "20200", commune: "2B033" },
];
const STREETS = ["rue de l'Église", "avenue Jean Jaurès", "place du Marché", "allée des Érables"];

/** Mulberry32: small, repeatable, good enough to vary a sample. */
export function makeDraw(seed: number): Draw {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    pick: (list) => list[int(list.length)] ?? list[0],
    chance: (percent) => int(100) < percent,
  };
}

/** A person born between the two years, included. */
export function samplePerson(draw: Draw, bornFrom: number, bornTo: number): SamplePerson {
  const woman = draw.chance(50);
  return {
    civilite: woman ? "2" : "1",
    sexe: woman ? "F" : "M",
    nom: draw.pick(SURNAMES),
    prenom: woman ? draw.pick(HERS) : draw.pick(HIS),
    dateNaissance: sampleDate(draw, bornFrom, bornTo),
  };
}

export function samplePlace(draw: Draw): SamplePlace {
  return draw.pick(PLACES);
}

/** A street, at most 32 characters. */
export function sampleStreet(draw: Draw): string {
  return STREETS[draw.int(STREETS.length)] ?? "rue Neuve";
}

/** 06 39 98 xx xx: numbers kept for fiction by the French regulator. */
export function sampleTelephone(draw: Draw): string {
  return `063998${draw.int(10_000).toString().padStart(4, "0")}`;
}

/** An xs:date between two years, included; never later than the 28th of a month. */
export function sampleDate(draw: Draw, from: number, to: number): string {
  const two = (value: number): string => value.toString().padStart(2, "0");
  return `${from + draw.int(to - from + 1)}-${two(1 + draw.int(12))}-${two(1 + draw.int(28))}`;
}
