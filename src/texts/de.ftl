# Die Texte von Callboard auf Deutsch. Anrede: Sie, wo eine nötig ist; Schaltflächen im Infinitiv.

## Days and times

monday = Montag
tuesday = Dienstag
wednesday = Mittwoch
thursday = Donnerstag
friday = Freitag
saturday = Samstag
sunday = Sonntag
monday-short = Mo.
tuesday-short = Di.
wednesday-short = Mi.
thursday-short = Do.
friday-short = Fr.
saturday-short = Sa.
sunday-short = So.
january = Januar
february = Februar
march = März
april = April
may = Mai
june = Juni
july = Juli
august = August
september = September
october = Oktober
november = November
december = Dezember
january-short = Jan.
february-short = Feb.
march-short = März
april-short = Apr.
may-short = Mai
june-short = Juni
july-short = Juli
august-short = Aug.
september-short = Sept.
october-short = Okt.
november-short = Nov.
december-short = Dez.
day-long = { $weekday }, { $day }. { $month }
day-medium = { $weekday }, { $day }. { $month }
day-short = { $weekday }, { $day }.
month-day = { $day }. { $month }
date = { $day }. { $month } { $year }
date-range = { $day }.–{ $last }. { $month } { $year }
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
        [one] { $n } Minute
       *[other] { $n } Minuten
    }
hours =
    { $n ->
        [one] { $n } Stunde
       *[other] { $n } Stunden
    }
days =
    { $n ->
        [one] { $n } Tag
       *[other] { $n } Tage
    }
list-two = { $first } und { $last }
list-comma = { ", " }
list-end = { $first } und { $last }
list-more = { $first } und { $n } weitere
quoted = „{ $text }“

times-are = Alle Zeiten sind Ortszeit ({ $zone }).
my-zone = In meiner Zeitzone anzeigen
venue-zone = In Ortszeit anzeigen
your-times = Alle Zeiten sind in Ihrer Zeitzone ({ $zone }).
venue-date = Datum am Veranstaltungsort
now = Jetzt
next = Als Nächstes
to-now = Jetzt
to-next = Als Nächstes
unfold = Einblenden
fold = Ausblenden
pitch = Merken Sie die Sessions vor, die Sie besuchen möchten. Sie erscheinen in Ihrem Kalender und bleiben dort aktuell.
over = Diese Konferenz ist vorbei.
map = Karte

## Kinds

talk = Vortrag
plenary = Plenum
lightning = Lightning Talks
panel = Podiumsdiskussion
workshop = Workshop
discussion = Diskussion
remarks = Ansprache
pause = Pause
meal = Mahlzeit
social = Rahmenprogramm

## Every page

skip = Zum Inhalt springen
main-navigation = Hauptnavigation
program = Programm
changes = Änderungen
subscribe = Abonnieren
my-agenda = Meine Agenda
release-is = Version { $n }, veröffentlicht am { $at }.
api = API
all-speakers = Vortragende
all-tracks = Tracks
all-rooms = Räume
open-in-own-window = Programm in eigenem Fenster öffnen
to-the-program = Zurück zum Programm

## Program

days-navigation = Tage
filter = Filter
all = Alle
search = Suchen
search-hint = Sessions, Vortragende, Räume suchen
apply = Anwenden
clear = Filter aufheben
clear-search = Suche aufheben
day-label = Tag
kind-label = Art
track = Track
room = Raum
speaker = Vortragende
topic = Thema
sessions =
    { $n ->
        [one] { $n } Session
       *[other] { $n } Sessions
    }
shown =
    { $of ->
        [one] { $n } von { $of } Session.
       *[other] { $n } von { $of } Sessions.
    }
results-for =
    { $n ->
        [one] { $n } Treffer für „{ $text }“
       *[other] { $n } Treffer für „{ $text }“
    }
similar-results-for =
    { $n ->
        [one] Kein genauer Treffer für „{ $text }“. { $n } ähnliches Ergebnis:
       *[other] Kein genauer Treffer für „{ $text }“. { $n } ähnliche Ergebnisse:
    }
nothing-found = Keine passenden Sessions. Vielleicht hilft es, einen Filter aufzuheben.
nothing-found-for = Keine Treffer für „{ $text }“.
subscribe-to-all = Das ganze Programm abonnieren
subscribe-to-these =
    { $n ->
        [one] Diese Session abonnieren
       *[other] Diese { $n } Sessions abonnieren
    }
no-feed-for-text = Eine Suche lässt sich nicht abonnieren. Merken Sie die Sessions stattdessen für Ihre Agenda vor.
announced = Demnächst
announced-track = Noch keine Sessions. Mit einem Abo erscheinen sie im Kalender, sobald sie feststehen.
about-program = Das Programm von { $title }: alle Sessions, mit Kalendern zum Abonnieren.
my-sessions = Meine Sessions
as-grid = Raster
as-list = Liste
time = Zeit
other-sessions = Sonstiges
none-mine = Sie haben noch keine Sessions vorgemerkt.
show-mine = Zeigen, welche Sessions ich vorgemerkt habe

## Sessions

pick = Vormerken
picked = Vorgemerkt
unpick = Entfernen
cancelled = Abgesagt
cancelled-long = Diese Session wurde abgesagt.
tentative = Vorläufig
tentative-long = Vorläufig: Einzelheiten können sich noch ändern.
moved-from = Verlegt, ursprünglich: { $place }
calendar-file = In den Kalender (.ics)
organizers-page = Seite der Veranstalter
speakers = Vortragende
session-language = Sprache: { $tag }
topics = Themen:
give-feedback = Feedback geben
not-recorded = Diese Session wird nicht aufgezeichnet.
at-the-same-time = Zur selben Zeit
previous-in-track = Davor in { $name }
next-in-track = Danach in { $name }
part-of = { $name } bei { $title }
subscribe-to = { $name } abonnieren
no-longer-speaking = Diese Person hat derzeit keine Sessions im Programm.
nothing-here = Hier sind derzeit keine Sessions.
previous-page = Frühere Sessions
next-page = Spätere Sessions
pages = Seiten
share = Teilen

