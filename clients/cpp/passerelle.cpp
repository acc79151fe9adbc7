/**
 * Client d'exemple de la passerelle SNE en C++ (gSOAP, fichiers en MTOM). Construction : make
 *
 *     ./passerelle deposer FICHIER [DOSSIER]   dépose, attend l'acquittement, le retire, le confirme
 *     ./passerelle lister                      où en sont les flux du guichet
 *     ./passerelle bordereau NOM...            annonce les noms des fichiers envoyés
 *
 * Réglages (environnement) : PASSERELLE_URL, PASSERELLE_GUICHET, PASSERELLE_CLE ; PASSERELLE_SOAP (1.2
 * ou 1.1), PASSERELLE_MTOM (oui ou non). TLS : construisez avec `make TLS=1` ; PASSERELLE_AC,
 * PASSERELLE_CERTIFICAT (certificat client, suivi de sa clé privée, dans un seul fichier PEM).
 */
#include "PasserelleSneSoap11.nsmap"
#include "soapPasserelleSneSoap11Proxy.h"
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <unistd.h>

static std::string reglage(const char *nom, const char *sinon) {
  const char *valeur = getenv(nom);
  return valeur == NULL ? sinon : valeur;
}

class Passerelle {
public:
  Passerelle()
      : url(reglage("PASSERELLE_URL", "http://127.0.0.1:8080/services/passerelle")),
        guichet(reglage("PASSERELLE_GUICHET", "")), cle(reglage("PASSERELLE_CLE", "")),
        mtom(reglage("PASSERELLE_MTOM", "oui") == "oui"),
        // Les textes en UTF-8 ; les fichiers en MTOM si l'on veut.
        service(url.c_str(), SOAP_C_UTFSTRING | (mtom ? SOAP_ENC_MTOM : 0)) {
    soap_set_version(service.soap, reglage("PASSERELLE_SOAP", "1.2") == "1.1" ? 1 : 2);
    service.soap->connect_timeout = 10;
    service.soap->send_timeout = service.soap->recv_timeout = 60;
#ifdef WITH_OPENSSL
    const char *ac = getenv("PASSERELLE_AC"), *certificat = getenv("PASSERELLE_CERTIFICAT");
    soap_ssl_client_context(service.soap, SOAP_SSL_DEFAULT, certificat, NULL, ac, NULL, NULL);
#endif
  }

  int deposer(const std::string &chemin, const std::string &dossier) {
    std::ifstream fichier(chemin.c_str(), std::ios::binary);
    std::string contenu((std::istreambuf_iterator<char>(fichier)), std::istreambuf_iterator<char>());
    // La clé d'idempotence, une par fichier : le même dépôt refait (coupure, délai passé) rend le
    // premier accusé. Le nom convient s'il ne sert qu'une fois, comme le veut la nomenclature du SNE.
    std::string nom = chemin.substr(chemin.find_last_of('/') + 1), cleIdempotence = nom;

    _ns1__deposerFlux depot;
    _ns1__deposerFluxReponse depose;
    depot.nomFichier = nom;
    depot.cleIdempotence = &cleIdempotence;
    depot.fichier.__ptr = (unsigned char *)contenu.data();
    depot.fichier.__size = (int)contenu.size();
    if (mtom) depot.fichier.type = (char *)"application/octet-stream";
    if (echec(service.deposerFlux(identifie(), NULL, &depot, depose))) return 1;
    std::string identifiant = depose.accuseDepot->identifiant;
    std::cout << "Accusé de dépôt : " << identifiant << ", état " << depose.accuseDepot->etat
              << ", déjà reçu : " << (depose.accuseDepot->dejaRecu ? "oui" : "non") << std::endl;

    // L'accusé de dépôt n'est pas l'acquittement : le SNE n'a pas encore répondu.
    _ns1__suivreFlux question;
    _ns1__suivreFluxReponse suivi;
    question.identifiant = identifiant;
    for (unsigned attente = 1;; attente = std::min(attente * 2, 60u)) {
      if (echec(service.suivreFlux(identifie(), NULL, &question, suivi))) return 1;
      if (suivi.flux->resultat != NULL) break;
      std::cout << "En attente : " << suivi.flux->libelleEtat << std::endl;
      sleep(attente);
    }
    // gSOAP reprend la mémoire d'un appel par destroy() : on garde ce dont on a besoin.
    ns1__Resultat *resultat = suivi.flux->resultat;

    _ns1__retirerAcquittement retrait;
    _ns1__retirerAcquittementReponse recu;
    retrait.identifiant = identifiant;
    if (echec(service.retirerAcquittement(identifie(), NULL, &retrait, recu))) return 1;
    enregistrer(recu.acquittement, dossier);
    enregistrer(recu.reponseSne, dossier);
    enregistrer(recu.attestation, dossier);

    // Seulement une fois les fichiers enregistrés.
    _ns1__confirmerAcquittement confirmation;
    _ns1__confirmerAcquittementReponse confirme;
    confirmation.identifiant = identifiant;
    if (echec(service.confirmerAcquittement(identifie(), NULL, &confirmation, confirme))) return 1;
    std::cout << "Résultat : " << resultat->issue << ", numéro unique "
              << (resultat->numUnique ? *resultat->numUnique : "aucun") << std::endl;
    for (ns1__Controle *controle : resultat->controle)
      std::cout << "Contrôle " << controle->code << " : " << controle->message << std::endl;
    return resultat->issue == "ACCEPTE" ? 0 : 2;
  }

