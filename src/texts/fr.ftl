# Les textes de Callboard en français. On vouvoie ; les boutons sont à l'infinitif.

## Days and times

monday = lundi
tuesday = mardi
wednesday = mercredi
thursday = jeudi
friday = vendredi
saturday = samedi
sunday = dimanche
monday-short = lun.
tuesday-short = mar.
wednesday-short = mer.
thursday-short = jeu.
friday-short = ven.
saturday-short = sam.
sunday-short = dim.
january = janvier
february = février
march = mars
april = avril
may = mai
june = juin
july = juillet
august = août
september = septembre
october = octobre
november = novembre
december = décembre
january-short = janv.
february-short = févr.
march-short = mars
april-short = avr.
may-short = mai
june-short = juin
july-short = juil.
august-short = août
september-short = sept.
october-short = oct.
november-short = nov.
december-short = déc.
day-long = { $weekday } { $day } { $month }
day-medium = { $weekday } { $day } { $month }
day-short = { $weekday } { $day }
month-day = { $day } { $month }
date = { $day } { $month } { $year }
date-range = { $day }–{ $last } { $month } { $year }
date-range-months = { $first } – { $last } { $year }
date-range-years = { $first } – { $last }
time-12 = { $time } { $half }
am = AM
pm = PM
twelve = 12
range = { $start }–{ $end }
range-12 = { $start }–{ $end } { $half }
range-days = { $start } – { $day } { $end }
moment = { $day }, { $time }
minutes =
    { $n ->
        [one] { $n } minute
       *[other] { $n } minutes
    }
hours =
    { $n ->
        [one] { $n } heure
       *[other] { $n } heures
    }
days =
    { $n ->
        [one] { $n } jour
       *[other] { $n } jours
    }
list-two = { $first } et { $last }
list-comma = { ", " }
list-end = { $first } et { $last }
list-more =
    { $n ->
        [one] { $first } et { $n } autre
       *[other] { $first } et { $n } autres
    }
quoted = « { $text } »

times-are = Les heures sont celles du lieu de la conférence ({ $zone }).
my-zone = Afficher dans mon fuseau horaire
venue-zone = Afficher l’heure du lieu
your-times = Les heures sont dans votre fuseau horaire ({ $zone }).
venue-date = date du lieu
now = En cours
next = À suivre
to-now = En cours
to-next = À suivre
unfold = Afficher
fold = Masquer
pitch = Choisissez les sessions que vous voulez voir. Elles apparaissent dans votre agenda et y restent à jour.
over = Cette conférence est terminée.
map = plan

## Kinds

talk = Conférence
plenary = Plénière
lightning = Présentations éclair
panel = Table ronde
workshop = Atelier
discussion = Discussion
remarks = Allocution
pause = Pause
meal = Repas
social = Moment convivial

## Every page

skip = Aller au contenu
main-navigation = Navigation principale
program = Programme
changes = Modifications
subscribe = S’abonner
my-agenda = Mon programme
release-is = Version { $n }, publiée le { $at }.
api = API
all-speakers = Intervenants
all-tracks = Parcours
all-rooms = Salles
open-in-own-window = Ouvrir le programme dans sa propre fenêtre
to-the-program = Retour au programme

## Program

days-navigation = Jours
filter = Filtrer
all = Tous
search = Rechercher
search-hint = Rechercher sessions, intervenants, salles
apply = Appliquer
clear = Effacer les filtres
clear-search = Effacer la recherche
day-label = Jour
kind-label = Type
track = Parcours
room = Salle
speaker = Intervenant
topic = Sujet
sessions =
    { $n ->
        [one] { $n } session
       *[other] { $n } sessions
    }
shown =
    { $of ->
        [one] { $n } session sur { $of }.
       *[other] { $n } sessions sur { $of }.
    }
results-for =
    { $n ->
        [one] { $n } résultat pour « { $text } »
       *[other] { $n } résultats pour « { $text } »
    }
similar-results-for =
    { $n ->
        [one] Aucune correspondance exacte pour « { $text } ». { $n } résultat proche :
       *[other] Aucune correspondance exacte pour « { $text } ». { $n } résultats proches :
    }
nothing-found = Aucune session ne correspond. Essayez de retirer un filtre.
nothing-found-for = Aucune session ne correspond à « { $text } ».
subscribe-to-all = S’abonner à tout le programme
subscribe-to-these =
    { $n ->
        [one] S’abonner à cette session
       *[other] S’abonner à ces { $n } sessions
    }
no-feed-for-text = On ne peut pas s’abonner à une recherche. Ajoutez plutôt ces sessions à votre programme personnel.
announced = Bientôt
announced-track = Pas encore de sessions. Abonnez-vous : elles apparaîtront dans votre agenda dès leur annonce.
about-program = Le programme de { $title } : toutes les sessions, avec des calendriers auxquels s’abonner.
my-sessions = Mes sessions
as-grid = Grille
as-list = Liste
time = Heure
other-sessions = Autres
none-mine = Vous n’avez encore choisi aucune session.
show-mine = Afficher les sessions que j’ai choisies

## Sessions

