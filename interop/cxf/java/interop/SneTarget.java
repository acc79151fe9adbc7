package interop;

import interop.demandes.Base64Binary;
import interop.demandes.DeclarationNouveauDaloParametres;
import interop.demandes.DeclarationNouveauDaloReponse;
import interop.demandes.DemandeLogementParametres;
import interop.demandes.DemandeLogementPortType;
import interop.demandes.DemandeLogementReponse;
import interop.demandes.DemandesRadieesDepuisLeParametres;
import interop.demandes.DemandesRadieesDepuisLeReponse;
import interop.demandes.NouveauxDaloDepuisLeParametres;
import interop.demandes.NouveauxDaloDepuisLeReponse;
import interop.demandes.NumUniqueParametres;
import interop.demandes.NumUniqueReponse;
import interop.demandes.RechercheDoublonsParametres;
import interop.demandes.RechercheDoublonsReponse;
import interop.evenements.GestionPartageeEVTPortType;
import interop.recherche.RechercheDemandePortType;
import jakarta.jws.WebService;
import jakarta.xml.ws.BindingType;
import jakarta.xml.ws.Endpoint;
import jakarta.xml.ws.soap.SOAPBinding;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * A target that is not ours: Apache CXF, MTOM on, serving the three services from the classes that
 * wsdl2java made of the WSDLs. It holds no rule of the SNE: an answer names the operation that ran and
 * the SHA-256 of the file it was given, so that the harness can tell whether the right one ran and
 * whether the bytes came whole.
 *
 * Argument: the port. It says « ready » once it serves.
 */
public final class SneTarget {
    static final String NUMBER = "999112600000175A01";

    public static void main(String[] args) {
        String base = "http://127.0.0.1:" + args[0] + "/services/";
        Endpoint.publish(base + "DemandeLogementImplService", new Demandes());
        Endpoint.publish(base + "RechercheDemandeImplService", new Recherche());
        Endpoint.publish(base + "GestionPartageeEVTImplService", new Evenements());
        System.out.println("ready");
    }

