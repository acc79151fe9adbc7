#!/usr/bin/env python3
"""Client d'exemple de la passerelle SNE en Python (zeep).

    python passerelle.py deposer FICHIER [DOSSIER]   dépose, attend l'acquittement, le retire, le confirme
    python passerelle.py lister                      où en sont les flux du guichet
    python passerelle.py bordereau NOM...            annonce les noms des fichiers envoyés

Réglages (environnement) : PASSERELLE_URL, PASSERELLE_GUICHET, PASSERELLE_CLE ; PASSERELLE_SOAP (1.2 ou
1.1) ; PASSERELLE_AC, PASSERELLE_CERTIFICAT et PASSERELLE_CLE_PRIVEE pour TLS et le certificat client.
"""

import hashlib
import os
import sys
import time

import requests
import zeep
from zeep.transports import Transport

URL = os.environ.get("PASSERELLE_URL", "http://127.0.0.1:8080/services/passerelle")


def ouvrir():
    session = requests.Session()
    if "PASSERELLE_CLE" in os.environ:
        session.auth = (os.environ["PASSERELLE_GUICHET"], os.environ["PASSERELLE_CLE"])
    if "PASSERELLE_CERTIFICAT" in os.environ:
        session.cert = (os.environ["PASSERELLE_CERTIFICAT"], os.environ["PASSERELLE_CLE_PRIVEE"])
    if "PASSERELLE_AC" in os.environ:
        session.verify = os.environ["PASSERELLE_AC"]
        session.trust_env = False  # sans quoi REQUESTS_CA_BUNDLE l'emporterait
    # La passerelle donne son WSDL, à sa propre adresse.
    client = zeep.Client(URL + "?wsdl", transport=Transport(session=session, operation_timeout=60))
    version = os.environ.get("PASSERELLE_SOAP", "1.2").replace(".", "")
    return client.bind("PasserelleSneService", "PasserelleSneSoap" + version)


def deposer(service, chemin, dossier="."):
    with open(chemin, "rb") as fichier:
        contenu = fichier.read()
    # La clé d'idempotence : le même dépôt refait (coupure, délai passé) rend le premier accusé.
    accuse = service.deposerFlux(
        nomFichier=os.path.basename(chemin),
        fichier=contenu,
        cleIdempotence=hashlib.sha256(contenu).hexdigest(),
    )
    deja = "oui" if accuse.dejaRecu else "non"
    print(f"Accusé de dépôt : {accuse.identifiant}, état {accuse.etat}, déjà reçu : {deja}")

    # L'accusé de dépôt n'est pas l'acquittement : le SNE n'a pas encore répondu.
    attente = 1
    while (flux := service.suivreFlux(identifiant=accuse.identifiant)).resultat is None:
        print(f"En attente : {flux.libelleEtat}")
        time.sleep(attente)
        attente = min(attente * 2, 60)

    recu = service.retirerAcquittement(identifiant=accuse.identifiant)
    for fichier in (recu.acquittement, recu.reponseSne, recu.attestation):
        if fichier is not None:
            with open(os.path.join(dossier, os.path.basename(fichier.nomFichier)), "wb") as sortie:
                sortie.write(fichier.contenu)
            print(f"Reçu : {fichier.nomFichier}")

    # Seulement une fois les fichiers enregistrés.
    service.confirmerAcquittement(identifiant=accuse.identifiant)
    print(f"Résultat : {flux.resultat.issue}, numéro unique {flux.resultat.numUnique}")
    for controle in flux.resultat.controle:
        print(f"Contrôle {controle.code} : {controle.message}")
    return 0 if flux.resultat.issue == "ACCEPTE" else 2


def lister(service):
    curseur = None
    while True:
        page = service.listerFluxDepuis(curseur=curseur, limite=100)
        for flux in page.flux:
            print(f"{flux.identifiant}  {flux.etat}  {flux.nomFichier}")
        if page.curseur is None:
            return 0
        curseur = page.curseur


def bordereau(service, *noms):
    accuse = service.deposerBordereau(nomFichier=list(noms))
    print(f"Bordereau {accuse.identifiant} : {accuse.connus} fichier(s) connu(s) sur {accuse.nombre}")
    for nom in accuse.absent:
        print(f"Absent : {nom}")
    return 0


def main(commande, *arguments):
    commandes = {"deposer": deposer, "lister": lister, "bordereau": bordereau}
    try:
        return commandes[commande](ouvrir(), *arguments)
    except zeep.exceptions.Fault as defaut:
        # Un programme lit le code, une personne lit le message.
        code = defaut.detail.findtext(".//code") if defaut.detail is not None else defaut.code
        print(f"Erreur {code} : {defaut.message}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