## Texts of scripts

refused = Nicht gespeichert: { $why }
queued = Sie sind offline. Wir speichern das, sobald Sie wieder online sind.
waiting = Noch nicht gespeichert
settled = Wieder online: Ihre Auswahl ist gespeichert.
unsettled = Nicht alles konnte gespeichert werden: { $titles }.
new-release = Das Programm wurde aktualisiert.
reload = Neu laden
offline-since = Sie sind offline. Diese Seite ist { $ago } alt.
copied = Kopiert.
copy-failed = Kopieren hat nicht geklappt. Der Link ist markiert: Drücken Sie Strg+C.
overlaps = „{ $title }“ überschneidet sich mit „{ $other }“.
keep-both = Beide behalten
replace = „{ $other }“ ersetzen
replaced = Ersetzt.
offline = Sie sind offline
offline-text = Diese Seite ist offline nicht verfügbar.

## My agenda

agenda-none = Sie haben noch keine Agenda
agenda-none-text = Merken Sie im Programm Sessions vor, um Ihre Agenda zu beginnen. Ein Konto ist nicht nötig; sie wird in diesem Browser gespeichert.
agenda-none-elsewhere = Sie haben eine auf einem anderen Gerät? Öffnen Sie sie dort und wählen Sie „Auf ein anderes Gerät übertragen“.
agenda-signed-out = Dieser Browser wurde auf einem anderen Gerät abgemeldet, oder die Agenda wurde dort gelöscht. Die nächste vorgemerkte Session beginnt eine neue Agenda.
agenda-deleted = Ihre Agenda wurde gelöscht.
agenda-empty = Noch keine Sessions.
overlaps-with = Überschneidet sich mit { $other }.
and-more = und { $n } weitere
first-shown =
    { $n ->
        [one] Nur die erste ist aufgeführt: Grenzen Sie die Suche ein.
       *[other] Nur die ersten { $n } sind aufgeführt: Grenzen Sie die Suche ein.
    }
keep-this = Diese behalten
overlap-count =
    { $n ->
        [one] { $n } Ihrer Sessions überschneidet sich.
        [2] Zwei Ihrer Sessions überschneiden sich.
       *[other] { $n } Ihrer Sessions überschneiden sich.
    }
free-range = Frei { $range }
free-then = Frei { $range }, dann { $what } bis { $until }
changed = Geändert
changed-since = Geändert seit Ihrem letzten Besuch
gone = Nicht mehr im Programm
forget = Entfernen
add-to-calendar = In den Kalender
settings = Einstellungen
my-links = Links zu dieser Agenda
my-links-text = Wer diesen Link hat, kann Ihre Agenda ansehen und abonnieren, aber nicht ändern.
link-label = Bezeichnung (optional)
new-link = Weiteren Link erstellen
revoke = Link abschalten
revoke-text = Wer ihn benutzt, sieht dann, dass die Agenda nicht mehr geteilt wird.
link-hidden = Dieser Link funktioniert weiter, kann aber nicht noch einmal angezeigt werden.
link-untitled = Link { $n }
fresh-link = Mein Google-Kalender hinkt hinterher: frischer Link
fresh-link-text = Google ruft einen Kalender nur alle 8 bis 24 Stunden ab, einen neuen Link aber sofort. Erstellen Sie einen, fügen Sie ihn in Google Kalender hinzu und löschen Sie dort den alten Kalender, sonst steht alles doppelt da.
fresh-link-make = Frischen Link erstellen
show-page = Öffnen
qr = QR-Code
copy = Kopieren
address = Adresse
agenda-name = Name Ihrer Agenda
rename = Umbenennen
other-device = Auf ein anderes Gerät übertragen
other-device-text = Erstellen Sie einen Link, der diese Agenda auf einem anderen Gerät zum Bearbeiten öffnet. Er funktioniert einmal und läuft nach 10 Minuten ab.
make-hand-over = Link erstellen
hand-over-ready = Öffnen Sie diesen Link auf dem anderen Gerät; er gilt noch { $minutes }. Er funktioniert einmal.
new-key = Gerät verloren?
new-key-text = Meldet alle anderen Geräte ab. Geteilte Links funktionieren weiter.
make-key = Andere Geräte abmelden
delete = Alles löschen
delete-text = Auswahl, Links und Schlüssel werden sofort gelöscht. Abonnierte Kalender zeigen, dass die Agenda nicht mehr geteilt wird.
delete-sure = Ja, meine Agenda löschen
print = Drucken
fetched = { $client } ist aktuell; der letzte Abruf ist { $ago } her.
fetched-behind =
    { $n ->
        [one] Der letzte Abruf durch { $client } ist { $ago } her; { $n } Änderung ist dort noch nicht angekommen.
       *[other] Der letzte Abruf durch { $client } ist { $ago } her; { $n } Änderungen sind dort noch nicht angekommen.
    }
not-fetched = Noch kein Kalender hat diesen Link abonniert.
done-picked = Zur Agenda hinzugefügt.
done-removed = Aus der Agenda entfernt.
undo = Rückgängig machen
done-kept = Überschneidung aufgelöst.
done-renamed = Ihre Agenda hat einen neuen Namen.
done-linked = Der neue Link ist fertig.
done-fresh = Der frische Link ist der letzte in dieser Liste. Fügen Sie ihn in Google Kalender hinzu und löschen Sie dort den alten Kalender.
done-revoked = Der Link ist abgeschaltet.
done-arrived = Ihre Agenda ist jetzt auch in diesem Browser.
done-key = Alle anderen Geräte sind abgemeldet.

## Suggested day