pick = Choisir
picked = Choisie
unpick = Retirer
cancelled = Annulée
cancelled-long = Cette session est annulée.
tentative = Provisoire
tentative-long = Provisoire : les détails peuvent encore changer.
moved-from = Déplacée, prévue à l’origine : { $place }
calendar-file = Ajouter à l’agenda (.ics)
organizers-page = La page de l’organisation
speakers = Intervenants
session-language = Langue : { $tag }
topics = Sujets :
give-feedback = Donner votre avis
not-recorded = Cette session n’est pas enregistrée.
at-the-same-time = En même temps
previous-in-track = Avant, dans { $name }
next-in-track = Après, dans { $name }
part-of = { $name } à { $title }
subscribe-to = S’abonner à { $name }
no-longer-speaking = Cette personne n’a plus de session au programme.
nothing-here = Aucune session ici pour le moment.
previous-page = Sessions précédentes
next-page = Sessions suivantes
pages = Pages
share = Partager

## Texts of scripts

refused = Non enregistré : { $why }
queued = Vous êtes hors ligne. Nous enregistrerons ce choix dès votre retour en ligne.
waiting = Pas encore enregistré
settled = De nouveau en ligne : vos choix sont enregistrés.
unsettled = Certains choix n’ont pas pu être enregistrés : { $titles }.
new-release = Le programme a été mis à jour.
reload = Recharger
offline-since = Vous êtes hors ligne. Dernière mise à jour il y a { $ago }.
copied = Copié.
copy-failed = La copie a échoué. Le lien est sélectionné : appuyez sur Ctrl+C.
overlaps = « { $title } » chevauche « { $other } ».
keep-both = Garder les deux
replace = Remplacer « { $other } »
replaced = Remplacée.
offline = Vous êtes hors ligne
offline-text = Cette page n’est pas disponible hors ligne.

## My agenda

agenda-none = Vous n’avez pas encore de programme personnel
agenda-none-text = Choisissez des sessions dans le programme pour commencer le vôtre. Aucun compte n’est nécessaire ; il est enregistré dans ce navigateur.
agenda-none-elsewhere = Vous en avez un sur un autre appareil ? Ouvrez-le là-bas et choisissez « Passer sur un autre appareil ».
agenda-signed-out = Ce navigateur a été déconnecté, ou le programme personnel supprimé, depuis un autre appareil. La prochaine session choisie en commencera un nouveau.
agenda-deleted = Votre programme personnel a été supprimé.
agenda-empty = Pas encore de sessions.
overlaps-with = Chevauche { $other }.
and-more =
    { $n ->
        [one] et { $n } autre
       *[other] et { $n } autres
    }
first-shown =
    { $n ->
        [one] Seule la première est affichée : précisez la recherche.
       *[other] Seules les { $n } premières sont affichées : précisez la recherche.
    }
keep-this = Garder celle-ci
overlap-count =
    { $n ->
        [one] { $n } de vos sessions se chevauche.
        [2] Deux de vos sessions se chevauchent.
       *[other] { $n } de vos sessions se chevauchent.
    }
free-range = Libre { $range }
free-then = Libre { $range }, puis { $what } jusqu’à { $until }
changed = Modifiée
changed-since = Modifié depuis votre dernière visite
gone = N’est plus au programme
forget = Retirer
add-to-calendar = Ajouter à l’agenda
settings = Réglages
my-links = Liens vers ce programme
my-links-text = Toute personne qui a ce lien peut voir votre programme et s’y abonner, mais pas le modifier.
link-label = Libellé (facultatif)
new-link = Créer un autre lien
revoke = Désactiver le lien
revoke-text = Les personnes qui l’utilisent verront que le programme n’est plus partagé.
link-hidden = Ce lien fonctionne toujours, mais il ne peut plus être affiché.
link-untitled = Lien { $n }
fresh-link = Mon agenda Google est en retard : un nouveau lien
fresh-link-text = Google ne lit un agenda que toutes les 8 à 24 heures, mais un nouveau lien aussitôt. Créez-en un, ajoutez-le à Google Agenda, puis supprimez-y l’ancien agenda, sinon tout apparaît deux fois.
fresh-link-make = Créer un nouveau lien pour Google
show-page = Ouvrir
qr = Code QR
copy = Copier
address = Adresse
agenda-name = Nom de votre programme
rename = Renommer
other-device = Passer sur un autre appareil
other-device-text = Créez un lien qui ouvre ce programme sur un autre appareil pour l’y modifier. Il fonctionne une seule fois et expire au bout de 10 minutes.
make-hand-over = Créer le lien
hand-over-ready = Ouvrez ce lien sur l’autre appareil d’ici { $minutes }. Il fonctionne une seule fois.
new-key = Un appareil perdu ?
new-key-text = Déconnecte tous les autres appareils. Les liens partagés continuent de fonctionner.
make-key = Déconnecter les autres appareils
delete = Tout supprimer
delete-text = Vos choix, vos liens et votre clé sont effacés aussitôt. Les agendas abonnés verront que le programme n’est plus partagé.
delete-sure = Oui, supprimer mon programme
print = Imprimer
fetched = { $client } est à jour ; dernière consultation il y a { $ago }.
fetched-behind =
    { $n ->
        [one] Dernière consultation par { $client } il y a { $ago } ; { $n } modification ne lui est pas encore parvenue.
       *[other] Dernière consultation par { $client } il y a { $ago } ; { $n } modifications ne lui sont pas encore parvenues.
    }
