/**
 * Calls of a job (interop/call-lines.ts) by gSOAP, with the proxy wsdl2h and soapcpp2 made of the
 * three WSDLs (they share a namespace: gSOAP makes one class of them).
 *
 * gSOAP sends a file as an MTOM part when its `type` is set and the mode is SOAP_ENC_MTOM.
 */
#include "DemandeLogementImplServiceSoapBinding.nsmap"
#include "SneDemandeLogementImplServiceSoapBindingProxy.h"
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

typedef std::map<std::string, std::string> Fields;

static std::string oneLine(const char *text) {
  std::string line(text == NULL ? "" : text);
  for (size_t i = 0; i < line.size(); i++)
    if (line[i] == '\n' || line[i] == '\r' || line[i] == '\t') line[i] = ' ';
  return line;
}

static std::vector<std::string> split(const std::string &text, char at) {
  std::vector<std::string> pieces;
  std::istringstream in(text);
  for (std::string piece; std::getline(in, piece, at);) pieces.push_back(piece);
  return pieces;
}

class Calls {
public:
  Calls(const Fields &settings)
      : settings(settings), mtom(settings.at("mtom") == "on"), number(0),
        proxy(mtom ? SOAP_ENC_MTOM | SOAP_C_UTFSTRING : SOAP_C_UTFSTRING) {
    soap = proxy.soap;
    soap->connect_timeout = 10;
    soap->send_timeout = soap->recv_timeout = 60;
  }

  void run(const std::string &call) {
    std::vector<std::string> pieces = split(call, '\t');
    given.clear();
    for (size_t i = 1; i < pieces.size(); i++) {
      size_t at = pieces[i].find('=');
      given[pieces[i].substr(0, at)] = pieces[i].substr(at + 1);
    }
    line = pieces[0] + "\tanswered";
    // Credentials serve one call: gSOAP forgets them after it.
    if (settings.count("user")) {
      soap->userid = settings["user"].c_str();
      soap->passwd = settings["password"].c_str();
    }
    int status = dispatch(pieces[0]);
    if (status != SOAP_OK) {
      // A fault from the other side has a code; gSOAP's own troubles are filled in by soap_set_fault.
      bool told = status == SOAP_FAULT || status == SOAP_CLI_FAULT || status == SOAP_SVR_FAULT;
      soap_set_fault(soap);
      const char **code = soap_faultcode(soap);
      const char **text = soap_faultstring(soap);
      const char **subcode = soap_faultsubcode(soap);
      line = pieces[0] + (told ? "\tfault" : "\terror");
      line += "\tcode=" + oneLine(code ? *code : NULL) + "\ttext=" + oneLine(text ? *text : NULL);
      if (subcode && *subcode) line += "\tsubcode=" + oneLine(*subcode);
    }
    std::cout << line << std::endl;
    proxy.destroy();
    number++;
  }

private:
  Fields settings, given;
  bool mtom;
  int number;
  DemandeLogementImplServiceSoapBindingProxy proxy;
  struct soap *soap;
  std::string line;

  char *text(const char *name) {
    return given.count(name) ? soap_strdup(soap, given[name].c_str()) : NULL;
  }

