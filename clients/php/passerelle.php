<?php
/**
 * Client d'exemple de la passerelle SNE en PHP (extension soap).
 *
 *     php passerelle.php deposer FICHIER [DOSSIER]   dépose, attend l'acquittement, le retire, le confirme
 *     php passerelle.php lister                      où en sont les flux du guichet
 *     php passerelle.php bordereau NOM...            annonce les noms des fichiers envoyés
 *
 * Réglages (environnement) : PASSERELLE_URL, PASSERELLE_GUICHET, PASSERELLE_CLE ; PASSERELLE_SOAP (1.2
 * ou 1.1) ; PASSERELLE_AC, PASSERELLE_CERTIFICAT et PASSERELLE_CLE_PRIVEE pour TLS et le certificat client.
 */

declare(strict_types=1);

function ouvrir(): SoapClient
{
    $url = getenv('PASSERELLE_URL') ?: 'http://127.0.0.1:8080/services/passerelle';
    $tls = array_filter([
        'cafile' => getenv('PASSERELLE_AC'),
        'local_cert' => getenv('PASSERELLE_CERTIFICAT'),
        'local_pk' => getenv('PASSERELLE_CLE_PRIVEE'),
    ]);
    $options = [
        'location' => $url,
        'soap_version' => getenv('PASSERELLE_SOAP') === '1.1' ? SOAP_1_1 : SOAP_1_2,
        'connection_timeout' => 10,
        // Un seul élément est rendu comme une liste d'un élément.
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'stream_context' => stream_context_create(['ssl' => $tls]),
    ];
    if (getenv('PASSERELLE_CLE') !== false) {
        $options += ['login' => getenv('PASSERELLE_GUICHET'), 'password' => getenv('PASSERELLE_CLE')];
    }
    // La passerelle donne son WSDL, à sa propre adresse.
    return new SoapClient("$url?wsdl", $options);
}

function deposer(SoapClient $service, string $chemin, string $dossier = '.'): int
{
    $contenu = file_get_contents($chemin);
    // La clé d'idempotence : le même dépôt refait (coupure, délai passé) rend le premier accusé.
    $accuse = $service->deposerFlux([
        'nomFichier' => basename($chemin),
        'fichier' => $contenu,
        'cleIdempotence' => hash('sha256', $contenu),
    ])->accuseDepot;
    $deja = $accuse->dejaRecu ? 'oui' : 'non';
    echo "Accusé de dépôt : $accuse->identifiant, état $accuse->etat, déjà reçu : $deja\n";

    // L'accusé de dépôt n'est pas l'acquittement : le SNE n'a pas encore répondu.
    $identifiant = ['identifiant' => $accuse->identifiant];
    $attente = 1;
    while (!isset(($flux = $service->suivreFlux($identifiant)->flux)->resultat)) {
        echo "En attente : $flux->libelleEtat\n";
        sleep($attente);
        $attente = min($attente * 2, 60);
    }

    $recu = $service->retirerAcquittement($identifiant);
    foreach (['acquittement', 'reponseSne', 'attestation'] as $nom) {
        if (isset($recu->$nom)) {
            file_put_contents($dossier . '/' . basename($recu->$nom->nomFichier), $recu->$nom->contenu);
            echo "Reçu : {$recu->$nom->nomFichier}\n";
        }
    }

    // Seulement une fois les fichiers enregistrés.
    $service->confirmerAcquittement($identifiant);
    $resultat = $flux->resultat;
    echo "Résultat : $resultat->issue, numéro unique ", $resultat->numUnique ?? 'aucun', "\n";
    foreach ($resultat->controle ?? [] as $controle) {
        echo "Contrôle $controle->code : $controle->message\n";
    }
    return $resultat->issue === 'ACCEPTE' ? 0 : 2;
}

function lister(SoapClient $service): int
{
    $demande = ['limite' => 100];
    do {
        $page = $service->listerFluxDepuis($demande);
        foreach ($page->flux ?? [] as $flux) {
            echo "$flux->identifiant  $flux->etat  $flux->nomFichier\n";
        }
        $demande['curseur'] = $page->curseur ?? null;
    } while ($demande['curseur'] !== null);
    return 0;
}

function bordereau(SoapClient $service, string ...$noms): int
{
    $accuse = $service->deposerBordereau(['nomFichier' => $noms])->accuseBordereau;
    echo "Bordereau $accuse->identifiant : $accuse->connus fichier(s) connu(s) sur $accuse->nombre\n";
    foreach ($accuse->absent ?? [] as $nom) {
        echo "Absent : $nom\n";
    }
    return 0;
}

$commande = $argv[1] ?? '';
if (!in_array($commande, ['deposer', 'lister', 'bordereau'], true)) {
    fwrite(STDERR, "usage : php passerelle.php deposer FICHIER [DOSSIER] | lister | bordereau NOM...\n");
    exit(64);
}
try {
    exit($commande(ouvrir(), ...array_slice($argv, 2)));
} catch (SoapFault $defaut) {
    // Un programme lit le code, une personne lit le message.
    $code = $defaut->detail->erreurPasserelle->code ?? $defaut->faultcode;
    fwrite(STDERR, "Erreur $code : {$defaut->getMessage()}\n");
    exit(1);
}
