/**
 * `deposerBordereau`: the names a guichet says it has sent. Told only once it is kept; the answer says
 * which of them the gateway has not received from it, as far as it is known now. Matching them in time
 * is reconciliation's.
 */
import { safeFileName } from "../../../domain/file-name.ts";
import type { Outbox } from "../../../keep/outbox.ts";
import type { Bordereaux } from "../../../reconcile/bordereaux.ts";
import { element, instant } from "../elements.ts";
import { parameterError, type ServeOperation } from "../service-call.ts";

const MAX_NAMES = 10_000;
const MAX_NAME_LENGTH = 255;
/** Names looked for at once. */
const AT_ONCE = 32;

export function makeDepositBordereau({
  outbox,
  bordereaux,
}: {
  outbox: Pick<Outbox, "list">;
  bordereaux: Bordereaux;
}): ServeOperation {
  async function isKnown(guichet: string, fileName: string): Promise<boolean> {
    const page = await outbox.list({ sentAs: { guichet, fileName }, limit: 1 });
    return page.fluxes.length > 0;
  }

  /** Those of the names that no flux of this guichet has. */
  async function missing(guichet: string, names: readonly string[]): Promise<readonly string[]> {
    const absent: string[] = [];
    for (let start = 0; start < names.length; start += AT_ONCE) {
      const some = names.slice(start, start + AT_ONCE);
      const known = await Promise.all(some.map((name) => isKnown(guichet, name)));
      absent.push(...some.filter((_, index) => known[index] === false));
    }
    return absent;
  }

  return async ({ parameters, guichet }) => {
    const given = parameters.text("nomBordereau")?.trim();
    const name = given === undefined || given === "" ? undefined : given;
    if (name !== undefined && name.length > MAX_NAME_LENGTH) {
      return parameterError("nomBordereau", `${MAX_NAME_LENGTH} caractères au plus.`);
    }
    const names = parameters.texts("nomFichier").map((one) => one.trim());
    if (names.length > MAX_NAMES) {
      return parameterError("nomFichier", `${MAX_NAMES} noms au plus ; divisez le bordereau.`);
    }
    if (names.some((one) => one === "" || one.length > MAX_NAME_LENGTH)) {
      return parameterError("nomFichier", `de 1 à ${MAX_NAME_LENGTH} caractères par nom.`);
    }
    // As they are kept, so that a name is found whatever its folder or its accents' form.
    const { bordereau, repeated } = await bordereaux.keep({
      guichet: guichet.code,
      ...(name === undefined ? {} : { name }),
      fileNames: names.map((one) => safeFileName(one)),
    });
    const absent = await missing(guichet.code, bordereau.fileNames);
    return {
      kind: "answer",
      results: [
        {
          name: "accuseBordereau",
          children: [
            ...element("identifiant", bordereau.id),
            ...element("dejaRecu", repeated),
            ...instant("recuLe", bordereau.receivedAt),
            ...element("nombre", bordereau.fileNames.length),
            ...element("connus", bordereau.fileNames.length - absent.length),
            ...absent.flatMap((one) => element("absent", one)),
          ],
        },
      ],
    };
  };
}