not-fetched = Aucun agenda ne s’est encore abonné.
done-picked = Ajoutée à votre programme.
done-removed = Retirée de votre programme.
undo = Annuler
done-kept = Chevauchement résolu.
done-renamed = Votre programme a un nouveau nom.
done-linked = Le nouveau lien est prêt.
done-fresh = Le nouveau lien est le dernier de cette liste. Ajoutez-le à Google Agenda, puis supprimez-y l’ancien agenda.
done-revoked = Le lien est désactivé.
done-arrived = Votre programme est maintenant aussi dans ce navigateur.
done-key = Tous les autres appareils sont déconnectés.

## Suggested day

suggest = Me proposer une journée
suggest-this-day = Proposer cette journée
plan-text = Ces sessions ne se chevauchent pas et laissent le temps d’aller d’une salle à l’autre. Votre programme ne change pas tant que vous n’appuyez pas sur un bouton.
plan-counts =
    { $of ->
        [one] { $n } de vos { $of } session est compatible.
       *[other] { $n } de vos { $of } sessions sont compatibles.
    }
plan-all-fit = Toutes vos sessions sont compatibles.
plan-inexact = Trop de vos exposés sont donnés plusieurs fois pour comparer toutes les combinaisons. Il existe peut-être un meilleur choix.
plan-all-days = Tous les jours
plan-left-out = Laissées de côté
plan-remove =
    { $n ->
        [one] Retirer la session laissée de côté
       *[other] Retirer les { $n } sessions laissées de côté
    }
plan-keep-all = Tout garder
plan-attend-instead =
    { $n ->
        [one] Assister à celle-ci, retirer l’autre
       *[other] Assister à celle-ci, retirer les { $n } autres
    }
plan-again = Donnée aussi à un moment qui convient :
plan-instead = Au même moment, et compatible :
left-busy = Vous n’êtes pas libre à ce moment-là.
left-busy-with = Vous n’êtes pas libre à ce moment-là : { $label }.
left-repeat = Vous verrez cet exposé le { $at }.
left-for = Pour y assister, il faudrait manquer { $others }.
cost = Vous verriez { $parts }.
cost-nothing = L’échange est équivalent.
cost-comes = Vous pourriez alors assister à { $others }.
fewer-musts =
    { $n ->
        [one] { $n } session à ne pas manquer de moins
       *[other] { $n } sessions à ne pas manquer de moins
    }
fewer-wants =
    { $n ->
        [one] { $n } session souhaitée de moins
       *[other] { $n } sessions souhaitées de moins
    }
fewer-maybes =
    { $n ->
        [one] { $n } « peut-être » de moins
       *[other] { $n } « peut-être » de moins
    }
more-wants =
    { $n ->
        [one] { $n } session souhaitée de plus
       *[other] { $n } sessions souhaitées de plus
    }
more-maybes =
    { $n ->
        [one] { $n } « peut-être » de plus
       *[other] { $n } « peut-être » de plus
    }
walk = Trajet à pied : { $length }
next-in = Ensuite dans { $room } :
rank-must = À ne pas manquer
rank-want = Souhaitée
rank-maybe = Peut-être
busy = Indisponible
busy-heading = Quand vous n’êtes pas libre
busy-text = Les propositions laissent ces heures libres. Vous seul pouvez les voir.
busy-from = De
busy-to = À
busy-label = Note (facultative)
busy-add = Ajouter
busy-wrong = Non ajouté : la fin doit être après le début.
busy-upload = Lire les heures dans un fichier de calendrier
busy-upload-text = Choisissez un fichier de calendrier (.ics). Nous ne gardons que les heures, pas les titres. Les événements répétés ou d’une journée entière ne sont pas lus.
busy-read = Ajouter les heures
busy-skipped =
    { $n ->
        [one] { $n } événement répété ou d’une journée entière n’a pas été lu. Saisissez ses heures ci-dessous.
       *[other] { $n } événements répétés ou d’une journée entière n’ont pas été lus. Saisissez leurs heures ci-dessous.
    }
done-planned = Retirées. Vos sessions sont maintenant compatibles.
done-ranked = Enregistré.
done-busy-added = Heures ajoutées.
done-busy-removed = Heures retirées.
done-busy-read =
    { $n ->
        [0] Aucun événement trouvé pendant les jours de la conférence.
        [one] { $n } plage horaire ajoutée.
       *[other] { $n } plages horaires ajoutées.
    }

## Import and export

import = Importer des sessions
import-text = Choisissez un fichier de calendrier (.ics) de vos sessions, d’ici ou d’un autre outil, ou une liste JSON de leurs identifiants. Vous verrez les sessions avant tout ajout.
import-file = Fichier
import-look = Prévisualiser
import-new = Trouvées
import-nothing = Il n’y a aucune nouvelle session à ajouter.
import-take =
    { $n ->
        [one] Ajouter cette session
       *[other] Ajouter ces { $n } sessions
    }
import-full = Avec vos choix, cela ferait { $n } sessions ; un programme personnel en contient au plus { $most }. Choisissez-en quelques-unes dans le programme.
import-held = Déjà dans votre programme
import-unknown = Absentes de ce programme
import-ambiguous = Plusieurs sessions correspondent
carry = Exporter votre programme
carry-text = Téléchargez votre programme ou partagez-en une copie par lien. Les modifications ultérieures n’y figurent pas.
carry-calendar = Fichier de calendrier (.ics)
carry-list = Liste (JSON)

