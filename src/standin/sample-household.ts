/**
 * Writes who asks for a home: a household with its income, children, co-applicant and present home,
 * or an association. The element order is the schema's.
 */
import {
  sampleDate,
  samplePerson,
  samplePlace,
  sampleStreet,
  sampleTelephone,
  type Draw,
  type SamplePerson,
} from "./sample-people.ts";
import type { XmlWriter } from "./xml-writer.ts";

/** personnePhysique. `people`: how many more personnes à charge than the household would have. */
export function writeHousehold(
  xml: XmlWriter,
  draw: Draw,
  of: { applicant: Partial<SamplePerson>; people: number; version: string },
): void {
  const applicant = { ...samplePerson(draw, 1945, 2006), ...of.applicant };
  const couple = draw.chance(30);
  const children = draw.int(4);
  xml.open("personnePhysique");
  xml.open("demandeur");
  writePerson(xml, applicant, couple ? "M" : draw.pick(["C", "D", "S", "V"]));
  xml.text("telPortable", sampleTelephone(draw));
  xml.text("mel", `demandeur.${draw.int(1_000_000)}@example.org`);
  if (of.version !== "02.00") {
    xml.text("notifSms", `${draw.chance(50)}`);
    xml.text("notifEvt", `${draw.chance(50)}`);
  }
  writeAddress(xml, draw);
  writeWork(xml, draw);
  writeIncome(xml, draw);
  writeResources(xml, "listeRessourceRecue", draw.pick(["SAL", "CHO", "RET", "RSA"]), draw);
  writeResources(xml, "listeRessourceVersee", undefined, draw);
  writeResources(xml, "listeRessourceRecuePersACharge", children > 0 ? "AF" : undefined, draw);
  writeResources(xml, "listeRessourceVerseePersACharge", undefined, draw);
  xml.close("demandeur");
  if (children + of.people > 0) {
    xml.open("listePersonneACharge");
    for (let i = 0; i < children + of.people; i += 1) writeChild(xml, draw, applicant.nom);
    xml.close("listePersonneACharge");
  }
  if (draw.chance(10)) {
    xml.open("personneANaitre");
    xml.text("nombre", "1");
    xml.text("dateNaissancePrevue", sampleDate(draw, 2026, 2026));
    xml.close("personneANaitre");
  }
  if (couple) writeCoApplicant(xml, draw);
  writePresentHome(xml, draw, 1 + children + (couple ? 1 : 0));
  xml.close("personnePhysique");
}

/** association: the legal person's branch. */
export function writeAssociation(xml: XmlWriter, draw: Draw, name?: string): void {
  xml.open("association");
  xml.text("nom", name ?? `Association Toit pour tous n° ${draw.int(100)}`);
  xml.text("telTravail", sampleTelephone(draw));
  xml.text("mel", `contact.${draw.int(1_000_000)}@example.org`);
  writeAddress(xml, draw);
  xml.close("association");
}

function writePerson(xml: XmlWriter, person: SamplePerson, situationFamiliale: string): void {
  xml.code("civilite", person.civilite);
  xml.text("nom", person.nom);
  xml.text("prenom", person.prenom);
  xml.text("dateNaissance", person.dateNaissance);
  xml.code("nationalite", "1");
  xml.code("situationFamiliale", situationFamiliale);
}

function writeAddress(xml: XmlWriter, draw: Draw): void {
  const place = samplePlace(draw);
  xml.open("adressePostale");
  xml.text("etranger", "false");
  if (draw.chance(40)) xml.text("appartement", `${1 + draw.int(60)}`);
  xml.text("numero", `${1 + draw.int(200)}`);
  xml.text("voie", sampleStreet(draw));
  xml.text("codePostal", place.codePostal);
  xml.code("commune", place.commune);
  xml.close("adressePostale");
}

function writeWork(xml: XmlWriter, draw: Draw): void {
  xml.open("situationProfessionnelle");
  xml.text("profession", draw.pick(["Aide-soignante", "Magasinier", "Retraitée", "Étudiant"]));
  xml.code("typeContratTravail", draw.pick(["CDI", "CDD", "CHO", "RET", "ETU", "AUT"]));
  xml.close("situationProfessionnelle");
}

function writeIncome(xml: XmlWriter, draw: Draw): void {
  xml.open("revenuFiscal");
  xml.text("anneeMoins1", "2025");
  xml.text("montantMoins1", `${8_000 + draw.int(30_000)}`);
  xml.text("anneeMoins2", "2024");
  xml.text("montantMoins2", `${8_000 + draw.int(30_000)}`);
  xml.close("revenuFiscal");
}

function writeResources(xml: XmlWriter, list: string, kind: string | undefined, draw: Draw): void {
  xml.open(list);
  if (kind !== undefined) {
    xml.open("detailRessource");
    xml.code("ressource", kind);
    xml.text("montant", `${150 + draw.int(2_500)}`);
    xml.close("detailRessource");
  }
  xml.close(list);
}

function writeChild(xml: XmlWriter, draw: Draw, nom: string): void {
  const child = samplePerson(draw, 2008, 2025);
  xml.open("personneACharge");
  xml.text("nom", nom.slice(0, 24));
  xml.text("prenom", child.prenom);
  xml.text("dateNaissance", child.dateNaissance);
  xml.code("sexe", child.sexe);
  xml.code("lienParente", "E");
  xml.close("personneACharge");
}

function writeCoApplicant(xml: XmlWriter, draw: Draw): void {
  xml.open("listeCotitulaire");
  xml.open("cotitulaire");
  writePerson(xml, samplePerson(draw, 1945, 2006), "M");
  xml.text("telPortable", sampleTelephone(draw));
  xml.code("lienDemandeur", "M");
  writeWork(xml, draw);
  writeIncome(xml, draw);
  writeResources(xml, "listeRessourceRecue", "SAL", draw);
  writeResources(xml, "listeRessourceVersee", undefined, draw);
  xml.close("cotitulaire");
  xml.close("listeCotitulaire");
}

function writePresentHome(xml: XmlWriter, draw: Draw, inhabitants: number): void {
  xml.open("logementActuel");
  xml.open("listeModeleLogement");
  xml.code("modeleLogement", draw.pick(["HLM", "LP", "HOT", "CPE"]));
  xml.close("listeModeleLogement");
  xml.text("montantMensuelLoyer", `${250 + draw.int(700)}`);
  xml.text("nombreHabitant", `${inhabitants}`);
  xml.code("categorieLogement", draw.pick(["A", "M"]));
  xml.code("typeLogementActuel", `T${1 + draw.int(5)}`);
  xml.text("surface", `${15 + draw.int(90)}`);
  xml.text("proprietaire", "false");
  xml.close("logementActuel");
}