  int lister() {
    _ns1__listerFluxDepuis question;
    std::string curseur;
    int limite = 100;
    question.limite = &limite;
    do {
      _ns1__listerFluxDepuisReponse page;
      if (echec(service.listerFluxDepuis(identifie(), NULL, &question, page))) return 1;
      for (ns1__Flux *flux : page.flux)
        std::cout << flux->identifiant << "  " << flux->etat << "  " << flux->nomFichier << std::endl;
      curseur = page.curseur ? *page.curseur : "";
      question.curseur = &curseur;
      service.destroy();
    } while (!curseur.empty());
    return 0;
  }

  int bordereau(const std::vector<std::string> &noms) {
    _ns1__deposerBordereau depot;
    _ns1__deposerBordereauReponse depose;
    depot.nomFichier = noms;
    if (echec(service.deposerBordereau(identifie(), NULL, &depot, depose))) return 1;
    const ns1__AccuseBordereau &accuse = *depose.accuseBordereau;
    std::cout << "Bordereau " << accuse.identifiant << " : " << accuse.connus
              << " fichier(s) connu(s) sur " << accuse.nombre << std::endl;
    for (const std::string &nom : accuse.absent) std::cout << "Absent : " << nom << std::endl;
    return 0;
  }

private:
  std::string url, guichet, cle;
  bool mtom;
  PasserelleSneSoap11Proxy service;

  /** gSOAP oublie l'identité après chaque appel. Rend l'adresse, par commodité. */
  const char *identifie() {
    if (!cle.empty()) {
      service.soap->userid = guichet.c_str();
      service.soap->passwd = cle.c_str();
    }
    return url.c_str();
  }

  /** Dit pourquoi un appel a échoué : un programme lit le code, une personne lit le message. */
  bool echec(int statut) {
    if (statut == SOAP_OK) return false;
    struct SOAP_ENV__Fault *defaut = service.soap->fault;
    struct SOAP_ENV__Detail *detail =
        defaut == NULL ? NULL : defaut->SOAP_ENV__Detail ? defaut->SOAP_ENV__Detail : defaut->detail;
    if (detail != NULL && detail->ns1__erreurPasserelle != NULL)
      std::cerr << "Erreur " << detail->ns1__erreurPasserelle->code << " : "
                << detail->ns1__erreurPasserelle->message << std::endl;
    else
      service.soap_stream_fault(std::cerr);
    return true;
  }

  void enregistrer(const ns1__Fichier *fichier, const std::string &dossier) {
    if (fichier == NULL) return;
    std::string nom = fichier->nomFichier.substr(fichier->nomFichier.find_last_of('/') + 1);
    std::ofstream sortie((dossier + "/" + nom).c_str(), std::ios::binary);
    sortie.write((const char *)fichier->contenu.__ptr, fichier->contenu.__size);
    std::cout << "Reçu : " << fichier->nomFichier << std::endl;
  }
};

int main(int nombre, char **arguments) {
  std::vector<std::string> suite(arguments + 1, arguments + nombre);
  std::string commande = suite.empty() ? "" : suite[0];
  Passerelle passerelle;
  if (commande == "deposer" && suite.size() > 1)
    return passerelle.deposer(suite[1], suite.size() > 2 ? suite[2] : ".");
  if (commande == "lister") return passerelle.lister();
  if (commande == "bordereau")
    return passerelle.bordereau(std::vector<std::string>(suite.begin() + 1, suite.end()));
  std::cerr << "usage : passerelle deposer FICHIER [DOSSIER] | lister | bordereau NOM..." << std::endl;
  return 64;
}