## Hand-over

hand-over = Ouvrir votre programme ici
hand-over-text = Ce lien transfère un programme personnel sur cet appareil, pour que vous puissiez le modifier ici. Il fonctionne une seule fois.
hand-over-replaces = Il remplace le programme personnel de ce navigateur.
hand-over-button = Ouvrir sur cet appareil

## Shared agenda

shared-agenda = Programme partagé
shared-text = En lecture seule. Il change quand la personne qui le partage le modifie.
pick-all = Tout ajouter à mon programme
both = Aussi dans mon programme
only-mine = Seulement dans mon programme
in-common =
    { $n ->
        [one] { $n } sur { $of } est aussi dans votre programme.
       *[other] { $n } sur { $of } sont aussi dans votre programme.
    }

## Team

team = Qui va où
team-make = Planifier en équipe
team-text = Collez les liens des programmes de votre équipe, un par ligne (20 au plus), pour voir qui va où et ce que personne ne couvre.
team-read-only = En lecture seule. Les personnes qui désactivent leur lien disparaissent de cette page et de son calendrier.
team-links = Liens des programmes
team-button = Afficher l’équipe
team-nobody = Personne
team-gone = n’est plus partagé
team-members = Membres
team-line = La ligne { $n } n’est pas le lien d’un programme de cette conférence.
team-none = Collez au moins un lien.
team-many = Une équipe a 20 liens au plus.
team-empty = Personne n’a encore rien choisi.

## Subscribe

subscribe-heading = S’abonner à { $name }
subscribe-text = Votre agenda reste à jour automatiquement.
apple = Calendrier Apple
apple-how = iPhone, iPad et Mac. Une demande d’abonnement s’ouvre.
apple-button = Ouvrir dans Calendrier Apple
apple-delay = Se met à jour aussi souvent que vous le réglez. Réglez l’actualisation automatique sur toutes les heures.
google = Google Agenda
google-how = Ajoutez-le sur un ordinateur : il apparaît aussi sur votre téléphone. L’application Android ne peut pas ajouter de calendrier par lien.
google-button = Ouvrir dans Google Agenda
google-delay = Se met à jour toutes les 8 à 24 heures, au rythme de Google. Les sessions annulées restent, signalées dans le titre.
google-too-large = Ce calendrier dépasse la taille de 1 Mo que Google lit. Ajoutez plutôt un parcours ou un jour :
outlook = Outlook.com
outlook-how = Comptes personnels, dans un navigateur.
outlook-button = Ouvrir dans Outlook.com
outlook-work = Microsoft 365
outlook-work-how = Comptes professionnels ou scolaires, dans un navigateur.
outlook-work-button = Ouvrir dans Microsoft 365
outlook-delay = Se met généralement à jour en quelques heures, parfois en un jour.
thunderbird = Thunderbird
thunderbird-how = Fichier › Nouveau › Agenda › Sur le réseau, puis collez l’adresse.
thunderbird-delay = Se met à jour toutes les 30 minutes, ou selon votre réglage.
icsx5 = ICSx⁵ (Android)
icsx5-how = Ouvre l’application, qui place les sessions dans n’importe quel agenda Android.
icsx5-button = Ouvrir dans ICSx⁵
icsx5-delay = Se met à jour selon votre réglage, au plus toutes les 15 minutes.
giggity = Giggity (Android)
giggity-how = Dans l’application : ajoutez un programme, puis collez l’adresse ou scannez-la.
giggity-button = Ouvrir dans Giggity
giggity-delay = Se met à jour à l’ouverture, au plus tard un jour après.
any-calendar = Tout autre agenda
any-how = Collez ou scannez cette adresse là où votre agenda en ajoute un « par URL » ou « depuis le web ».
other-apps = Autres applications
options = Options
caldav = Compte d’agenda (CalDAV)
caldav-how = Ajoutez un compte CalDAV avec cette adresse. Laissez l’identifiant et le mot de passe vides.
caldav-agenda-how = Ajoutez un compte CalDAV avec cette adresse. Le mot de passe est le lien vers ce programme ; l’identifiant est libre.
caldav-delay = Se met à jour toutes les quelques minutes.
kde = KDE (Merkuro, KOrganizer)
kde-how = Ajoutez une « ressource groupware DAV », choisissez la configuration manuelle et collez l’adresse. Laissez l’identifiant et le mot de passe vides.
vdirsyncer = vdirsyncer et khal
vdirsyncer-how = Ajoutez à la configuration un stockage de type « http » avec cette adresse, comme côté en lecture seule d’une paire.
alarm = Rappel
alarm-none = Aucun
alarm-before = { $minutes } avant
download = Télécharger le fichier .ics
download-text = (une copie qui ne se met pas à jour)

## Changes

changes-text = Modifications du programme, les plus récentes d’abord.
no-changes = Rien n’a changé depuis la première publication du programme.
first-release = Le programme a été publié.
release-heading = Version { $n }
added = Ajoutée
moved = Déplacée
edited = Modifiée
restored = Rétablie
withdrawn = Supprimée
title-changed = Titre modifié, auparavant « { $before } »
follow-changes = Suivre dans un lecteur de flux

## Organizer

