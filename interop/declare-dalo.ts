/** Makes of a demande (prefix `tns`) what getDeclarationNouveauDalo takes: the same, declared DALO. */
export function declareDalo(demande: Uint8Array): Buffer {
  const text = Buffer.from(demande).toString("utf8");
  const dalo = '<tns:informationDalo><tns:statutDalo code="ACTREL"/></tns:informationDalo>';
  return Buffer.from(text.replace("<tns:demandeLogement>", `${dalo}<tns:demandeLogement>`));
}
