package interop;

import interop.demandes.CodeElement;
import interop.demandes.DeclarationNouveauDaloParametres;
import interop.demandes.DemandeLogementImplService;
import interop.demandes.DemandeLogementParametres;
import interop.demandes.DemandeLogementPortType;
import interop.demandes.DemandesRadieesDepuisLeParametres;
import interop.demandes.NouveauxDaloDepuisLeParametres;
import interop.demandes.NumUniqueParametres;
import interop.demandes.RechercheDoublonsParametres;
import interop.evenements.GestionPartageeEVTImplService;
import interop.evenements.GestionPartageeEVTPortType;
import interop.recherche.RechercheDemandeImplService;
import interop.recherche.RechercheDemandePortType;
import jakarta.xml.ws.Binding;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.soap.SOAPBinding;
import jakarta.xml.ws.soap.SOAPFaultException;
import java.io.File;
import java.io.PrintStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.namespace.QName;

/**
 * Calls of a job (interop/call-lines.ts) by Apache CXF, with the classes wsdl2java made of the WSDLs.
 * Apart from arguments and answers, it is what wsdl2java's own samples do.
 */
public final class SneCalls {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final Map<String, String> settings = new TreeMap<>();
    private final List<String> calls = new ArrayList<>();
    private DemandeLogementPortType demandes;
    private RechercheDemandePortType recherche;
    private GestionPartageeEVTPortType evenements;
    private Map<String, String> given;
    private List<String> answer;
    private int number;

