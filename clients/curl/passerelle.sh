#!/usr/bin/env bash
# Client d'exemple de la passerelle SNE avec curl : rien à installer, et l'on voit tout ce qui circule.
#
#     ./passerelle.sh deposer FICHIER [DOSSIER]   dépose, attend l'acquittement, le retire, le confirme
#     ./passerelle.sh lister                      où en sont les flux du guichet
#     ./passerelle.sh bordereau NOM...            annonce les noms des fichiers envoyés
#
# Réglages (environnement) : PASSERELLE_URL, PASSERELLE_GUICHET, PASSERELLE_CLE ; PASSERELLE_SOAP (1.2 ou
# 1.1) ; PASSERELLE_AC, PASSERELLE_CERTIFICAT et PASSERELLE_CLE_PRIVEE pour TLS et le certificat client.
set -euo pipefail

URL=${PASSERELLE_URL:-http://127.0.0.1:8080/services/passerelle}
ESPACE=urn:passerelle-sne:service:1
travail=$(mktemp -d)
trap 'rm -rf "$travail"' EXIT

identite=()
[ -n "${PASSERELLE_CLE:-}" ] && identite+=(--user "$PASSERELLE_GUICHET:$PASSERELLE_CLE")
[ -n "${PASSERELLE_AC:-}" ] && identite+=(--cacert "$PASSERELLE_AC")
[ -n "${PASSERELLE_CERTIFICAT:-}" ] && identite+=(--cert "$PASSERELLE_CERTIFICAT" --key "$PASSERELLE_CLE_PRIVEE")

# appeler OPERATION < CONTENU : la réponse va dans $travail/reponse.
appeler() {
  local operation=$1 enveloppe type reponse=$travail/reponse
  if [ "${PASSERELLE_SOAP:-1.2}" = 1.1 ]; then
    enveloppe=http://schemas.xmlsoap.org/soap/envelope/
    type=(-H 'Content-Type: text/xml; charset=utf-8' -H "SOAPAction: \"$ESPACE:$operation\"")
  else
    enveloppe=http://www.w3.org/2003/05/soap-envelope
    type=(-H "Content-Type: application/soap+xml; charset=utf-8; action=\"$ESPACE:$operation\"")
  fi
  {
    printf '<e:Envelope xmlns:e="%s"><e:Body><p:%s xmlns:p="%s">' "$enveloppe" "$operation" "$ESPACE"
    cat
    printf '</p:%s></e:Body></e:Envelope>' "$operation"
  } > "$travail/requete"
  curl --silent --show-error --max-time 60 "${identite[@]}" "${type[@]}" \
    --data-binary "@$travail/requete" --output "$reponse" "$URL"
  if grep -q 'erreurPasserelle' "$reponse"; then
    # Un programme lit le code, une personne lit le message.
    echo "Erreur $(valeur code) : $(valeur message)" >&2
    exit 1
  fi
  grep -q "${operation}Reponse" "$reponse" || { echo "Réponse inattendue :" >&2; cat "$reponse" >&2; exit 1; }
}

# Le texte du premier élément de ce nom dans la réponse. (Un vrai client lirait le XML avec un outil XML.)
valeur() { valeurs "$1" | head -n 1; }
valeurs() {
  { grep -o "<$1>[^<]*" "$travail/reponse" || true; } |
    sed -e 's/^<[^>]*>//' -e "s/&apos;/'/g" -e 's/&quot;/"/g' -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&amp;/\&/g'
}
# &, < et > écrits pour du XML.
texte() { printf %s "$1" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g'; }

deposer() {
  local fichier=$1 dossier=${2:-.} identifiant attente=1 deja issue
  {
    printf '<nomFichier>%s</nomFichier><fichier>' "$(texte "$(basename "$fichier")")"
    base64 < "$fichier"
    # La clé d'idempotence : le même dépôt refait (coupure, délai passé) rend le premier accusé.
    printf '</fichier><cleIdempotence>%s</cleIdempotence>' "$(sha256sum < "$fichier" | cut -d ' ' -f 1)"
  } | appeler deposerFlux
  identifiant=$(valeur identifiant)
  [ "$(valeur dejaRecu)" = true ] && deja=oui || deja=non
  echo "Accusé de dépôt : $identifiant, état $(valeur etat), déjà reçu : $deja"

  # L'accusé de dépôt n'est pas l'acquittement : le SNE n'a pas encore répondu.
  while true; do
    appeler suivreFlux <<< "<identifiant>$identifiant</identifiant>"
    issue=$(valeur issue)
    [ -n "$issue" ] && break
    echo "En attente : $(valeur libelleEtat)"
    sleep "$attente"
    attente=$((attente < 30 ? attente * 2 : 60))
  done
  local numero
  numero=$(sed 's/.*<resultat>//' "$travail/reponse" | grep -o '<numUnique>[^<]*' | head -n 1 || true)

  appeler retirerAcquittement <<< "<identifiant>$identifiant</identifiant>"
  local noms contenus i
  mapfile -t noms < <(valeurs nomFichier)
  mapfile -t contenus < <(valeurs contenu)
  for i in "${!noms[@]}"; do
    base64 -d <<< "${contenus[$i]}" > "$dossier/$(basename "${noms[$i]}")"
    echo "Reçu : ${noms[$i]}"
  done

  # Seulement une fois les fichiers enregistrés.
  appeler confirmerAcquittement <<< "<identifiant>$identifiant</identifiant>"
  echo "Résultat : $issue, numéro unique ${numero#<numUnique>}"
  [ "$issue" = ACCEPTE ] || exit 2
}

lister() {
  appeler listerFluxDepuis <<< '<limite>100</limite>'
  paste -d ' ' <(valeurs identifiant) <(valeurs etat) <(valeurs nomFichier)
}

bordereau() {
  local nom
  for nom in "$@"; do printf '<nomFichier>%s</nomFichier>' "$(texte "$nom")"; done | appeler deposerBordereau
  echo "Bordereau $(valeur identifiant) : $(valeur connus) fichier(s) connu(s) sur $(valeur nombre)"
  valeurs absent | sed 's/^/Absent : /'
}

case ${1:-} in
  deposer | lister | bordereau) "$@" ;;
  *) sed -n 's/^#     //p' "$0"; exit 64 ;;
esac