organizer = Organisation
sign-in = Se connecter
sign-in-text = Saisissez la clé de l’organisation. Elle reste enregistrée dans ce navigateur jusqu’à votre déconnexion.
sign-in-wrong = Clé incorrecte. Réessayez.
secret = Clé de l’organisation
sign-out = Se déconnecter
last-attempt = Dernière tentative
held = Une version attend votre confirmation
held-since = Source : { $origin }, { $at }.
held-more =
    { $n ->
        [one] { $n } modification de plus est dans l’aperçu.
       *[other] { $n } modifications de plus sont dans l’aperçu.
    }
discard = Abandonner
stale-file = Le fichier du programme { $file } diffère de la version en ligne ; il est ignoré tant qu’il n’est pas enregistré avec un autre contenu.
superseded = Rien n’a été publié : la version { $n } a été publiée après votre aperçu, le { $at }. Voici les modifications par rapport à cette version.
takes-back = La publication annule ce que la version { $n } a modifié
preview-again = Choisissez le fichier corrigé
upload = Publier un programme
upload-text = Choisissez un fichier CSV. Vous verrez les modifications avant leur mise en ligne.
file = Fichier
preview = Aperçu
preview-nothing = Rien ne changerait.
preview-errors =
    { $n ->
        [one] Publication impossible : { $n } erreur.
       *[other] Publication impossible : { $n } erreurs.
    }
preview-changes =
    { $n ->
        [one] { $n } modification
       *[other] { $n } modifications
    }
impact =
    { $n ->
        [0] Ne touche aucun programme personnel.
        [one] Touche { $n } programme personnel ; { $overlaps }.
       *[other] Touche { $n } programmes personnels ; { $overlaps }.
    }
impact-overlaps =
    { $n ->
        [0] aucun nouveau chevauchement
        [one] { $n } a un nouveau chevauchement
       *[other] { $n } ont un nouveau chevauchement
    }
most-hit = Sessions touchées les plus choisies
in-agendas =
    { $n ->
        [one] dans { $n } programme
       *[other] dans { $n } programmes
    }
confirm = Publier
confirm-held = Publier quand même
releases = Versions
release-column = Version
published-column = Publiée
origin-column = Source
who-column = Par
roll-back = Rétablir
live = en ligne
csv = program.csv
error = Erreur
warning = Avertissement
sign-in-expired = Vous étiez déconnecté ; rien n’a été fait. Connectez-vous et réessayez.
signed-out = Vous êtes déconnecté.
to-the-desk = Retour à la page de l’organisation
live-release = Version en ligne
download-live = Télécharger le programme en ligne
attempt = { $at }, { $source } : { $outcome }.
stale = Le fichier du programme est ignoré
stale-keep = Pour continuer à partir du programme en ligne, remplacez le fichier par celui-ci :
stale-replace = Pour publier plutôt ce fichier, choisissez-le sous « Publier un programme ».
unstored = Un fichier de programme n’a pas pu être enregistré
unstored-file = Depuis { $at } : { $reason }. Le serveur continue d’essayer.
source-from = De la source suivie { $host }
source-read = Dernière lecture complète : { $at }.
source-unread = Elle n’a pas été lue depuis le démarrage du serveur. callboard follow est-il lancé ?
source-discarded = Le programme actuel de la source a été abandonné. Il est ignoré tant que la source ne change pas.
source-problem = Depuis { $at } : { $reason }. Le programme en ligne reste.
source-conflicts = Modifications de la source masquées par les vôtres
source-conflict = { $title }, { $fields } : la source a { $source } ; votre valeur reste : { $own }
source-deleted-row = { $title } : la source l’a modifié ; sa ligne a été supprimée ici et le reste
source-conflicts-text = Pour reprendre une valeur de la source, publiez le programme avec cette valeur.
source-notes = Omis ou supposé
source-nothing = rien
stopped = Quelque chose s’est arrêté sur le serveur
schedule = Planifié
planned = Un programme sera publié le { $at }. Il a été planifié le { $made }.
planned-by = Un programme sera publié le { $at }. { $who } l’a planifié le { $made }.
unschedule = Annuler la publication
preview-source = Source : { $source }.
preview-summary = { $changes } : { $kinds }.
preview-breaks =
    { $n ->
        [one] { $n } pause ou repas
       *[other] { $n } pauses et repas
    }
n-added = ajoutées : { $n }
n-moved = déplacées : { $n }
n-edited = modifiées : { $n }
n-cancelled = annulées : { $n }
n-restored = rétablies : { $n }
n-withdrawn = supprimées : { $n }
before = Avant :
after = Après :
empty = (vide)
row-line = Ligne { $line } du fichier
row-gone = Absente du fichier ; ligne { $line } du programme en ligne
field-time = Horaire
check-first = À vérifier d’abord
type-removed =
    { $n ->
        [one] { $n } session disparaît. Saisissez { $n } pour publier quand même :
       *[other] { $n } sessions disparaissent. Saisissez { $n } pour publier quand même :
    }
type-changed =
    { $n ->
        [one] { $n } session change. Saisissez { $n } pour publier quand même :
       *[other] { $n } sessions changent. Saisissez { $n } pour publier quand même :
    }