    public static void main(String[] args) throws Exception {
        SneCalls program = new SneCalls();
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            String[] pair = line.split("=", 2);
            if (pair[0].equals("call")) program.calls.add(pair[1]);
            else program.settings.put(pair[0], pair[1]);
        }
        program.open();
        for (String call : program.calls) program.run(call);
        System.exit(0);
    }

    private void open() throws Exception {
        demandes = bind(new DemandeLogementImplService(wsdl("demandeLogement"))
            .getDemandeLogementImplPort(), "demandeLogement");
        recherche = bind(new RechercheDemandeImplService(wsdl("rechercheDemande"))
            .getRechercheDemandeImplPort(), "rechercheDemande");
        evenements = bind(new GestionPartageeEVTImplService(wsdl("gestionPartageeEvt"))
            .getGestionPartageeEVTImplPort(), "gestionPartageeEvt");
    }

    private URL wsdl(String service) throws Exception {
        return new File(settings.get("wsdl." + service)).toURI().toURL();
    }

    private <T> T bind(T port, String service) {
        BindingProvider provider = (BindingProvider) port;
        Map<String, Object> context = provider.getRequestContext();
        context.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, settings.get("url." + service));
        if (settings.containsKey("user")) {
            context.put(BindingProvider.USERNAME_PROPERTY, settings.get("user"));
            context.put(BindingProvider.PASSWORD_PROPERTY, settings.get("password"));
        }
        // What comes back is held to the schema of the WSDL, as well as what goes.
        context.put("schema-validation-enabled", "true");
        Binding binding = provider.getBinding();
        ((SOAPBinding) binding).setMTOMEnabled("on".equals(settings.get("mtom")));
        return port;
    }

    private void run(String call) {
        String[] fields = call.split("\t");
        given = new TreeMap<>();
        for (int i = 1; i < fields.length; i++) {
            String[] pair = fields[i].split("=", 2);
            given.put(pair[0], pair[1]);
        }
        answer = new ArrayList<>();
        answer.add(fields[0]);
        answer.add("answered");
        try {
            dispatch(fields[0]);
        } catch (SOAPFaultException fault) {
            answer.subList(1, answer.size()).clear();
            answer.add("fault");
            answer.add("code=" + fault.getFault().getFaultCodeAsQName().getLocalPart());
            answer.add("text=" + oneLine(fault.getFault().getFaultString()));
            Iterator<QName> subcodes = fault.getFault().getFaultSubcodes();
            if (subcodes.hasNext()) answer.add("subcode=" + subcodes.next().getLocalPart());
        } catch (Exception error) {
            answer.subList(1, answer.size()).clear();
            answer.add("error");
            Throwable cause = error;
            while (cause.getCause() != null) cause = cause.getCause();
            answer.add("text=" + oneLine(error + " / " + cause));
        }
        OUT.println(String.join("\t", answer));
        number++;
    }

    private void dispatch(String operation) throws Exception {
        switch (operation) {
            case "getNumUnique": {
                var request = new NumUniqueParametres();
                request.setNomFichierDemande(given.get("nomFichierDemande"));
                request.setFichierDemande(file("fichierDemande"));
                request.setNomCertificat(given.get("nomCertificat"));
                request.setCertificat(file("certificat"));
                request.setComplet(given.get("complet"));
                var got = demandes.getNumUnique(request);
                text("nomFichierDemande", got.getNomFichierDemande());
                take("fichierDemande", got.getFichierDemande());
                text("nomAttestation", got.getNomAttestation());
                take("attestation", got.getAttestation());
                return;
            }
            case "getDemandeLogement": {
                var request = new DemandeLogementParametres();
                request.setNumUnique(given.get("numUnique"));
                request.setNomCertificat(given.get("nomCertificat"));
                request.setCertificat(file("certificat"));
                request.setComplet(given.get("complet"));
                var got = demandes.getDemandeLogement(request);
                text("nomFichierDemande", got.getNomFichierDemande());
                take("fichierDemande", got.getFichierDemande());
                return;
            }
            case "getDoublons": {
                var request = new RechercheDoublonsParametres();
                request.setNomFichierDemande(given.get("nomFichierDemande"));
                request.setFichierDemande(file("fichierDemande"));
                var got = demandes.getDoublons(request);
                text("nomFichierDoublons", got.getNomFichierDoublons());
                take("listeDoublons", got.getListeDoublons());
                text("nomFichierDemande", got.getNomFichierDemande());
                take("fichierDemande", got.getFichierDemande());
                return;
            }
            case "getDeclarationNouveauDalo": {
                var request = new DeclarationNouveauDaloParametres();
                request.setNomFichierDalo(given.get("nomFichierDalo"));
                request.setFichierDalo(file("fichierDalo"));
                request.setNomCertificat(given.get("nomCertificat"));
                request.setCertificat(file("certificat"));
                var got = demandes.getDeclarationNouveauDalo(request);
                text("nomFichierDalo", got.getNomFichierDalo());
                take("fichierDalo", got.getFichierDalo());
                return;
            }
            case "getDemandesRadieesDepuisLe": {
                var request = new DemandesRadieesDepuisLeParametres();
                request.setDateRadiationDepuisLe(
                    DatatypeFactory.newInstance().newXMLGregorianCalendar(given.get("dateRadiationDepuisLe")));
                request.setMotifRadiation(code("motifRadiation"));
                request.setStatutDalo(code("statutDalo"));
                request.setTypeReservataire(code("typeReservataire"));
                request.setNomCertificat(given.get("nomCertificat"));
                request.setCertificat(file("certificat"));
                var got = demandes.getDemandesRadieesDepuisLe(request);
                text("nomFichierDemandesRadiees", got.getNomFichierDemandesRadiees());
                take("fichierDemandesRadiees", got.getFichierDemandesRadiees());
                return;
            }
            case "getNouveauxDaloDepuisLe": {
                var request = new NouveauxDaloDepuisLeParametres();
                request.setDateNouveauDaloDepuisLe(
                    DatatypeFactory.newInstance().newXMLGregorianCalendar(given.get("dateNouveauDaloDepuisLe")));
                request.setNomCertificat(given.get("nomCertificat"));
                request.setCertificat(file("certificat"));
                var got = demandes.getNouveauxDaloDepuisLe(request);
                text("nomFichierNouveauxDalo", got.getNomFichierNouveauxDalo());
                take("fichierNouveauxDalo", got.getFichierNouveauxDalo());
                return;
            }
            case "rechercheDemandeMulticritere": {
                var request = new interop.recherche.FichierXmlParametres();
                request.setNomFichier(given.get("nomFichier"));
                var file = new interop.recherche.Base64Binary();
                file.setContentType("text/xml");
                file.setValue(bytes("fichierXml"));
                request.setFichierXml(file);
                request.setNomCertificat(given.get("nomCertificat"));
                var got = recherche.rechercheDemandeMulticritere(request);
                text("nomFichierXmlRetour", got.getNomFichierXmlRetour());
                take("fichierXmlRetour", got.getFichierXmlRetour().getValue());
                return;
            }
            default: {
                var request = new interop.evenements.FichierXmlParametres();
                request.setNomFichier(given.get("nomFichier"));
                var file = new interop.evenements.Base64Binary();
                file.setContentType("text/xml");
                file.setValue(bytes("fichierXml"));
                request.setFichierXml(file);
                request.setNomCertificat(given.get("nomCertificat"));
                var got = switch (operation) {
                    case "listerTypesEvenementsNationaux" -> evenements.listerTypesEvenementsNationaux(request);
                    case "listerTypesEvenementsTerritoriaux" -> evenements.listerTypesEvenementsTerritoriaux(request);
                    case "listerEvenementsDemande" -> evenements.listerEvenementsDemande(request);
                    case "ajouterEvenementDemande" -> evenements.ajouterEvenementDemande(request);
                    case "modifierEvenementDemande" -> evenements.modifierEvenementDemande(request);
                    case "supprimerEvenementDemande" -> evenements.supprimerEvenementDemande(request);
                    default -> throw new IllegalArgumentException("no operation " + operation);
                };
                text("nomFichierXmlRetour", got.getNomFichierXmlRetour());
                take("fichierXmlRetour", got.getFichierXmlRetour().getValue());
            }
        }
    }

    private interop.demandes.Base64Binary file(String name) throws Exception {
        var file = new interop.demandes.Base64Binary();
        file.setContentType("text/xml");
        file.setValue(bytes(name));
        return file;
    }

    private byte[] bytes(String name) throws Exception {
        return Files.readAllBytes(Path.of(given.get(name).substring(1)));
    }

    private CodeElement code(String name) {
        if (!given.containsKey(name)) return null;
        CodeElement element = new CodeElement();
        element.setCode(given.get(name));
        return element;
    }

    private void text(String name, String value) {
        if (value != null) answer.add(name + "=" + oneLine(value));
    }

    private void take(String name, interop.demandes.Base64Binary file) throws Exception {
        if (file != null) take(name, file.getValue());
    }

    private void take(String name, byte[] bytes) throws Exception {
        Path path = Path.of(settings.get("out"), number + "-" + name);
        Files.write(path, bytes == null ? new byte[0] : bytes);
        answer.add(name + "=@" + path);
    }

    private static String oneLine(String text) {
        return text == null ? "" : text.replaceAll("\\s+", " ").trim();
    }
}