suggest = Meinen Tag vorschlagen
suggest-this-day = Diesen Tag vorschlagen
plan-text = Diese Sessions überschneiden sich nicht und lassen Zeit für die Wege zwischen den Räumen. Ihre Agenda bleibt, wie sie ist, bis Sie einen Knopf drücken.
plan-counts =
    { $of ->
        [one] { $n } von { $of } Session passt.
       *[other] { $n } von { $of } Sessions passen zusammen.
    }
plan-all-fit = Alle Ihre Sessions passen zusammen.
plan-inexact = Zu viele Ihrer Vorträge finden mehrmals statt, um jede Kombination zu vergleichen. Vielleicht gibt es eine bessere Auswahl.
plan-all-days = Alle Tage
plan-left-out = Ausgelassen
plan-remove =
    { $n ->
        [one] Die ausgelassene Session entfernen
       *[other] Die { $n } ausgelassenen Sessions entfernen
    }
plan-keep-all = Alles behalten
plan-attend-instead =
    { $n ->
        [one] Stattdessen besuchen, die andere entfernen
       *[other] Stattdessen besuchen, die { $n } anderen entfernen
    }
plan-again = Noch einmal zu einer Zeit, die passt:
plan-instead = Zur selben Zeit, und es passt:
left-busy = Da haben Sie keine Zeit.
left-busy-with = Da haben Sie keine Zeit: { $label }.
left-repeat = Diesen Vortrag sehen Sie am { $at }.
left-for = Dafür müssten Sie { $others } auslassen.
cost = Sie sähen { $parts }.
cost-nothing = Der Tausch ist gleichwertig.
cost-comes = Dann könnten Sie auch { $others } besuchen.
fewer-musts =
    { $n ->
        [one] 1 Session weniger, die Sie sehen müssen
       *[other] { $n } Sessions weniger, die Sie sehen müssen
    }
fewer-wants =
    { $n ->
        [one] 1 Session weniger, die Sie sehen möchten
       *[other] { $n } Sessions weniger, die Sie sehen möchten
    }
fewer-maybes =
    { $n ->
        [one] 1 Vielleicht weniger
       *[other] { $n } Vielleicht weniger
    }
more-wants =
    { $n ->
        [one] 1 Session mehr, die Sie sehen möchten
       *[other] { $n } Sessions mehr, die Sie sehen möchten
    }
more-maybes =
    { $n ->
        [one] 1 Vielleicht mehr
       *[other] { $n } Vielleicht mehr
    }
walk = Fußweg: { $length }
next-in = Danach in { $room }:
rank-must = Muss ich sehen
rank-want = Möchte ich sehen
rank-maybe = Vielleicht
busy = Keine Zeit
busy-heading = Wann Sie keine Zeit haben
busy-text = Vorschläge halten diese Zeiten frei. Nur Sie sehen sie.
busy-from = Von
busy-to = Bis
busy-label = Notiz (freiwillig)
busy-add = Hinzufügen
busy-wrong = Nicht hinzugefügt: Das Ende muss nach dem Beginn liegen.
busy-upload = Zeiten aus einer Kalenderdatei lesen
busy-upload-text = Wählen Sie eine Kalenderdatei (.ics). Wir speichern nur die Zeiten, nicht die Titel. Ganztägige und wiederholte Termine werden nicht gelesen.
busy-read = Zeiten hinzufügen
busy-skipped =
    { $n ->
        [one] 1 ganztägiger oder wiederholter Termin wurde nicht gelesen. Tragen Sie seine Zeit unten ein.
       *[other] { $n } ganztägige oder wiederholte Termine wurden nicht gelesen. Tragen Sie ihre Zeiten unten ein.
    }
done-planned = Entfernt. Ihre Sessions passen jetzt zusammen.
done-ranked = Gespeichert.
done-busy-added = Zeit hinzugefügt.
done-busy-removed = Zeit entfernt.
done-busy-read =
    { $n ->
        [0] Keine Termine an den Tagen der Konferenz gefunden.
        [one] 1 Zeit hinzugefügt.
       *[other] { $n } Zeiten hinzugefügt.
    }

## Import and export

import = Sessions importieren
import-text = Wählen Sie eine Kalenderdatei (.ics) mit Ihren Sessions, von hier oder aus einem anderen Programm, oder eine JSON-Liste ihrer Kennungen. Sie sehen die Sessions, bevor etwas hinzugefügt wird.
import-file = Datei
import-look = Vorschau zeigen
import-new = Gefunden
import-nothing = Es gibt keine neuen Sessions zum Hinzufügen.
import-take =
    { $n ->
        [one] Diese Session hinzufügen
       *[other] Diese { $n } Sessions hinzufügen
    }
import-full = Zusammen mit Ihrer Auswahl wären das { $n }; eine Agenda fasst { $most }. Merken Sie einige davon im Programm vor.
import-held = Schon in Ihrer Agenda
import-unknown = Nicht in diesem Programm
import-ambiguous = Mehrere Sessions passen
carry = Agenda exportieren
carry-text = Laden Sie Ihre Agenda herunter oder teilen Sie eine Kopie als Link. Spätere Änderungen sind nicht enthalten.
carry-calendar = Kalenderdatei (.ics)
carry-list = Liste (JSON)

## Hand-over

hand-over = Agenda hier öffnen
hand-over-text = Dieser Link überträgt eine Agenda auf dieses Gerät, damit Sie sie hier bearbeiten können. Er funktioniert einmal.
hand-over-replaces = Das ersetzt die Agenda in diesem Browser.
hand-over-button = Auf diesem Gerät öffnen

## Shared agenda

shared-agenda = Geteilte Agenda
shared-text = Nur zum Ansehen. Änderungen der Person, der die Agenda gehört, erscheinen hier.
pick-all = Alle in meine Agenda übernehmen
both = Auch in meiner Agenda
only-mine = Nur in meiner Agenda
in-common = { $n } von { $of } sind auch in Ihrer Agenda.

