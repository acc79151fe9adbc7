package fr.exemple;

import fr.passerelle.AccuseBordereau;
import fr.passerelle.AccuseDepot;
import fr.passerelle.Controle;
import fr.passerelle.DefautPasserelle;
import fr.passerelle.Fichier;
import fr.passerelle.Flux;
import fr.passerelle.PasserelleSne;
import fr.passerelle.PasserelleSneService;
import jakarta.activation.DataHandler;
import jakarta.activation.FileDataSource;
import jakarta.xml.ws.BindingProvider;
import jakarta.xml.ws.Holder;
import jakarta.xml.ws.WebServiceFeature;
import jakarta.xml.ws.soap.MTOMFeature;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Client d'exemple de la passerelle SNE en Java (Apache CXF, fichiers en MTOM).
 *
 * <pre>
 * java -cp "target/client-passerelle.jar:target/lib/*" fr.exemple.ClientPasserelle …
 *     deposer FICHIER [DOSSIER]   dépose, attend l'acquittement, le retire, le confirme
 *     lister                      où en sont les flux du guichet
 *     bordereau NOM...            annonce les noms des fichiers envoyés
 * </pre>
 *
 * Réglages (environnement) : PASSERELLE_URL, PASSERELLE_GUICHET, PASSERELLE_CLE ; PASSERELLE_SOAP (1.2
 * ou 1.1), PASSERELLE_MTOM (oui ou non). Certificat client : -Djavax.net.ssl.keyStore et les siens.
 */
public final class ClientPasserelle {
    private static final PrintStream SORTIE = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private static final PrintStream ERREURS = new PrintStream(System.err, true, StandardCharsets.UTF_8);

    public static void main(String[] arguments) throws Exception {
        String commande = arguments.length == 0 ? "" : arguments[0];
        List<String> suite = Arrays.asList(arguments).subList(Math.min(1, arguments.length), arguments.length);
        int statut;
        try {
            PasserelleSne service = ouvrir();
            statut = switch (commande) {
                case "deposer" -> deposer(service, Path.of(suite.get(0)), Path.of(suite.size() > 1 ? suite.get(1) : "."));
                case "lister" -> lister(service);
                case "bordereau" -> bordereau(service, suite);
                default -> throw new IllegalArgumentException("deposer FICHIER [DOSSIER] | lister | bordereau NOM...");
            };
        } catch (DefautPasserelle defaut) {
            // Un programme lit le code, une personne lit le message.
            ERREURS.println("Erreur " + defaut.getFaultInfo().getCode() + " : " + defaut.getFaultInfo().getMessage());
            statut = 1;
        }
        System.exit(statut);
    }

    private static PasserelleSne ouvrir() throws Exception {
        String url = reglage("PASSERELLE_URL", "http://127.0.0.1:8080/services/passerelle");
        // La passerelle donne son WSDL, à sa propre adresse.
        PasserelleSneService service = new PasserelleSneService(URI.create(url + "?wsdl").toURL());
        WebServiceFeature mtom = new MTOMFeature(reglage("PASSERELLE_MTOM", "oui").equals("oui"));
        PasserelleSne port = reglage("PASSERELLE_SOAP", "1.2").equals("1.1")
            ? service.getPasserelleSneSoap11(mtom)
            : service.getPasserelleSneSoap12(mtom);
        var contexte = ((BindingProvider) port).getRequestContext();
        contexte.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, url);
        if (System.getenv("PASSERELLE_CLE") != null) {
            contexte.put(BindingProvider.USERNAME_PROPERTY, System.getenv("PASSERELLE_GUICHET"));
            contexte.put(BindingProvider.PASSWORD_PROPERTY, System.getenv("PASSERELLE_CLE"));
        }
        return port;
    }

    private static int deposer(PasserelleSne service, Path chemin, Path dossier) throws Exception {
        // La clé d'idempotence : le même dépôt refait (coupure, délai passé) rend le premier accusé.
        byte[] empreinte = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(chemin));
        AccuseDepot accuse = service.deposerFlux(chemin.getFileName().toString(),
            new DataHandler(new FileDataSource(chemin.toFile())), HexFormat.of().formatHex(empreinte));
        String identifiant = accuse.getIdentifiant();
        SORTIE.println("Accusé de dépôt : " + identifiant + ", état " + accuse.getEtat()
            + ", déjà reçu : " + (accuse.isDejaRecu() ? "oui" : "non"));

        // L'accusé de dépôt n'est pas l'acquittement : le SNE n'a pas encore répondu.
        Flux flux = service.suivreFlux(identifiant);
        for (long attente = 1; flux.getResultat() == null; attente = Math.min(attente * 2, 60)) {
            SORTIE.println("En attente : " + flux.getLibelleEtat());
            Thread.sleep(attente * 1000);
            flux = service.suivreFlux(identifiant);
        }

        Holder<Fichier> acquittement = new Holder<>();
        Holder<Fichier> reponseSne = new Holder<>();
        Holder<Fichier> attestation = new Holder<>();
        service.retirerAcquittement(identifiant, acquittement, reponseSne, attestation);
        for (Holder<Fichier> fichier : List.of(acquittement, reponseSne, attestation)) {
            if (fichier.value != null) enregistrer(fichier.value, dossier);
        }

        // Seulement une fois les fichiers enregistrés.
        service.confirmerAcquittement(identifiant);
        var resultat = flux.getResultat();
        SORTIE.println("Résultat : " + resultat.getIssue() + ", numéro unique " + resultat.getNumUnique());
        for (Controle controle : resultat.getControle()) {
            SORTIE.println("Contrôle " + controle.getCode() + " : " + controle.getMessage());
        }
        return resultat.getIssue().equals("ACCEPTE") ? 0 : 2;
    }

    private static void enregistrer(Fichier fichier, Path dossier) throws Exception {
        Path nom = Path.of(fichier.getNomFichier()).getFileName();
        try (InputStream contenu = fichier.getContenu().getInputStream()) {
            Files.copy(contenu, dossier.resolve(nom), StandardCopyOption.REPLACE_EXISTING);
        }
        SORTIE.println("Reçu : " + fichier.getNomFichier());
    }

    private static int lister(PasserelleSne service) throws Exception {
        Holder<List<Flux>> page = new Holder<>();
        Holder<String> curseur = new Holder<>();
        do {
            service.listerFluxDepuis(null, null, curseur, 100, page);
            for (Flux flux : page.value) {
                SORTIE.println(flux.getIdentifiant() + "  " + flux.getEtat() + "  " + flux.getNomFichier());
            }
        } while (curseur.value != null);
        return 0;
    }

    private static int bordereau(PasserelleSne service, List<String> noms) throws Exception {
        AccuseBordereau accuse = service.deposerBordereau(null, noms);
        SORTIE.println("Bordereau " + accuse.getIdentifiant() + " : " + accuse.getConnus()
            + " fichier(s) connu(s) sur " + accuse.getNombre());
        for (String nom : accuse.getAbsent()) SORTIE.println("Absent : " + nom);
        return 0;
    }

    private static String reglage(String nom, String sinon) {
        return System.getenv().getOrDefault(nom, sinon);
    }
}