wrong-number = Rien n’a été publié : « { $typed } » n’est pas le bon nombre.
wrong-time = Rien n’a été planifié. Indiquez une heure à venir qui existe sur place.
publish-later = Publier plus tard
publish-at = Date et heure
schedule-it = Planifier
done-published = Publié : la version { $n } est en ligne.
done-unchanged = Rien n’a été publié : le programme est identique à la version { $n }.
done-discarded = La version a été abandonnée.
done-gone = Rien n’a été fait : cette version n’attend plus.
done-scheduled = Le programme est planifié.
done-unscheduled = La publication planifiée est annulée.
calendars = Qui a la modification
calendars-none = Aucun agenda n’a été consulté ces deux derniers jours.
calendars-text = Agendas consultés ces deux derniers jours. Les agendas publics sont estimés depuis { $at } : Google et Outlook consultent une fois pour beaucoup de personnes.
calendar-column = Agenda
app-column = Application
has-release = Ont la version { $n }
earlier-column = Ont une version antérieure
earlier-release = { $count } (version { $n })
release-share = Dans { $n } calendriers sur { $of } ({ $percent } %)
checked-column = Dernière consultation
calendar-program = Programme
calendar-track = Parcours
calendar-part = Salle, jour ou intervenant
calendar-agenda = Programme personnel
outbox = Livraisons
outbox-webhook = Webhooks
outbox-push = Messages push
outbox-mail = E-mails
outbox-calendars = Messages aux logiciels d’agenda
reach = Messages sur chaque version
channel-column = Canal
sent-column = Envoyés
delivered-column = Acceptés
failed-column = Abandonnés
waiting-column = En attente
times-column = 50 · 95 · 100 %
reach-text = Les durées indiquent combien de temps après la version cette part des messages a été acceptée par le destinataire ou son service push. Un message remplacé par une version ultérieure compte dans celle-ci.
outbox-waiting =
    { $n ->
        [one] { $n } livraison en attente.
       *[other] { $n } livraisons en attente.
    }
outbox-oldest = La plus ancienne attend depuis { $at }.
outbox-failed =
    { $n ->
        [one] { $n } livraison abandonnée.
       *[other] { $n } livraisons abandonnées.
    }
picks-by-session = Choix par session
picks-text = Dans combien de programmes personnels figure chaque session, pour choisir les salles. Les sessions avec moins de { $n } choix sont omises, afin que personne ne soit reconnaissable.
picks-none = Aucune session n’a encore { $n } choix.
picks-column = Choix
by-picks = Par nombre de choix
by-time = Par horaire
download-csv = Télécharger en CSV
sessions-column = Sessions
capacity-column = Places
too-small = trop petite
restore-release = Rétablir la version { $n }

## The API

api-text = Tout ce qui figure sur ces pages, en JSON, en calendriers et dans les formats d’autres outils.
api-document = Description OpenAPI
api-needs = Nécessite :
api-required = obligatoire
api-answers = Réponses et exemple

## Calendars

cancelled-prefix = { "ANNULÉE : " }
weekday-time = { $weekday } { $time }
moved-note = Note : déplacée, prévue à l’origine { $place }
feed-day = { $weekday } { $day } { $month }
feed-day-short = { $weekday } { $day } { $month }
feed-program = Le programme de { $title }
feed-agenda = Un programme personnel pour { $title }
feed-my-agenda = { $title } : mon programme
feed-closed = { $title } (n’est plus partagé)
feed-closed-text = Ce programme n’est plus partagé. Vous pouvez supprimer le calendrier.
feed-team = Équipe : { $names }
feed-team-about = Qui va où à { $title }
team-member = Membre { $n }

## Change feeds

changes-of = { $title } : modifications
changes-of-part = { $title } : modifications dans { $name }
program-published = Le programme de { $title } est publié
sessions-published =
    { $n ->
        [one] { $n } session.
       *[other] { $n } sessions.
    }
change-new-head = nouveau, { $place }
change-new = Nouveau au programme : { $place }.
change-cancelled-head = annulée
change-cancelled = Annulée. Elle était prévue : { $place }.
change-restored-head = aura finalement lieu, { $place }
change-restored = Aura finalement lieu : { $place }.
change-moved-head = déplacée à { $to }
change-moved = Déplacée de { $from } à { $to }.
change-end-head = se termine à { $end }
change-shorter =
    { $n ->
        [one] Se termine à { $end }, plus courte de { $n } minute.
       *[other] Se termine à { $end }, plus courte de { $n } minutes.
    }
change-longer =
    { $n ->
        [one] Se termine à { $end }, plus longue de { $n } minute.
       *[other] Se termine à { $end }, plus longue de { $n } minutes.
    }
change-in-head = désormais : { $to }
change-no-track-head = désormais sans parcours
change-no-room-head = désormais sans salle
change-track = Parcours modifié : { $to } au lieu de { $from }.
change-track-new = Parcours : { $to }.
change-track-gone = Le parcours { $from } ne s’applique plus.
change-room = Salle modifiée : { $to } au lieu de { $from }.
change-room-new = Salle : { $to }.
change-room-gone = La salle { $from } ne s’applique plus.
change-title-head = nouveau titre
change-title = Nouveau titre : { $to } (auparavant : { $from }).
change-speakers-head = nouveaux intervenants
change-speakers = Intervenants : { $speakers }.
change-no-speakers = Aucun intervenant n’est indiqué pour le moment.
change-status-head = désormais { $status }
change-status = Désormais { $status }.
status-confirmed = confirmée
status-tentative = provisoire
status-cancelled = annulée
status-withdrawn = supprimée
change-fields-head = modification : { $fields }
change-fields = Modification : { $fields }.
change-updated-head = mise à jour
change-updated = Mise à jour.

