"""Calls of a job (interop/call-lines.ts) by zeep, from the WSDLs it names; nothing of ours between."""

import os
import sys

import requests
import zeep
from zeep.helpers import serialize_object
from zeep.transports import Transport

SERVICES = {
    "rechercheDemandeMulticritere": "rechercheDemande",
    "listerTypesEvenementsNationaux": "gestionPartageeEvt",
    "listerTypesEvenementsTerritoriaux": "gestionPartageeEvt",
    "listerEvenementsDemande": "gestionPartageeEvt",
    "ajouterEvenementDemande": "gestionPartageeEvt",
    "modifierEvenementDemande": "gestionPartageeEvt",
    "supprimerEvenementDemande": "gestionPartageeEvt",
}


def one_line(text):
    return " ".join(str(text).split())


def read_job(path):
    settings, calls = {}, []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.rstrip("\n").partition("=")
            if key == "call":
                operation, *fields = value.split("\t")
                calls.append((operation, [field.partition("=")[::2] for field in fields]))
            else:
                settings[key] = value
    return settings, calls


def argument(name, value):
    if value.startswith("@"):
        with open(value[1:], "rb") as file:
            return {"_value_1": file.read(), "contentType": "text/xml"}
    if name in ("motifRadiation", "statutDalo", "typeReservataire"):
        return {"code": value}
    return value


def main():
    settings, calls = read_job(sys.argv[1])
    session = requests.Session()
    session.trust_env = False
    if "user" in settings:
        session.auth = (settings["user"], settings["password"])
    clients = {}
    for number, (operation, fields) in enumerate(calls):
        service = SERVICES.get(operation, "demandeLogement")
        line = [operation]
        try:
            if service not in clients:
                client = zeep.Client(
                    settings["wsdl." + service],
                    transport=Transport(session=session, operation_timeout=60),
                )
                binding = next(iter(client.wsdl.bindings))
                clients[service] = client.create_service(binding, settings["url." + service])
            parameters = {name: argument(name, value) for name, value in fields}
            answer = serialize_object(getattr(clients[service], operation)(**parameters), dict)
            line.append("answered")
            for name, value in (answer or {}).items():
                if isinstance(value, dict):
                    path = os.path.join(settings["out"], f"{number}-{name}")
                    with open(path, "wb") as file:
                        file.write(value["_value_1"] or b"")
                    line.append(f"{name}=@{path}")
                elif value is not None:
                    line.append(f"{name}={one_line(value)}")
        except zeep.exceptions.Fault as fault:
            line += ["fault", f"code={one_line(fault.code)}", f"text={one_line(fault.message)}"]
            if fault.subcodes:
                line.append("subcode=" + one_line(fault.subcodes[0]))
        except Exception as error:  # whatever it is, it is what a user of zeep would see
            line += ["error", f"text={type(error).__name__}: {one_line(error)}"]
        print("\t".join(line), flush=True)


main()