## Team

team = Wer geht wohin
team-make = Im Team planen
team-text = Fügen Sie die Agenda-Links Ihres Teams ein, einen pro Zeile (bis zu 20), und sehen Sie, wer wohin geht und wo noch niemand ist.
team-read-only = Nur zum Ansehen. Wer seinen Link abschaltet, verschwindet von dieser Seite und aus ihrem Kalender.
team-links = Agenda-Links
team-button = Team zeigen
team-nobody = Niemand
team-gone = nicht mehr geteilt
team-members = Mitglieder
team-line = Zeile { $n } ist kein Agenda-Link dieser Konferenz.
team-none = Fügen Sie mindestens einen Link ein.
team-many = Ein Team hat höchstens 20 Links.
team-empty = Noch niemand hat etwas vorgemerkt.

## Subscribe

subscribe-heading = { $name } abonnieren
subscribe-text = Ihr Kalender bleibt von selbst aktuell.
apple = Apple Kalender
apple-how = iPhone, iPad und Mac. Öffnet eine Abfrage zum Abonnieren.
apple-button = In Apple Kalender öffnen
apple-delay = Aktualisiert so oft, wie Sie es einstellen. Stellen Sie „Automatisch aktualisieren“ auf stündlich.
google = Google Kalender
google-how = Am Computer hinzugefügt, erscheint er auch auf dem Telefon. Die Android-App kann keine Kalender per Link hinzufügen.
google-button = In Google Kalender öffnen
google-delay = Aktualisiert alle 8 bis 24 Stunden; das bestimmt Google. Abgesagte Sessions bleiben stehen, im Titel gekennzeichnet.
google-too-large = Dieser Kalender ist größer als die 1 MB, die Google liest. Füge stattdessen einen Track oder einen Tag hinzu:
outlook = Outlook.com
outlook-how = Persönliche Konten, im Browser.
outlook-button = In Outlook.com öffnen
outlook-work = Microsoft 365
outlook-work-how = Geschäfts-, Schul- oder Unikonten, im Browser.
outlook-work-button = In Microsoft 365 öffnen
outlook-delay = Aktualisiert meist nach einigen Stunden, manchmal nach einem Tag.
thunderbird = Thunderbird
thunderbird-how = Datei › Neu › Kalender › Im Netzwerk, dann die Adresse einfügen.
thunderbird-delay = Aktualisiert alle 30 Minuten oder wie eingestellt.
icsx5 = ICSx⁵ (Android)
icsx5-how = Öffnet die App, die die Sessions in jeden Android-Kalender bringt.
icsx5-button = In ICSx⁵ öffnen
icsx5-delay = Aktualisiert wie eingestellt, frühestens alle 15 Minuten.
giggity = Giggity (Android)
giggity-how = In der App: Programm hinzufügen, dann die Adresse einfügen oder scannen.
giggity-button = In Giggity öffnen
giggity-delay = Aktualisiert beim Öffnen, spätestens nach einem Tag.
any-calendar = Jeder andere Kalender
any-how = Fügen Sie diese Adresse dort ein, wo Ihr Kalender einen „per URL“ oder „aus dem Internet“ hinzufügt, oder scannen Sie sie.
other-apps = Andere Apps
options = Optionen
caldav = Kalenderkonto (CalDAV)
caldav-how = Fügen Sie ein CalDAV-Konto mit dieser Adresse hinzu. Lassen Sie Benutzername und Passwort leer.
caldav-agenda-how = Fügen Sie ein CalDAV-Konto mit dieser Adresse hinzu. Das Passwort ist der Link zu dieser Agenda; der Benutzername ist beliebig.
caldav-delay = Aktualisiert sich alle paar Minuten.
kde = KDE (Merkuro, KOrganizer)
kde-how = Fügen Sie eine „DAV-Groupware-Ressource“ hinzu, richten Sie sie von Hand ein und fügen Sie die Adresse ein. Lassen Sie Benutzername und Passwort leer.
vdirsyncer = vdirsyncer und khal
vdirsyncer-how = Fügen Sie der Konfiguration einen Speicher vom Typ „http“ mit dieser Adresse hinzu, als schreibgeschützte Seite eines Paares.
alarm = Erinnerung
alarm-none = Keine
alarm-before = { $minutes } vorher
download = .ics herunterladen
download-text = (ein Stand, der sich nicht aktualisiert)

## Changes

changes-text = Änderungen am Programm, die neuesten zuerst.
no-changes = Seit der ersten Veröffentlichung des Programms hat sich nichts geändert.
first-release = Das Programm wurde veröffentlicht.
release-heading = Version { $n }
added = Neu
moved = Verlegt
edited = Bearbeitet
restored = Findet doch statt
withdrawn = Zurückgezogen
title-changed = Titel geändert, vorher „{ $before }“
follow-changes = Im Feedreader verfolgen

## Organizer

organizer = Organisation
sign-in = Anmelden
sign-in-text = Geben Sie den Schlüssel der Organisation ein. Er bleibt in diesem Browser gespeichert, bis Sie sich abmelden.
sign-in-wrong = Falscher Schlüssel. Versuchen Sie es noch einmal.
secret = Schlüssel der Organisation
sign-out = Abmelden
last-attempt = Letzter Versuch
held = Eine Version wartet auf Ihre Bestätigung
held-since = Quelle: { $origin }, { $at }.
held-more =
    { $n ->
        [one] { $n } weitere Änderung steht in der Vorschau.
       *[other] { $n } weitere Änderungen stehen in der Vorschau.
    }