## Fields of a session

field-id = identifiant
field-date = date
field-start = début
field-end = fin
field-end-date = date de fin
field-kind = type
field-title = titre
field-track = parcours
field-block = bloc
field-room = salle
field-speakers = intervenants
field-abstract = résumé
field-bios = biographies
field-url = page web
field-links = liens
field-language = langue
field-tags = sujets
field-image = image
field-feedback-url = adresse pour les avis
field-recording = enregistrement
field-guid = identifiant d’origine
field-status = statut

## The program as plain text

day-year = { $weekday } { $day } { $month } { $year }
text-release = Version { $n } ; toutes les heures sont { $zone }.
text-more =
    { $n ->
        [one] Et { $n } autre : précisez la recherche.
       *[other] Et { $n } autres : précisez la recherche.
    }
text-overlap = { $title } a lieu en même temps que { $others }
text-gone =
    { $n ->
        [one] { $n } session choisie n’est plus au programme.
       *[other] { $n } sessions choisies ne sont plus au programme.
    }
text-empty = Pas encore de sessions.

## Problems

problem-missing-title = Page introuvable
problem-missing = Il n’y a rien à cette adresse. Vérifiez qu’elle ne contient pas de faute de frappe.
problem-gone-title = N’est plus disponible
problem-gone = Ce programme n’est plus partagé. Supprimez l’abonnement ou demandez un nouveau lien.
problem-used-up = Ce lien fonctionne une seule fois, pendant dix minutes. Créez-en un nouveau sur l’appareil qui a le programme.
problem-no-preview = Cet aperçu n’est plus disponible ; rien n’a été publié. Prévisualisez de nouveau le programme.
problem-other-site-title = Non autorisé
problem-other-site = Ceci a été envoyé depuis un autre site. Ouvrez la page ici et réessayez.
problem-busy-title = Veuillez réessayer dans un instant
problem-busy = Le serveur est occupé. Réessayez dans un instant.
problem-too-often-title = Trop de requêtes
problem-too-often =
    { $wait ->
        [one] C’était trop souvent. Réessayez dans { $wait } seconde.
       *[other] C’était trop souvent. Réessayez dans { $wait } secondes.
    }
problem-too-large-title = Trop volumineux
problem-too-large = C’est trop volumineux. Choisissez un fichier plus petit ou moins de sessions.
problem-file-title = Ce fichier n’a pas pu être lu
problem-file = Choisissez un fichier de calendrier (.ics) ou une liste JSON exportés ici ou depuis un autre outil.
problem-key-title = Non connecté
problem-key = La clé de ce navigateur n’ouvre plus le programme personnel.
problem-changed-title = Modifié entre-temps
problem-changed = Ceci a été modifié entre-temps. Rechargez la page, puis refaites votre modification.
problem-full-title = Limite atteinte
problem-full = Votre programme personnel est plein. Retirez d’abord quelque chose.
problem-request-title = Cela n’a pas fonctionné
problem-request = L’adresse ou le formulaire contient quelque chose que le serveur ne comprend pas.
problem-server-title = Une erreur s’est produite
problem-server = Le serveur a rencontré une erreur. Veuillez réessayer plus tard.

## Sources and results of publications

origin-first = premier démarrage
origin-file = fichier du programme
origin-upload = envoi
origin-rollback = version { $n }, republiée
origin-config = configuration modifiée
origin-upgrade = nouveau Callboard
origin-restored = sauvegarde restaurée
origin-scheduled = planification
origin-source = source suivie
attempt-published = publié comme version { $n }
attempt-unchanged = aucun changement par rapport à la version { $n }
attempt-refused =
    { $n ->
        [one] refusé : { $n } erreur
       *[other] refusé : { $n } erreurs
    }
attempt-held = retenu : { $reasons }
attempt-failed = échec : { $reason }

## Why a release is held; each completes "retenue : …"

hold-touches =
    { $of ->
        [one] elle supprime, déplace ou renomme { $touched } session sur { $of } ({ $percent } %)
       *[other] elle supprime, déplace ou renomme { $touched } des { $of } sessions ({ $percent } %)
    }
hold-zone-or-dates = elle change le fuseau horaire ou les dates de la conférence
hold-lacks-rows =
    { $n ->
        [one] il manque au fichier exactement la dernière ligne du programme en ligne, comme s’il était tronqué
       *[other] il manque au fichier exactement les { $n } dernières lignes du programme en ligne, comme s’il était tronqué
    }
hold-ends-within = le fichier s’arrête au milieu de la ligne de { $session }
hold-sheet-lacks-rows =
    { $n ->
        [one] il manque au tableau exactement sa dernière ligne, comme s’il était tronqué
       *[other] il manque au tableau exactement ses { $n } dernières lignes, comme s’il était tronqué
    }
hold-sheet-lacks-line-break = le tableau ne se termine plus par un saut de ligne, comme s’il était tronqué
hold-sheet-ends-within-row = le tableau s’arrête au milieu de sa dernière ligne
hold-when-due = elle a été retenue à l’heure prévue
hold-overwrites-one = la version { $first } a été publiée après sa planification, et elle en annulerait les changements de { $sessions }
hold-overwrites = les versions { $first } à { $last } ont été publiées après sa planification, et elle en annulerait les changements de { $sessions }
hold-more =
    { $n ->
        [one] { $n } autre
       *[other] { $n } autres
    }

