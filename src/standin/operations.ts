/**
 * What each of the thirteen operations does: reads its file, judges it by the rules, takes its
 * effect, makes its answer. Knows nothing of HTTP nor of the orders given to the stand-in but the
 * anomalies they add.
 */
import { refusedCertificateName } from "./certificate-name.ts";
import type { DemandeBook } from "./demande-book.ts";
import { makeDemandeFileOperations } from "./demande-file-operations.ts";
import { makeDemandeReadOperations } from "./demande-read-operations.ts";
import type { Diary } from "./diary.ts";
import type { EffectLedger } from "./effect-ledger.ts";
import type { EventBook } from "./event-book.ts";
import { makeEventOperations } from "./event-operations.ts";
import { operationNamed, type OperationName } from "./operations-table.ts";
import { faulty, type PrepareCall } from "./prepared-call.ts";
import { makeSearchOperation } from "./search-operation.ts";
import type { StandinXml } from "./standin-xml.ts";

export function makeOperations(deps: {
  readonly book: DemandeBook;
  readonly events: EventBook;
  readonly ledger: EffectLedger;
  readonly diary: Diary;
  readonly xml: StandinXml;
}): PrepareCall {
  const files = makeDemandeFileOperations(deps);
  const reads = makeDemandeReadOperations(deps);
  const search = makeSearchOperation(deps);
  const events = makeEventOperations(deps);

  const homeOf = (operation: OperationName): PrepareCall => {
    const { service, parameters } = operationNamed(operation);
    if (service === "RechercheDemandeImplService") return search;
    if (service === "GestionPartageeEVTImplService") return events;
    const carriesDemande = parameters.some(
      ({ name, type }) => type === "file" && name !== "certificat",
    );
    return carriesDemande ? files : reads;
  };

  return (call) => {
    const preparing = homeOf(call.operation)(call);
    if (preparing.kind === "fault") return preparing;
    const { prepared } = preparing;
    return {
      kind: "prepared",
      prepared: {
        ...prepared,
        perform: (of) => {
          const refused = refusedCertificateName(call, of.settings);
          return refused === undefined ? prepared.perform(of) : faulty("Sender", refused);
        },
      },
    };
  };
}