discard = Verwerfen
stale-file = Die Programmdatei { $file } weicht von der veröffentlichten Version ab und wird nicht beachtet, bis sie mit anderem Inhalt gespeichert wird.
superseded = Nichts wurde veröffentlicht: Version { $n } wurde nach Ihrer Vorschau veröffentlicht, am { $at }. Hier sind die Änderungen gegenüber dieser Version.
takes-back = Die Veröffentlichung nimmt zurück, was Version { $n } geändert hat
preview-again = Korrigierte Datei auswählen
upload = Programm veröffentlichen
upload-text = Wählen Sie eine CSV-Datei. Sie sehen die Änderungen, bevor etwas veröffentlicht wird.
file = Datei
preview = Vorschau
preview-nothing = Es würde sich nichts ändern.
preview-errors =
    { $n ->
        [one] Kann nicht veröffentlicht werden: { $n } Fehler.
       *[other] Kann nicht veröffentlicht werden: { $n } Fehler.
    }
preview-changes =
    { $n ->
        [one] { $n } Änderung
       *[other] { $n } Änderungen
    }
impact =
    { $n ->
        [0] Betrifft keine persönliche Agenda.
        [one] Betrifft { $n } persönliche Agenda; { $overlaps }.
       *[other] Betrifft { $n } persönliche Agenden; { $overlaps }.
    }
impact-overlaps =
    { $n ->
        [0] keine neuen Überschneidungen
        [one] { $n } bekommt eine neue Überschneidung
       *[other] { $n } bekommen eine neue Überschneidung
    }
most-hit = Meistvorgemerkte betroffene Sessions
in-agendas =
    { $n ->
        [one] in { $n } Agenda
       *[other] in { $n } Agenden
    }
confirm = Veröffentlichen
confirm-held = Trotzdem veröffentlichen
releases = Versionen
release-column = Version
published-column = Veröffentlicht
origin-column = Quelle
who-column = Von
roll-back = Wiederherstellen
live = live
csv = program.csv
error = Fehler
warning = Warnung
sign-in-expired = Sie waren abgemeldet, daher wurde nichts ausgeführt. Melden Sie sich an und versuchen Sie es noch einmal.
signed-out = Sie sind abgemeldet.
to-the-desk = Zurück zur Seite der Organisation
live-release = Veröffentlichte Version
download-live = Veröffentlichtes Programm herunterladen
attempt = { $at }, { $source }: { $outcome }.
stale = Die Programmdatei wird nicht beachtet
stale-keep = Um mit dem veröffentlichten Programm weiterzuarbeiten, ersetzen Sie die Datei:
stale-replace = Um stattdessen die Datei zu veröffentlichen, wählen Sie sie unter „Programm veröffentlichen“ aus.
unstored = Eine gespeicherte Programmdatei konnte nicht übernommen werden
unstored-file = Seit { $at }: { $reason }. Der Server versucht es weiter.
source-from = Aus der verfolgten Quelle { $host }
source-read = Zuletzt vollständig gelesen: { $at }.
source-unread = Seit dem Start des Servers wurde sie nicht gelesen. Läuft callboard follow?
source-discarded = Das Programm, das die Quelle jetzt hat, wurde verworfen. Es wird nicht beachtet, bis die Quelle sich ändert.
source-problem = Seit { $at }: { $reason }. Das veröffentlichte Programm bleibt.
source-conflicts = Änderungen der Quelle, die von Ihren Änderungen verdeckt werden
source-conflict = { $title }, { $fields }: Die Quelle hat { $source }; Ihr Wert bleibt: { $own }
source-deleted-row = { $title }: Die Quelle hat den Eintrag geändert; seine Zeile wurde hier gelöscht und bleibt gelöscht
source-conflicts-text = Um einen Wert der Quelle zu übernehmen, veröffentlichen Sie das Programm mit diesem Wert.
source-notes = Ausgelassen oder geschätzt
source-nothing = nichts
stopped = Auf dem Server steht etwas still
schedule = Geplant
planned = Ein Programm wird am { $at } veröffentlicht. Es wurde am { $made } geplant.
planned-by = Ein Programm wird am { $at } veröffentlicht. { $who } hat es am { $made } geplant.
unschedule = Veröffentlichung absagen
preview-source = Quelle: { $source }.
preview-summary = { $changes }: { $kinds }.
preview-breaks =
    { $n ->
        [one] { $n } Pause oder Mahlzeit
       *[other] { $n } Pausen und Mahlzeiten
    }
n-added = { $n } neu
n-moved = { $n } verlegt
n-edited = { $n } bearbeitet
n-cancelled = { $n } abgesagt
n-restored = { $n } finden doch statt
n-withdrawn = { $n } zurückgezogen
before = Vorher:
after = Nachher:
empty = (leer)
row-line = Zeile { $line } der Datei
row-gone = Nicht in der Datei; Zeile { $line } des veröffentlichten Programms
field-time = Zeit
check-first = Bitte erst prüfen
type-removed =
    { $n ->
        [one] Damit entfällt { $n } Session. Geben Sie { $n } ein, um trotzdem zu veröffentlichen:
       *[other] Damit entfallen { $n } Sessions. Geben Sie { $n } ein, um trotzdem zu veröffentlichen:
    }
type-changed =
    { $n ->
        [one] Damit ändert sich { $n } Session. Geben Sie { $n } ein, um trotzdem zu veröffentlichen:
       *[other] Damit ändern sich { $n } Sessions. Geben Sie { $n } ein, um trotzdem zu veröffentlichen:
    }