## Messages to browsers

push-overlap = Elle chevauche maintenant « { $title } ».
push-several =
    { $n ->
        [one] { $n } de vos sessions a changé
       *[other] { $n } de vos sessions ont changé
    }
push-more =
    { $n ->
        [one] … et { $n } autre
       *[other] … et { $n } autres
    }

reminder = Commence à { $time }.
reminder-in-room = Commence à { $time }, { $room }.
reminder-several =
    { $n ->
        [one] { $n } de vos sessions commence à { $time }
       *[other] { $n } de vos sessions commencent à { $time }
    }

notify-me = M’avertir des changements
notify-text = Cet appareil reçoit un message quand une de vos sessions est déplacée, annulée ou finalement maintenue, et rien d’autre sauf si vous activez les rappels.
notify-on = Cet appareil est averti des changements.
notify-reminders = Me rappeler aussi chaque session 10 minutes avant
notify-stop = Arrêter
notify-denied = Votre navigateur bloque les notifications de ce site. Autorisez-les dans les réglages du navigateur pour ce site, puis rechargez la page.
notify-unsupported = Ce navigateur ne peut pas afficher de notifications de sites web. Ouvrez cette page dans un autre navigateur pour être averti des changements.
notify-ios = Pour être averti sur un iPhone ou un iPad, ajoutez cette page à l’écran d’accueil (Partager, puis Sur l’écran d’accueil) et ouvrez-la de là.
notify-full = Dix appareils sont déjà avertis. Retirez-en un dans les réglages ci-dessous.
notify-failed = Cela n’a pas fonctionné. Réessayez plus tard.
devices = Appareils avertis
devices-text = Ces appareils reçoivent un message quand une de vos sessions est déplacée, annulée ou finalement maintenue.
device-unnamed = Appareil sans nom
device-remove = Retirer
done-device-removed = L’appareil ne reçoit plus de messages.

## Invitations de calendrier par e-mail

mail-confirm-subject = Confirmez vos invitations de calendrier : { $title }
mail-confirm-text = Quelqu’un, sans doute vous, a demandé à recevoir à cette adresse les sessions d’un programme pour { $title } sous forme d’invitations de calendrier. Pour les recevoir, ouvrez ce lien dans les 48 heures et appuyez sur le bouton :
mail-confirm-ignore = Si ce n’était pas vous, ignorez cet e-mail. Votre adresse n’a pas été enregistrée et vous ne recevrez rien d’autre.
mail-invitation = Invitation : { $title }
mail-update = Modification : { $title }
mail-cancellation = Annulation : { $title }
mail-first = Appuyez une fois sur « Oui » dans cette invitation. Votre calendrier connaît alors l’expéditeur ; il ajoute et modifie de lui-même toutes les autres sessions de votre programme.
mail-cancelled-text = Cette session a été annulée, ou vous l’avez retirée de votre programme. Votre calendrier la retire aussi.
mail-reason = Vous recevez cet e-mail parce que vous avez demandé les sessions de votre programme pour { $title }.
mail-end-here = Arrêter les invitations :
mail-heading = Invitations de calendrier par e-mail
mail-text = Vos sessions arrivent dans votre calendrier sous forme d’invitations, et les changements suivent en moins d’une minute. Cela convient à Google Agenda et à Outlook, qui ne consultent les calendriers abonnés que toutes les quelques heures.
mail-either = Utilisez soit ces invitations, soit un calendrier abonné. Avec les deux, votre calendrier affiche chaque session deux fois.
mail-already = Vos sessions arrivent déjà par e-mail. Si vous vous abonnez aussi à ce calendrier, la même application d’agenda affichera chaque session deux fois.
mail-address = Adresse e-mail
mail-ask = M’envoyer un e-mail de confirmation
mail-asked = Un e-mail est en route vers cette adresse, sauf si elle en a reçu un depuis moins d’un jour. Ouvrez le lien qu’il contient et appuyez sur le bouton.
mail-addresses = Les invitations vont à :
mail-removed = Plus aucune invitation n’est envoyée à cette adresse.
mail-key = Les invitations de calendrier par e-mail prennent fin aussi.
mail-confirm = Invitations de calendrier
mail-confirm-page = Les sessions de votre programme arriveront à { $address } sous forme d’invitations de calendrier. Utilisez soit ces invitations, soit un calendrier abonné. Avec les deux, votre calendrier affiche chaque session deux fois.
mail-confirm-button = Recevoir les invitations
mail-confirmed = La première invitation est en route. Appuyez-y une fois sur « Oui ».
mail-end = Arrêter les invitations de calendrier
mail-end-page = Vous ne recevrez plus d’invitations pour ce programme. Les sessions déjà dans votre calendrier y restent, mais ne changent plus.
mail-end-button = Arrêter les invitations
mail-ended = Vous ne recevez plus d’invitations. Les sessions déjà dans votre calendrier y restent, mais ne changent plus.
mail-link-over = Ce lien ne fonctionne plus. Saisissez à nouveau votre adresse e-mail sur la page de votre programme.
