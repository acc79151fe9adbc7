/**
 * Makes the file the stand-in gives where the SNE would give an attestation: a one-page PDF that says
 * it is none, with the number. Binary, as a real one is: its second line is not UTF-8, so a client
 * that decodes the whole answer as text meets here what it would meet at the SNE.
 */

const FIRST_LINES = Buffer.from("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n", "latin1");

/** @param numUnique - letters and digits */
export function makeAttestation(numUnique: string): Uint8Array {
  const lines = [
    "CECI N'EST PAS UNE ATTESTATION",
    "Document du simulateur de la passerelle : ce n'est pas le SNE.",
    `Num\\351ro donn\\351 par le simulateur : ${numUnique.replace(/[^0-9A-Za-z]/g, "")}`,
  ];
  const page =
    "BT /F1 16 Tf 60 760 Td 24 TL\n" + lines.map((line) => `(${line}) Tj T*\n`).join("") + "ET";
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R " +
      "/Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${page.length} >>\nstream\n${page}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
  ];
  let body = "";
  let references = "0000000000 65535 f \n";
  objects.forEach((object, index) => {
    const offset = FIRST_LINES.length + body.length;
    references += `${offset.toString().padStart(10, "0")} 00000 n \n`;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
  });
  const end =
    `xref\n0 ${objects.length + 1}\n${references}` +
    `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\n` +
    `startxref\n${FIRST_LINES.length + body.length}\n%%EOF\n`;
  return Buffer.concat([FIRST_LINES, Buffer.from(body + end, "latin1")]);
}