wrong-number = Nichts wurde veröffentlicht: „{ $typed }“ ist nicht die Zahl.
wrong-time = Nichts wurde geplant. Geben Sie eine künftige Zeit ein, die es am Veranstaltungsort gibt.
publish-later = Später veröffentlichen
publish-at = Datum und Uhrzeit
schedule-it = Planen
done-published = Veröffentlicht: Version { $n } ist online.
done-unchanged = Nichts wurde veröffentlicht: Das Programm gleicht Version { $n }.
done-discarded = Die Version wurde verworfen.
done-gone = Nichts wurde ausgeführt: Diese Version wartet nicht mehr.
done-scheduled = Das Programm ist geplant.
done-unscheduled = Die geplante Veröffentlichung ist abgesagt.
calendars = Wer die Änderung hat
calendars-none = In den letzten zwei Tagen wurde kein Kalender abgerufen.
calendars-text = Kalender, die in den letzten zwei Tagen abgerufen wurden. Öffentliche werden seit { $at } geschätzt: Google und Outlook rufen einmal für viele Personen ab.
calendar-column = Kalender
app-column = App
has-release = Haben Version { $n }
earlier-column = Haben eine frühere
earlier-release = { $count } (Version { $n })
release-share = In { $n } von { $of } Kalendern ({ $percent } %)
checked-column = Zuletzt abgerufen
calendar-program = Programm
calendar-track = Track
calendar-part = Raum, Tag oder Person
calendar-agenda = Agenda
outbox = Zustellungen
outbox-webhook = Webhooks
outbox-push = Push-Nachrichten
outbox-mail = E-Mails
outbox-calendars = Nachrichten an Kalenderprogramme
reach = Nachrichten zu jeder Version
channel-column = Kanal
sent-column = Gesendet
delivered-column = Angenommen
failed-column = Aufgegeben
waiting-column = Wartend
times-column = 50 · 95 · 100 %
reach-text = Die Zeiten sagen, wie lange nach der Version dieser Anteil der Nachrichten vom Empfänger oder seinem Push-Dienst angenommen war. Eine Nachricht, die eine spätere Version ersetzt hat, zählt dort.
outbox-waiting =
    { $n ->
        [one] { $n } Zustellung wartet.
       *[other] { $n } Zustellungen warten.
    }
outbox-oldest = Die älteste wartet seit { $at }.
outbox-failed =
    { $n ->
        [one] { $n } Zustellung wurde aufgegeben.
       *[other] { $n } Zustellungen wurden aufgegeben.
    }
picks-by-session = Vormerkungen je Session
picks-text = In wie vielen Agenden jede Session steht, zur Wahl der Räume. Sessions mit weniger als { $n } Vormerkungen fehlen, damit niemand zu erkennen ist.
picks-none = Noch keine Session hat { $n } Vormerkungen.
picks-column = Vormerkungen
by-picks = Nach Vormerkungen
by-time = Nach Zeit
download-csv = Als CSV herunterladen
sessions-column = Sessions
capacity-column = Plätze
too-small = zu klein
restore-release = Version { $n } wiederherstellen

## The API

api-text = Alles, was auf diesen Seiten steht, als JSON, als Kalender und in den Formaten anderer Programme.
api-document = OpenAPI-Beschreibung
api-needs = Braucht:
api-required = erforderlich
api-answers = Antworten und Beispiel

## Calendars

cancelled-prefix = { "ABGESAGT: " }
weekday-time = { $weekday } { $time }
moved-note = Hinweis: verlegt, ursprünglich { $place }
feed-day = { $weekday }, { $day }. { $month }
feed-day-short = { $weekday }, { $day }. { $month }
feed-program = Das Programm von { $title }
feed-agenda = Eine persönliche Agenda für { $title }
feed-my-agenda = { $title }: meine Agenda
feed-closed = { $title } (nicht mehr geteilt)
feed-closed-text = Diese Agenda wird nicht mehr geteilt. Sie können den Kalender entfernen.
feed-team = Team: { $names }
feed-team-about = Wer geht wohin bei { $title }
team-member = Mitglied { $n }

## Change feeds

changes-of = { $title }: Änderungen
changes-of-part = { $title }: Änderungen in { $name }
program-published = Das Programm von { $title } ist veröffentlicht
sessions-published =
    { $n ->
        [one] { $n } Session.
       *[other] { $n } Sessions.
    }
change-new-head = neu, { $place }
change-new = Neu im Programm: { $place }.
change-cancelled-head = abgesagt
change-cancelled = Abgesagt. Geplant war: { $place }.
change-restored-head = findet doch statt, { $place }
change-restored = Findet doch statt: { $place }.
change-moved-head = verlegt auf { $to }
change-moved = Von { $from } auf { $to } verlegt.
change-end-head = endet um { $end }
change-shorter =
    { $n ->
        [one] Endet um { $end }, { $n } Minute kürzer.
       *[other] Endet um { $end }, { $n } Minuten kürzer.
    }
change-longer =
    { $n ->
        [one] Endet um { $end }, { $n } Minute länger.
       *[other] Endet um { $end }, { $n } Minuten länger.
    }
change-in-head = jetzt in { $to }
change-no-track-head = jetzt ohne Track
change-no-room-head = jetzt ohne Raum
change-track = Track geändert von { $from } zu { $to }.
change-track-new = Track: { $to }.
change-track-gone = Der Track { $from } gilt nicht mehr.
change-room = Raum geändert von { $from } zu { $to }.
change-room-new = Raum: { $to }.
change-room-gone = Der Raum { $from } gilt nicht mehr.
change-title-head = neuer Titel
change-title = Neuer Titel: { $to } (vorher: { $from }).
change-speakers-head = andere Vortragende
change-speakers = Vortragende: { $speakers }.
change-no-speakers = Vortragende sind derzeit nicht genannt.
change-status-head = jetzt { $status }
change-status = Ist jetzt { $status }.
status-confirmed = bestätigt
status-tentative = vorläufig
status-cancelled = abgesagt
status-withdrawn = zurückgezogen
change-fields-head = geändert: { $fields }
change-fields = Bearbeitet: { $fields }.
change-updated-head = aktualisiert
change-updated = Aktualisiert.

## Fields of a session

