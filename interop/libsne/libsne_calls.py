"""Calls of a job (interop/call-lines.ts) by libsne, unchanged: only its public `echanger`."""

import os
import sys

SERVICES = {
    "getNumUnique": ("numUnique", "xml", "fichierDemande"),
    "getDemandeLogement": ("demandeLogement", "num_unique", "numUnique"),
    "getDoublons": ("doublons", "xml", "fichierDemande"),
    "getDemandesRadieesDepuisLe": ("demandesRadieesDepuisLe", "date", "dateRadiationDepuisLe"),
    "getNouveauxDaloDepuisLe": ("nouveauxDaloDepuisLe", "date", "dateNouveauDaloDepuisLe"),
}
RESULTS = {
    "getNumUnique": "fichierDemande",
    "getDemandeLogement": "fichierDemande",
    "getDoublons": "listeDoublons",
    "getDemandesRadieesDepuisLe": "fichierDemandesRadiees",
    "getNouveauxDaloDepuisLe": "fichierNouveauxDalo",
}

settings, calls = {}, []
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        key, _, value = line.rstrip("\n").partition("=")
        if key == "call":
            operation, *fields = value.split("\t")
            calls.append((operation, dict(field.partition("=")[::2] for field in fields)))
        else:
            settings[key] = value

# It verifies the server with the system's authorities: this is where Python reads them from.
os.environ["SSL_CERT_FILE"] = settings["ca"]
from libsne import libsne  # noqa: E402  (after the environment)

for number, (operation, fields) in enumerate(calls):
    service, name, source = SERVICES[operation]
    value = fields[source]
    if value.startswith("@"):
        with open(value[1:], "rb") as file:
            value = file.read()
    try:
        got = libsne.echanger(
            service, settings["cert"], settings["key"], settings["host"], **{name: value}
        )
        path = os.path.join(settings["out"], f"{number}-{operation}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(got)
        line = [operation, "answered", f"{RESULTS[operation]}=@{path}"]
    except libsne.ErreurInattendueTraitementReponse as fault:
        # The one failure it knows: the SNE's sentence, wherever it stands in the answer.
        line = [operation, "fault", f"code={type(fault).__name__}"]
        line.append("text=" + " ".join(str(fault).split()))
    except Exception as error:
        line = [operation, "error", f"text={type(error).__name__}: " + " ".join(str(error).split())]
    print("\t".join(line), flush=True)
