/** Where the three services are, when one address or all three are set. */
import assert from "node:assert/strict";
import { sneAddresses } from "../../src/forward/sne-addresses.ts";

describe("the addresses of the SNE's services", () => {
  it("stand beside the one that is set, under their published names", () => {
    for (const [sneUrl, search, events] of [
      [
        "https://nuu.test/services/DemandeLogementImplService/",
        "https://nuu.test/services/RechercheDemandeImplService/",
        "https://nuu.test/services/GestionPartageeEVTImplService/",
      ],
      [
        "http://localhost:8080/nuu/services/DemandeLogement",
        "http://localhost:8080/nuu/services/RechercheDemandeImplService",
        "http://localhost:8080/nuu/services/GestionPartageeEVTImplService",
      ],
      [
        "https://nuu.test:444/?x=1",
        "https://nuu.test:444/RechercheDemandeImplService/",
        "https://nuu.test:444/GestionPartageeEVTImplService/",
      ],
      [
        "https://nuu.test",
        "https://nuu.test/RechercheDemandeImplService/",
        "https://nuu.test/GestionPartageeEVTImplService/",
      ],
    ] as const) {
      assert.deepEqual(sneAddresses({ sneUrl }), {
        demandeLogement: sneUrl,
        rechercheDemande: search,
        gestionPartageeEvt: events,
      });
    }
  });

  it("are those that are set, each by itself", () => {
    assert.deepEqual(
      sneAddresses({ sneUrl: "http://a.test/x/", sneEventsUrl: "http://b.test/evt?v=2" }),
      {
        demandeLogement: "http://a.test/x/",
        rechercheDemande: "http://a.test/RechercheDemandeImplService/",
        gestionPartageeEvt: "http://b.test/evt?v=2",
      },
    );
  });
});