field-id = Kennung
field-date = Datum
field-start = Beginn
field-end = Ende
field-end-date = Enddatum
field-kind = Art
field-title = Titel
field-track = Track
field-block = Block
field-room = Raum
field-speakers = Vortragende
field-abstract = Beschreibung
field-bios = Kurzbiografien
field-url = Webseite
field-links = Links
field-language = Sprache
field-tags = Themen
field-image = Bild
field-feedback-url = Feedback-Adresse
field-recording = Aufzeichnung
field-guid = Kennung in der Quelle
field-status = Status

## The program as plain text

day-year = { $weekday }, { $day }. { $month } { $year }
text-release = Version { $n }; alle Zeiten sind { $zone }.
text-more = Und { $n } weitere: Grenzen Sie die Suche ein.
text-overlap = { $title } findet zur selben Zeit statt wie { $others }
text-gone =
    { $n ->
        [one] { $n } vorgemerkte Session ist nicht mehr im Programm.
       *[other] { $n } vorgemerkte Sessions sind nicht mehr im Programm.
    }
text-empty = Noch keine Sessions.

## Problems

problem-missing-title = Seite nicht gefunden
problem-missing = Unter dieser Adresse gibt es nichts. Bitte prüfen Sie sie auf Tippfehler.
problem-gone-title = Nicht mehr verfügbar
problem-gone = Diese Agenda wird nicht mehr geteilt. Entfernen Sie das Abo oder fragen Sie nach einem neuen Link.
problem-used-up = Dieser Link funktioniert einmal und zehn Minuten lang. Erstellen Sie einen neuen auf dem Gerät, das die Agenda hat.
problem-no-preview = Diese Vorschau ist nicht mehr verfügbar, deshalb wurde nichts veröffentlicht. Rufen Sie die Vorschau noch einmal auf.
problem-other-site-title = Nicht erlaubt
problem-other-site = Das kam von einer anderen Website. Öffnen Sie die Seite hier und versuchen Sie es noch einmal.
problem-busy-title = Bitte gleich noch einmal versuchen
problem-busy = Der Server ist gerade ausgelastet. Versuchen Sie es gleich noch einmal.
problem-too-often-title = Zu viele Anfragen
problem-too-often =
    { $wait ->
        [one] Das war zu oft. Versuchen Sie es in { $wait } Sekunde noch einmal.
       *[other] Das war zu oft. Versuchen Sie es in { $wait } Sekunden noch einmal.
    }
problem-too-large-title = Zu groß
problem-too-large = Das ist zu groß. Wählen Sie eine kleinere Datei oder weniger Sessions.
problem-file-title = Diese Datei konnte nicht gelesen werden
problem-file = Wählen Sie eine Kalenderdatei (.ics) oder eine JSON-Liste, die hier oder von einem anderen Programm exportiert wurde.
problem-key-title = Nicht angemeldet
problem-key = Der Schlüssel dieses Browsers öffnet die Agenda nicht mehr.
problem-changed-title = Zwischenzeitlich geändert
problem-changed = Das wurde inzwischen geändert. Laden Sie die Seite neu und wiederholen Sie Ihre Änderung.
problem-full-title = Grenze erreicht
problem-full = Mehr fasst Ihre Agenda nicht. Entfernen Sie zuerst etwas.
problem-request-title = Das hat nicht geklappt
problem-request = Die Adresse oder das Formular enthält etwas, das der Server nicht versteht.
problem-server-title = Etwas ist schiefgegangen
problem-server = Dem Server ist ein Fehler unterlaufen. Bitte versuchen Sie es später noch einmal.

## Sources and results of publications

origin-first = erster Start
origin-file = Programmdatei
origin-upload = Upload
origin-rollback = Version { $n }, erneut veröffentlicht
origin-config = geänderte Konfiguration
origin-upgrade = neueres Callboard
origin-restored = wiederhergestelltes Backup
origin-scheduled = Zeitplan
origin-source = verfolgte Quelle
attempt-published = als Version { $n } veröffentlicht
attempt-unchanged = keine Änderungen gegenüber Version { $n }
attempt-refused =
    { $n ->
        [one] abgelehnt: { $n } Fehler
       *[other] abgelehnt: { $n } Fehler
    }
attempt-held = zurückgehalten: { $reasons }
attempt-failed = fehlgeschlagen: { $reason }

## Why a release is held; each completes "zurückgehalten: …"

hold-touches =
    { $of ->
        [one] sie entfernt, verlegt oder benennt { $touched } von { $of } Session um ({ $percent } %)
       *[other] sie entfernt, verlegt oder benennt { $touched } von { $of } Sessions um ({ $percent } %)
    }
hold-zone-or-dates = sie ändert die Zeitzone oder die Tage der Konferenz
hold-lacks-rows =
    { $n ->
        [one] der Datei fehlt genau die letzte Zeile des aktuellen Programms, als wäre sie abgeschnitten
       *[other] der Datei fehlen genau die letzten { $n } Zeilen des aktuellen Programms, als wäre sie abgeschnitten
    }
hold-ends-within = die Datei endet mitten in der Zeile von { $session }
hold-sheet-lacks-rows =
    { $n ->
        [one] der Tabelle fehlt genau die letzte Zeile, als wäre sie abgeschnitten
       *[other] der Tabelle fehlen genau die letzten { $n } Zeilen, als wäre sie abgeschnitten
    }
hold-sheet-lacks-line-break = die Tabelle endet nicht wie bisher mit einem Zeilenumbruch, als wäre sie abgeschnitten
hold-sheet-ends-within-row = die Tabelle endet mitten in ihrer letzten Zeile
hold-when-due = sie wurde zum geplanten Zeitpunkt zurückgehalten
hold-overwrites-one = nach der Planung wurde Version { $first } veröffentlicht, und deren Änderungen gingen verloren an { $sessions }
hold-overwrites = nach der Planung wurden die Versionen { $first } bis { $last } veröffentlicht, und deren Änderungen gingen verloren an { $sessions }
hold-more =
    { $n ->
        [one] { $n } weiteren
       *[other] { $n } weiteren
    }