  ns1__base64Binary *file(const char *name) {
    std::ifstream in(given[name].substr(1).c_str(), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    ns1__base64Binary *made = soap_new_ns1__base64Binary(soap, -1);
    made->contentType = soap_strdup(soap, "text/xml");
    made->__item.__size = (int)bytes.size();
    made->__item.__ptr = (unsigned char *)soap_malloc(soap, bytes.size() + 1);
    memcpy(made->__item.__ptr, bytes.data(), bytes.size());
    if (mtom && bytes.size() > 0) made->__item.type = soap_strdup(soap, "text/xml");
    return made;
  }

  ns1__codeElement *code(const char *name) {
    if (!given.count(name)) return NULL;
    ns1__codeElement *made = soap_new_ns1__codeElement(soap, -1);
    made->code = soap_strdup(soap, given[name].c_str());
    return made;
  }

  time_t date(const char *name) {
    time_t when = 0;
    soap_s2dateTime(soap, given[name].c_str(), &when);
    return when;
  }

  void show(const char *name, const char *value) {
    if (value != NULL) line += std::string("\t") + name + "=" + oneLine(value);
  }

  void take(const char *name, const ns1__base64Binary *got) {
    if (got == NULL) return;
    std::ostringstream path;
    path << settings["out"] << "/" << number << "-" << name;
    std::ofstream out(path.str().c_str(), std::ios::binary);
    out.write((const char *)got->__item.__ptr, got->__item.__size);
    line += std::string("\t") + name + "=@" + path.str();
  }

  const char *url(const char *service) { return settings[std::string("url.") + service].c_str(); }

  int dispatch(const std::string &operation) {
    if (operation == "getNumUnique") {
      _ns1__numUniqueParametres in;
      _ns1__numUniqueReponse out;
      in.nomFichierDemande = text("nomFichierDemande");
      in.fichierDemande = file("fichierDemande");
      in.nomCertificat = text("nomCertificat");
      in.certificat = file("certificat");
      in.complet = text("complet");
      int status = proxy.getNumUnique(url("demandeLogement"), NULL, &in, out);
      if (status != SOAP_OK) return status;
      show("nomFichierDemande", out.nomFichierDemande);
      take("fichierDemande", out.fichierDemande);
      show("nomAttestation", out.nomAttestation);
      take("attestation", out.attestation);
      return SOAP_OK;
    }
    if (operation == "getDemandeLogement") {
      _ns1__demandeLogementParametres in;
      _ns1__demandeLogementReponse out;
      in.numUnique = text("numUnique");
      in.nomCertificat = text("nomCertificat");
      in.certificat = file("certificat");
      in.complet = text("complet");
      int status = proxy.getDemandeLogement(url("demandeLogement"), NULL, &in, out);
      if (status != SOAP_OK) return status;
      show("nomFichierDemande", out.nomFichierDemande);
      take("fichierDemande", out.fichierDemande);
      return SOAP_OK;
    }
    if (operation == "getDoublons") {
      _ns1__rechercheDoublonsParametres in;
      _ns1__rechercheDoublonsReponse out;
      in.nomFichierDemande = text("nomFichierDemande");
      in.fichierDemande = file("fichierDemande");
      int status = proxy.getDoublons(url("demandeLogement"), NULL, &in, out);
      if (status != SOAP_OK) return status;
      show("nomFichierDoublons", out.nomFichierDoublons);
      take("listeDoublons", out.listeDoublons);
      show("nomFichierDemande", out.nomFichierDemande);
      take("fichierDemande", out.fichierDemande);
      return SOAP_OK;
    }
    if (operation == "getDeclarationNouveauDalo") {
      _ns1__declarationNouveauDaloParametres in;
      _ns1__declarationNouveauDaloReponse out;
      in.nomFichierDalo = text("nomFichierDalo");
      in.fichierDalo = file("fichierDalo");
      in.nomCertificat = text("nomCertificat");
      in.certificat = file("certificat");
      int status = proxy.getDeclarationNouveauDalo(url("demandeLogement"), NULL, &in, out);
      if (status != SOAP_OK) return status;
      show("nomFichierDalo", out.nomFichierDalo);
      take("fichierDalo", out.fichierDalo);
      return SOAP_OK;
    }
    if (operation == "getDemandesRadieesDepuisLe") {
      _ns1__demandesRadieesDepuisLeParametres in;
      _ns1__demandesRadieesDepuisLeReponse out;
      in.dateRadiationDepuisLe = date("dateRadiationDepuisLe");
      in.motifRadiation = code("motifRadiation");
      in.statutDalo = code("statutDalo");
      in.typeReservataire = code("typeReservataire");
      in.nomCertificat = text("nomCertificat");
      in.certificat = file("certificat");
      int status = proxy.getDemandesRadieesDepuisLe(url("demandeLogement"), NULL, &in, out);
      if (status != SOAP_OK) return status;
      show("nomFichierDemandesRadiees", out.nomFichierDemandesRadiees);
      take("fichierDemandesRadiees", out.fichierDemandesRadiees);
      return SOAP_OK;
    }
    if (operation == "getNouveauxDaloDepuisLe") {
      _ns1__nouveauxDaloDepuisLeParametres in;
      _ns1__nouveauxDaloDepuisLeReponse out;
      in.dateNouveauDaloDepuisLe = date("dateNouveauDaloDepuisLe");
      in.nomCertificat = text("nomCertificat");
      in.certificat = file("certificat");
      int status = proxy.getNouveauxDaloDepuisLe(url("demandeLogement"), NULL, &in, out);
      if (status != SOAP_OK) return status;
      show("nomFichierNouveauxDalo", out.nomFichierNouveauxDalo);
      take("fichierNouveauxDalo", out.fichierNouveauxDalo);
      return SOAP_OK;
    }
    _ns1__fichierXmlParametres in;
    _ns1__fichierXmlReponse out;
    in.nomFichier = text("nomFichier");
    in.fichierXml = file("fichierXml");
    in.nomCertificat = text("nomCertificat");
    int status = SOAP_NO_METHOD;
    const char *events = url("gestionPartageeEvt");
    if (operation == "rechercheDemandeMulticritere")
      status = proxy.rechercheDemandeMulticritere(url("rechercheDemande"), NULL, &in, out);
    else if (operation == "listerTypesEvenementsNationaux")
      status = proxy.listerTypesEvenementsNationaux(events, NULL, &in, out);
    else if (operation == "listerTypesEvenementsTerritoriaux")
      status = proxy.listerTypesEvenementsTerritoriaux(events, NULL, &in, out);
    else if (operation == "listerEvenementsDemande")
      status = proxy.listerEvenementsDemande(events, NULL, &in, out);
    else if (operation == "ajouterEvenementDemande")
      status = proxy.ajouterEvenementDemande(events, NULL, &in, out);
    else if (operation == "modifierEvenementDemande")
      status = proxy.modifierEvenementDemande(events, NULL, &in, out);
    else if (operation == "supprimerEvenementDemande")
      status = proxy.supprimerEvenementDemande(events, NULL, &in, out);
    if (status != SOAP_OK) return status;
    show("nomFichierXmlRetour", out.nomFichierXmlRetour);
    take("fichierXmlRetour", out.fichierXmlRetour);
    return SOAP_OK;
  }
};

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  Fields settings;
  std::vector<std::string> calls;
  std::ifstream job(argv[1]);
  for (std::string line; std::getline(job, line);) {
    size_t at = line.find('=');
    if (line.substr(0, at) == "call") calls.push_back(line.substr(at + 1));
    else settings[line.substr(0, at)] = line.substr(at + 1);
  }
  Calls program(settings);
  for (size_t i = 0; i < calls.size(); i++) program.run(calls[i]);
  return 0;
}