    /** All byte values: what an attestation in PDF may hold, and what base64 or UTF-8 would spoil. */
    static byte[] attestation() {
        byte[] bytes = new byte[1024];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) i;
        return bytes;
    }

    static byte[] answerOf(String operation, byte[] file, String rest) {
        refuseMarked(file);
        return ("<?xml version=\"1.0\" encoding=\"UTF-8\"?><tns:interfaceNuu"
            + " xmlns:tns=\"http://nuu.application.i2/\" versionInterface=\"02.00\">"
            + "<!-- " + operation + " " + sha256(file) + " --><tns:operation>" + rest
            + "</tns:operation></tns:interfaceNuu>").getBytes(StandardCharsets.UTF_8);
    }

    /** As the SNE does (inferred): the same demande, with its number. */
    static byte[] numbered(String operation, byte[] file) {
        refuseMarked(file);
        String text = new String(file, StandardCharsets.UTF_8);
        String numbered = text.contains("numUnique>") ? text : text.replaceFirst(
            "<((?:\\w+:)?)numGuichet>([^<]*)</(?:\\w+:)?numGuichet>",
            "<$1numUnique>" + NUMBER + "</$1numUnique><$1numGuichet>$2</$1numGuichet>");
        String told = "<!-- " + operation + " " + sha256(file) + " -->";
        return numbered.replaceFirst("(</(?:\\w+:)?interfaceNuu>)", told + "$1").getBytes(StandardCharsets.UTF_8);
    }

    /** The SNE's known sentence, for a file that says so. */
    static void refuseMarked(byte[] file) {
        if (file != null && new String(file, StandardCharsets.UTF_8).contains("PANNE")) {
            throw new IllegalStateException(
                "Une erreur inattendue est survenue lors du traitement de la demande.");
        }
    }

    static String sha256(byte[] bytes) {
        try {
            byte[] given = bytes == null ? new byte[0] : bytes;
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(given));
        } catch (java.security.NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
    }

    @WebService(endpointInterface = "interop.demandes.DemandeLogementPortType",
        targetNamespace = "http://ws.metier.nuu.application.i2/", serviceName = "DemandeLogementImplService")
    @BindingType(SOAPBinding.SOAP12HTTP_MTOM_BINDING)
    public static final class Demandes implements DemandeLogementPortType {
        private static Base64Binary file(byte[] bytes, String type) {
            Base64Binary file = new Base64Binary();
            file.setContentType(type);
            file.setValue(bytes);
            return file;
        }

        @Override
        public NumUniqueReponse getNumUnique(NumUniqueParametres in) {
            byte[] given = in.getFichierDemande().getValue();
            var out = new NumUniqueReponse();
            out.setNomFichierDemande(in.getNomFichierDemande());
            out.setFichierDemande(file(numbered("getNumUnique", given), "text/xml"));
            out.setNomAttestation("attestation.pdf");
            out.setAttestation(file(attestation(), "application/pdf"));
            return out;
        }

        @Override
        public DemandeLogementReponse getDemandeLogement(DemandeLogementParametres in) {
            var out = new DemandeLogementReponse();
            out.setNomFichierDemande("DEM-" + in.getNumUnique() + ".xml");
            out.setFichierDemande(file(answerOf("getDemandeLogement",
                in.getNumUnique().getBytes(StandardCharsets.UTF_8), in.getNumUnique()), "text/xml"));
            return out;
        }

        @Override
        public RechercheDoublonsReponse getDoublons(RechercheDoublonsParametres in) {
            var out = new RechercheDoublonsReponse();
            out.setNomFichierDemande(in.getNomFichierDemande());
            out.setFichierDemande(
                file(answerOf("getDoublons", in.getFichierDemande().getValue(), ""), "text/xml"));
            return out;
        }

        @Override
        public DeclarationNouveauDaloReponse getDeclarationNouveauDalo(DeclarationNouveauDaloParametres in) {
            var out = new DeclarationNouveauDaloReponse();
            out.setNomFichierDalo(in.getNomFichierDalo());
            out.setFichierDalo(
                file(numbered("getDeclarationNouveauDalo", in.getFichierDalo().getValue()), "text/xml"));
            return out;
        }

        @Override
        public DemandesRadieesDepuisLeReponse getDemandesRadieesDepuisLe(DemandesRadieesDepuisLeParametres in) {
            String filters = in.getDateRadiationDepuisLe().toXMLFormat()
                + (in.getMotifRadiation() == null ? "" : " " + in.getMotifRadiation().getCode());
            var out = new DemandesRadieesDepuisLeReponse();
            out.setNomFichierDemandesRadiees("radiees.xml");
            out.setFichierDemandesRadiees(
                file(answerOf("getDemandesRadieesDepuisLe", null, filters), "text/xml"));
            return out;
        }

        @Override
        public NouveauxDaloDepuisLeReponse getNouveauxDaloDepuisLe(NouveauxDaloDepuisLeParametres in) {
            var out = new NouveauxDaloDepuisLeReponse();
            out.setNomFichierNouveauxDalo("dalo.xml");
            out.setFichierNouveauxDalo(file(answerOf("getNouveauxDaloDepuisLe", null,
                in.getDateNouveauDaloDepuisLe().toXMLFormat()), "text/xml"));
            return out;
        }
    }

    @WebService(endpointInterface = "interop.recherche.RechercheDemandePortType",
        targetNamespace = "http://ws.metier.nuu.application.i2/", serviceName = "RechercheDemandeImplService")
    @BindingType(SOAPBinding.SOAP12HTTP_MTOM_BINDING)
    public static final class Recherche implements RechercheDemandePortType {
        @Override
        public interop.recherche.FichierXmlReponse rechercheDemandeMulticritere(
            interop.recherche.FichierXmlParametres in) {
            var file = new interop.recherche.Base64Binary();
            file.setContentType("text/xml");
            file.setValue(answerOf("rechercheDemandeMulticritere", in.getFichierXml().getValue(), ""));
            var out = new interop.recherche.FichierXmlReponse();
            out.setNomFichierXmlRetour(in.getNomFichier());
            out.setFichierXmlRetour(file);
            return out;
        }
    }

    @WebService(endpointInterface = "interop.evenements.GestionPartageeEVTPortType",
        targetNamespace = "http://ws.metier.nuu.application.i2/", serviceName = "GestionPartageeEVTImplService")
    @BindingType(SOAPBinding.SOAP12HTTP_MTOM_BINDING)
    public static final class Evenements implements GestionPartageeEVTPortType {
        private static interop.evenements.FichierXmlReponse answer(
            String operation, interop.evenements.FichierXmlParametres in) {
            var file = new interop.evenements.Base64Binary();
            file.setContentType("text/xml");
            file.setValue(answerOf(operation, in.getFichierXml().getValue(), ""));
            var out = new interop.evenements.FichierXmlReponse();
            out.setNomFichierXmlRetour(in.getNomFichier());
            out.setFichierXmlRetour(file);
            return out;
        }

        @Override
        public interop.evenements.FichierXmlReponse listerTypesEvenementsNationaux(
            interop.evenements.FichierXmlParametres in) {
            return answer("listerTypesEvenementsNationaux", in);
        }

        @Override
        public interop.evenements.FichierXmlReponse listerTypesEvenementsTerritoriaux(
            interop.evenements.FichierXmlParametres in) {
            return answer("listerTypesEvenementsTerritoriaux", in);
        }

        @Override
        public interop.evenements.FichierXmlReponse listerEvenementsDemande(
            interop.evenements.FichierXmlParametres in) {
            return answer("listerEvenementsDemande", in);
        }

        @Override
        public interop.evenements.FichierXmlReponse ajouterEvenementDemande(
            interop.evenements.FichierXmlParametres in) {
            return answer("ajouterEvenementDemande", in);
        }

        @Override
        public interop.evenements.FichierXmlReponse modifierEvenementDemande(
            interop.evenements.FichierXmlParametres in) {
            return answer("modifierEvenementDemande", in);
        }

        @Override
        public interop.evenements.FichierXmlReponse supprimerEvenementDemande(
            interop.evenements.FichierXmlParametres in) {
            return answer("supprimerEvenementDemande", in);
        }
    }
}