## Messages to browsers

push-overlap = Überschneidet sich jetzt mit „{ $title }“.
push-several =
    { $n ->
        [one] { $n } Ihrer Sessions hat sich geändert
       *[other] { $n } Ihrer Sessions haben sich geändert
    }
push-more =
    { $n ->
        [one] … und { $n } weitere
       *[other] … und { $n } weitere
    }

reminder = Beginnt um { $time }.
reminder-in-room = Beginnt um { $time } in { $room }.
reminder-several =
    { $n ->
        [one] { $n } Ihrer Sessions beginnt um { $time }
       *[other] { $n } Ihrer Sessions beginnen um { $time }
    }

notify-me = Über Änderungen benachrichtigen
notify-text = Dieses Gerät erhält eine Nachricht, wenn eine Ihrer Sessions verlegt oder abgesagt wird oder doch stattfindet, und nichts anderes, solange Sie keine Erinnerungen einschalten.
notify-on = Dieses Gerät wird über Änderungen benachrichtigt.
notify-reminders = Auch 10 Minuten vor jeder Session erinnern
notify-stop = Beenden
notify-denied = Ihr Browser blockiert Benachrichtigungen dieser Website. Erlauben Sie sie in den Einstellungen des Browsers für diese Website und laden Sie die Seite neu.
notify-unsupported = Dieser Browser kann keine Benachrichtigungen von Websites anzeigen. Öffnen Sie diese Seite in einem anderen Browser, um über Änderungen benachrichtigt zu werden.
notify-ios = Um auf einem iPhone oder iPad benachrichtigt zu werden, fügen Sie diese Seite dem Home-Bildschirm hinzu (Teilen, dann „Zum Home-Bildschirm“) und öffnen Sie sie von dort.
notify-full = Es werden bereits zehn Geräte benachrichtigt. Entfernen Sie eines davon unten in den Einstellungen.
notify-failed = Das hat nicht funktioniert. Versuchen Sie es später noch einmal.
devices = Benachrichtigte Geräte
devices-text = Diese Geräte erhalten eine Nachricht, wenn eine Ihrer Sessions verlegt oder abgesagt wird oder doch stattfindet.
device-unnamed = Gerät ohne Namen
device-remove = Entfernen
done-device-removed = Das Gerät erhält keine Nachrichten mehr.

## Kalendereinladungen per E-Mail

mail-confirm-subject = Kalendereinladungen bestätigen: { $title }
mail-confirm-text = Jemand, vermutlich Sie, möchte die Sessions einer Agenda für { $title } als Kalendereinladungen an diese Adresse erhalten. Öffnen Sie dazu innerhalb von 48 Stunden diesen Link und drücken Sie dort auf den Knopf:
mail-confirm-ignore = Wenn Sie das nicht waren, ignorieren Sie diese E-Mail. Ihre Adresse wurde nicht gespeichert, und Sie erhalten keine weiteren E-Mails.
mail-invitation = Einladung: { $title }
mail-update = Geändert: { $title }
mail-cancellation = Abgesagt: { $title }
mail-first = Drücken Sie in dieser Einladung einmal auf „Ja“. Dann kennt Ihr Kalender den Absender und trägt alle weiteren Sessions Ihrer Agenda und deren Änderungen selbst ein.
mail-cancelled-text = Diese Session wurde abgesagt, oder Sie haben sie aus Ihrer Agenda entfernt. Ihr Kalender entfernt sie ebenfalls.
mail-reason = Sie erhalten diese E-Mail, weil Sie die Sessions Ihrer Agenda für { $title } angefordert haben.
mail-end-here = Einladungen beenden:
mail-heading = Kalendereinladungen per E-Mail
mail-text = Ihre Sessions kommen als Einladungen in Ihren Kalender, und Änderungen folgen innerhalb einer Minute. Das passt zu Google Kalender und Outlook, die abonnierte Kalender nur alle paar Stunden abrufen.
mail-either = Nutzen Sie entweder diese Einladungen oder einen abonnierten Kalender. Mit beidem zeigt Ihr Kalender jede Session doppelt.
mail-already = Ihre Sessions kommen bereits per E-Mail. Wenn Sie diesen Kalender zusätzlich abonnieren, zeigt dieselbe Kalender-App jede Session doppelt.
mail-address = E-Mail-Adresse
mail-ask = E-Mail zur Bestätigung senden
mail-asked = Eine E-Mail ist unterwegs an diese Adresse, sofern sie nicht innerhalb des letzten Tages schon eine erhielt. Öffnen Sie den Link darin und drücken Sie auf den Knopf.
mail-addresses = Einladungen gehen an:
mail-removed = An diese Adresse werden keine Einladungen mehr gesendet.
mail-key = Auch Kalendereinladungen per E-Mail enden.
mail-confirm = Kalendereinladungen
mail-confirm-page = Die Sessions Ihrer Agenda kommen als Kalendereinladungen an { $address }. Nutzen Sie entweder diese Einladungen oder einen abonnierten Kalender. Mit beidem zeigt Ihr Kalender jede Session doppelt.
mail-confirm-button = Einladungen erhalten
mail-confirmed = Die erste Einladung ist unterwegs. Drücken Sie darin einmal auf „Ja“.
mail-end = Kalendereinladungen beenden
mail-end-page = Sie erhalten keine Einladungen mehr für diese Agenda. Sessions in Ihrem Kalender bleiben dort, ändern sich aber nicht mehr.
mail-end-button = Einladungen beenden
mail-ended = Sie erhalten keine Einladungen mehr. Sessions in Ihrem Kalender bleiben dort, ändern sich aber nicht mehr.
mail-link-over = Dieser Link funktioniert nicht mehr. Geben Sie Ihre E-Mail-Adresse auf der Seite Ihrer Agenda noch einmal ein.
