# Los textos de Callboard en español. Trato de usted, donde hace falta; los botones en infinitivo.

## Days and times

monday = lunes
tuesday = martes
wednesday = miércoles
thursday = jueves
friday = viernes
saturday = sábado
sunday = domingo
monday-short = lun
tuesday-short = mar
wednesday-short = mié
thursday-short = jue
friday-short = vie
saturday-short = sáb
sunday-short = dom
january = enero
february = febrero
march = marzo
april = abril
may = mayo
june = junio
july = julio
august = agosto
september = septiembre
october = octubre
november = noviembre
december = diciembre
january-short = ene
february-short = feb
march-short = mar
april-short = abr
may-short = may
june-short = jun
july-short = jul
august-short = ago
september-short = sept
october-short = oct
november-short = nov
december-short = dic
day-long = { $weekday }, { $day } de { $month }
day-medium = { $weekday }, { $day } { $month }
day-short = { $weekday } { $day }
month-day = { $day } de { $month }
date = { $day } de { $month } de { $year }
date-range = { $day }–{ $last } de { $month } de { $year }
date-range-months = { $first } – { $last } de { $year }
date-range-years = { $first } – { $last }
time-12 = { $time } { $half }
am = a. m.
pm = p. m.
twelve = 12
range = { $start }–{ $end }
range-12 = { $start }–{ $end } { $half }
range-days = { $start } – { $day } { $end }
moment = { $day }, { $time }
minutes =
    { $n ->
        [one] { $n } minuto
       *[other] { $n } minutos
    }
hours =
    { $n ->
        [one] { $n } hora
       *[other] { $n } horas
    }
days =
    { $n ->
        [one] { $n } día
       *[other] { $n } días
    }
list-two = { $first } y { $last }
list-comma = { ", " }
list-end = { $first } y { $last }
list-more = { $first } y { $n } más
quoted = «{ $text }»

times-are = Las horas son las del lugar de la conferencia ({ $zone }).
my-zone = Mostrar en mi zona horaria
venue-zone = Mostrar la hora del lugar
your-times = Las horas están en su zona horaria ({ $zone }).
venue-date = fecha del lugar
now = Ahora
next = Siguiente
to-now = Ahora
to-next = Siguiente
unfold = Mostrar
fold = Ocultar
pitch = Elija las sesiones que quiere ver. Aparecerán en su calendario y se mantendrán al día.
over = Esta conferencia ha terminado.
map = mapa

## Kinds

talk = Charla
plenary = Plenaria
lightning = Charlas relámpago
panel = Mesa redonda
workshop = Taller
discussion = Debate
remarks = Palabras
pause = Descanso
meal = Comida
social = Encuentro social

## Every page

skip = Ir al contenido
main-navigation = Principal
program = Programa
changes = Cambios
subscribe = Suscribirse
my-agenda = Mi agenda
release-is = Versión { $n }, publicada el { $at }.
api = API
all-speakers = Ponentes
all-tracks = Líneas temáticas
all-rooms = Salas
open-in-own-window = Abrir el programa en su propia ventana
to-the-program = Volver al programa

## Program

days-navigation = Días
filter = Filtrar
all = Todo
search = Buscar
search-hint = Buscar sesiones, ponentes, salas
apply = Aplicar
clear = Quitar los filtros
clear-search = Quitar la búsqueda
day-label = Día
kind-label = Tipo
track = Línea temática
room = Sala
speaker = Ponente
topic = Tema
sessions =
    { $n ->
        [one] { $n } sesión
       *[other] { $n } sesiones
    }
shown =
    { $of ->
        [one] { $n } de { $of } sesión.
       *[other] { $n } de { $of } sesiones.
    }
results-for =
    { $n ->
        [one] { $n } resultado para «{ $text }»
       *[other] { $n } resultados para «{ $text }»
    }
similar-results-for =
    { $n ->
        [one] Ninguna coincidencia exacta con «{ $text }». { $n } resultado similar:
       *[other] Ninguna coincidencia exacta con «{ $text }». { $n } resultados similares:
    }
nothing-found = Ninguna sesión coincide. Pruebe a quitar un filtro.
nothing-found-for = Ninguna sesión coincide con «{ $text }».
subscribe-to-all = Suscribirse a todo el programa
subscribe-to-these =
    { $n ->
        [one] Suscribirse a esta sesión
       *[other] Suscribirse a estas { $n } sesiones
    }
no-feed-for-text = No es posible suscribirse a una búsqueda. Añada estas sesiones a su agenda.
announced = Próximamente
announced-track = Todavía no hay sesiones. Suscríbase y aparecerán en su calendario en cuanto se anuncien.
about-program = El programa de { $title }: todas las sesiones, con calendarios para suscribirse.
my-sessions = Mis sesiones
as-grid = Cuadrícula
as-list = Lista
time = Hora
other-sessions = Otras
none-mine = Todavía no ha elegido ninguna sesión.
show-mine = Mostrar las sesiones que he elegido

## Sessions

pick = Elegir
picked = Elegida
unpick = Quitar
cancelled = Cancelada
cancelled-long = Esta sesión se ha cancelado.
tentative = Provisional
tentative-long = Provisional: los detalles aún pueden cambiar.
moved-from = Trasladada; antes: { $place }
calendar-file = Añadir al calendario (.ics)
organizers-page = La página de la organización
speakers = Ponentes
session-language = Idioma: { $tag }
topics = Temas:
give-feedback = Dar su opinión
not-recorded = Esta sesión no se graba.
at-the-same-time = A la misma hora
previous-in-track = Anterior en { $name }
next-in-track = Siguiente en { $name }
part-of = { $name } en { $title }
subscribe-to = Suscribirse a { $name }
no-longer-speaking = Esta persona ya no tiene sesiones en el programa.
nothing-here = Ahora no hay sesiones aquí.
previous-page = Sesiones anteriores
next-page = Sesiones posteriores
pages = Páginas
share = Compartir

## Texts of scripts

refused = No se ha guardado: { $why }
queued = No tiene conexión. Lo guardaremos cuando vuelva a tenerla.
waiting = Aún no se ha guardado
settled = De nuevo con conexión: sus elecciones están guardadas.
unsettled = No se han podido guardar algunas elecciones: { $titles }.
new-release = El programa se ha actualizado.
reload = Recargar
offline-since = No tiene conexión. Última actualización hace { $ago }.
copied = Copiado.
copy-failed = No se ha podido copiar. El enlace está seleccionado: pulse Ctrl+C.
overlaps = «{ $title }» coincide con «{ $other }».
keep-both = Conservar ambas
replace = Reemplazar «{ $other }»
replaced = Reemplazada.
offline = No tiene conexión
offline-text = Esta página no está disponible sin conexión.

## My agenda

agenda-none = Todavía no tiene agenda
agenda-none-text = Elija sesiones del programa para empezar su agenda. No hace falta cuenta; se guarda en este navegador.
agenda-none-elsewhere = ¿Tiene una en otro dispositivo? Ábrala allí y elija «Pasar a otro dispositivo».
agenda-signed-out = Se cerró la sesión de este navegador, o se eliminó la agenda, desde otro dispositivo. La próxima sesión que elija empezará una agenda nueva.
agenda-deleted = Su agenda se ha eliminado.
agenda-empty = Todavía no hay sesiones.
overlaps-with = Coincide con { $other }.
and-more = y { $n } más
first-shown =
    { $n ->
        [one] Solo se muestra la primera: acote la búsqueda.
       *[other] Solo se muestran las primeras { $n }: acote la búsqueda.
    }
keep-this = Conservar esta
overlap-count =
    { $n ->
        [one] { $n } de sus sesiones coincide.
        [2] Dos de sus sesiones coinciden.
       *[other] { $n } de sus sesiones coinciden.
    }
free-range = Libre { $range }
free-then = Libre { $range }; después, { $what } hasta { $until }
changed = Modificada
changed-since = Cambios desde su última visita
gone = Ya no están en el programa
forget = Quitar
add-to-calendar = Añadir al calendario
settings = Ajustes
my-links = Enlaces a esta agenda
my-links-text = Quien tenga este enlace puede ver su agenda y suscribirse a ella, pero no cambiarla.
link-label = Etiqueta (opcional)
new-link = Crear otro enlace
revoke = Desactivar el enlace
revoke-text = Quien lo use verá que la agenda ya no se comparte.
link-hidden = Este enlace sigue funcionando, pero no se puede volver a mostrar.
link-untitled = Enlace { $n }
fresh-link = Mi calendario de Google va retrasado: un enlace nuevo
fresh-link-text = Google lee un calendario solo cada 8 a 24 horas, pero un enlace nuevo al instante. Cree uno, añádalo a Google Calendar y elimine allí el calendario antiguo; si no, todo aparece dos veces.
fresh-link-make = Crear un enlace nuevo para Google
show-page = Abrir
qr = Código QR
copy = Copiar
address = Dirección
agenda-name = Nombre de su agenda
rename = Cambiar el nombre
other-device = Pasar a otro dispositivo
other-device-text = Cree un enlace que abre esta agenda en otro dispositivo para editarla allí. Funciona una vez y caduca a los 10 minutos.
make-hand-over = Crear el enlace
hand-over-ready = Ábralo en el otro dispositivo en menos de { $minutes }. Funciona una vez.
new-key = ¿Ha perdido un dispositivo?
new-key-text = Cierra la sesión en todos los demás dispositivos. Los enlaces compartidos siguen funcionando.
make-key = Cerrar la sesión en los demás
delete = Eliminar todo
delete-text = Sus elecciones, enlaces y clave se borran al instante. Los calendarios suscritos verán que la agenda ya no se comparte.
delete-sure = Sí, eliminar mi agenda
print = Imprimir
fetched = { $client } está al día; la última consulta fue hace { $ago }.
fetched-behind =
    { $n ->
        [one] La última consulta de { $client } fue hace { $ago }; { $n } cambio aún no le ha llegado.
       *[other] La última consulta de { $client } fue hace { $ago }; { $n } cambios aún no le han llegado.
    }
not-fetched = Todavía no se ha suscrito ningún calendario.
done-picked = Añadida a su agenda.
done-removed = Quitada de su agenda.
undo = Deshacer
done-kept = Coincidencia resuelta.
done-renamed = Su agenda tiene un nuevo nombre.
done-linked = El nuevo enlace está listo.
done-fresh = El enlace nuevo es el último de esta lista. Añádalo a Google Calendar y elimine allí el calendario antiguo.
done-revoked = El enlace está desactivado.
done-arrived = Su agenda está ahora también en este navegador.
done-key = Se ha cerrado la sesión en todos los demás dispositivos.

## Suggested day

suggest = Sugerir mi día
suggest-this-day = Sugerir este día
plan-text = Estas sesiones no coinciden y dejan tiempo para ir de una sala a otra. Su agenda no cambia hasta que pulse un botón.
plan-counts =
    { $of ->
        [one] { $n } de su { $of } sesión es compatible.
       *[other] { $n } de sus { $of } sesiones son compatibles.
    }
plan-all-fit = Todas sus sesiones son compatibles.
plan-inexact = Demasiadas de sus charlas se dan más de una vez para comparar todas las combinaciones. Puede haber una opción mejor.
plan-all-days = Todos los días
plan-left-out = Descartadas
plan-remove =
    { $n ->
        [one] Quitar la sesión descartada
       *[other] Quitar las { $n } sesiones descartadas
    }
plan-keep-all = Conservar todo
plan-attend-instead =
    { $n ->
        [one] Asistir a esta y quitar la otra
       *[other] Asistir a esta y quitar las otras { $n }
    }
plan-again = También se da a una hora posible:
plan-instead = A la misma hora, y es compatible:
left-busy = A esa hora no está libre.
left-busy-with = A esa hora no está libre: { $label }.
left-repeat = Verá esta charla el { $at }.
left-for = Para asistir, tendría que perderse { $others }.
cost = Vería { $parts }.
cost-nothing = El cambio es equivalente.
cost-comes = Entonces podría asistir a { $others }.
fewer-musts =
    { $n ->
        [one] { $n } sesión imprescindible menos
       *[other] { $n } sesiones imprescindibles menos
    }
fewer-wants =
    { $n ->
        [one] { $n } sesión deseada menos
       *[other] { $n } sesiones deseadas menos
    }
fewer-maybes =
    { $n ->
        [one] { $n } «quizá» menos
       *[other] { $n } «quizá» menos
    }
more-wants =
    { $n ->
        [one] { $n } sesión deseada más
       *[other] { $n } sesiones deseadas más
    }
more-maybes =
    { $n ->
        [one] { $n } «quizá» más
       *[other] { $n } «quizá» más
    }
walk = A pie: { $length }
next-in = Después en { $room }:
rank-must = Imprescindible
rank-want = Quiero verla
rank-maybe = Quizá
busy = Ocupado
busy-heading = Cuándo no está libre
busy-text = Las sugerencias dejan libres estas horas. Solo usted las ve.
busy-from = De
busy-to = A
busy-label = Nota (opcional)
busy-add = Añadir
busy-wrong = No se añadió: el final debe ser posterior al comienzo.
busy-upload = Leer las horas de un archivo de calendario
busy-upload-text = Elija un archivo de calendario (.ics). Solo guardamos las horas, no los títulos. No se leen los eventos repetidos ni los de todo el día.
busy-read = Añadir las horas
busy-skipped =
    { $n ->
        [one] { $n } evento repetido o de todo el día no se leyó. Escriba sus horas abajo.
       *[other] { $n } eventos repetidos o de todo el día no se leyeron. Escriba sus horas abajo.
    }
done-planned = Quitadas. Ahora sus sesiones son compatibles.
done-ranked = Guardado.
done-busy-added = Horas añadidas.
done-busy-removed = Horas quitadas.
done-busy-read =
    { $n ->
        [0] No hay eventos en los días de la conferencia.
        [one] { $n } horario añadido.
       *[other] { $n } horarios añadidos.
    }

## Import and export

import = Importar sesiones
import-text = Elija un archivo de calendario (.ics) con sus sesiones, de aquí o de otra herramienta, o una lista JSON de sus identificadores. Verá las sesiones antes de que se añada nada.
import-file = Archivo
import-look = Ver antes
import-new = Encontradas
import-nothing = No hay sesiones nuevas que añadir.
import-take =
    { $n ->
        [one] Añadir esta sesión
       *[other] Añadir estas { $n } sesiones
    }
import-full = Con las que ya eligió serían { $n }, y en una agenda caben { $most }. Elija algunas en el programa.
import-held = Ya están en su agenda
import-unknown = No están en este programa
import-ambiguous = Varias sesiones coinciden
carry = Exportar su agenda
carry-text = Descargue su agenda o comparta una copia con un enlace. Los cambios posteriores no se incluyen.
carry-calendar = Archivo de calendario (.ics)
carry-list = Lista (JSON)

## Hand-over

hand-over = Abrir su agenda aquí
hand-over-text = Este enlace pasa una agenda a este dispositivo para que pueda editarla aquí. Funciona una vez.
hand-over-replaces = Reemplaza la agenda de este navegador.
hand-over-button = Abrir en este dispositivo

## Shared agenda

shared-agenda = Agenda compartida
shared-text = Solo lectura. Se actualiza cuando la cambia quien la comparte.
pick-all = Añadir todo a mi agenda
both = También en mi agenda
only-mine = Solo en mi agenda
in-common =
    { $n ->
        [one] { $n } de { $of } también está en su agenda.
       *[other] { $n } de { $of } también están en su agenda.
    }

## Team

team = Quién va adónde
team-make = Planificar en equipo
team-text = Pegue los enlaces de las agendas de su equipo, uno por línea (hasta 20), para ver quién va adónde y qué no cubre nadie.
team-read-only = Solo lectura. Quien desactiva su enlace desaparece de esta página y de su calendario.
team-links = Enlaces de agendas
team-button = Mostrar el equipo
team-nobody = Nadie
team-gone = ya no se comparte
team-members = Miembros
team-line = La línea { $n } no es un enlace de agenda de esta conferencia.
team-none = Pegue al menos un enlace.
team-many = Un equipo tiene 20 enlaces como máximo.
team-empty = Nadie ha elegido nada todavía.

## Subscribe

subscribe-heading = Suscribirse a { $name }
subscribe-text = Su calendario se mantiene al día automáticamente.
apple = Calendario de Apple
apple-how = iPhone, iPad y Mac. Se abre una solicitud de suscripción.
apple-button = Abrir en Calendario de Apple
apple-delay = Se actualiza con la frecuencia que elija. Ajuste la actualización automática a cada hora.
google = Google Calendar
google-how = Añádalo en un ordenador y aparecerá también en su teléfono. La aplicación de Android no puede añadir calendarios mediante enlace.
google-button = Abrir en Google Calendar
google-delay = Se actualiza cada 8–24 horas; Google marca el ritmo. Las sesiones canceladas permanecen, indicadas en el título.
google-too-large = Este calendario supera el tamaño de 1 MB que lee Google. Añada en su lugar una línea temática o un día:
outlook = Outlook.com
outlook-how = Cuentas personales, en un navegador.
outlook-button = Abrir en Outlook.com
outlook-work = Microsoft 365
outlook-work-how = Cuentas profesionales o educativas, en un navegador.
outlook-work-button = Abrir en Microsoft 365
outlook-delay = Suele actualizarse en unas horas, a veces en un día.
thunderbird = Thunderbird
thunderbird-how = Archivo › Nuevo › Calendario › En la red; después, pegue la dirección.
thunderbird-delay = Se actualiza cada 30 minutos, o como lo ajuste.
icsx5 = ICSx⁵ (Android)
icsx5-how = Abre la aplicación, que lleva las sesiones a cualquier calendario de Android.
icsx5-button = Abrir en ICSx⁵
icsx5-delay = Se actualiza con la frecuencia que elija, como mínimo cada 15 minutos.
giggity = Giggity (Android)
giggity-how = En la aplicación: añada un programa y pegue la dirección o escanéela.
giggity-button = Abrir en Giggity
giggity-delay = Se actualiza al abrirla, a más tardar un día después.
any-calendar = Cualquier otro calendario
any-how = Pegue o escanee esta dirección donde su calendario añada uno «por URL» o «desde la web».
other-apps = Otras aplicaciones
options = Opciones
caldav = Cuenta de calendario (CalDAV)
caldav-how = Añada una cuenta CalDAV con esta dirección. Deje vacíos el usuario y la contraseña.
caldav-agenda-how = Añada una cuenta CalDAV con esta dirección. La contraseña es el enlace a esta agenda; el usuario puede ser cualquiera.
caldav-delay = Se actualiza cada pocos minutos.
kde = KDE (Merkuro, KOrganizer)
kde-how = Añada un «recurso de groupware DAV», elija configurarlo manualmente y pegue la dirección. Deje vacíos el usuario y la contraseña.
vdirsyncer = vdirsyncer y khal
vdirsyncer-how = Añada a la configuración un almacenamiento de tipo «http» con esta dirección, como lado de solo lectura de un par.
alarm = Recordatorio
alarm-none = Ninguno
alarm-before = { $minutes } antes
download = Descargar .ics
download-text = (una copia que no se actualiza)

## Changes

changes-text = Cambios del programa, los más recientes primero.
no-changes = Nada ha cambiado desde la primera publicación del programa.
first-release = Se publicó el programa.
release-heading = Versión { $n }
added = Añadida
moved = Trasladada
edited = Editada
restored = Restablecida
withdrawn = Retirada
title-changed = Título cambiado; antes: «{ $before }»
follow-changes = Seguir en un lector de noticias

## Organizer

organizer = Organización
sign-in = Iniciar sesión
sign-in-text = Introduzca la clave de la organización. Se guarda en este navegador hasta que cierre la sesión.
sign-in-wrong = Clave incorrecta. Inténtelo de nuevo.
secret = Clave de la organización
sign-out = Cerrar sesión
last-attempt = Último intento
held = Una versión espera su confirmación
held-since = Origen: { $origin }, { $at }.
held-more =
    { $n ->
        [one] { $n } cambio más está en la vista previa.
       *[other] { $n } cambios más están en la vista previa.
    }
discard = Descartar
stale-file = El archivo del programa { $file } difiere de la versión publicada y se ignora hasta que se guarde con otro contenido.
superseded = No se ha publicado nada: la versión { $n } se publicó después de su vista previa, el { $at }. Estos son los cambios respecto a esa versión.
takes-back = Al publicar se deshace lo que cambió la versión { $n }
preview-again = Elija el archivo corregido
upload = Publicar un programa
upload-text = Elija un archivo CSV. Verá los cambios antes de que se publiquen.
file = Archivo
preview = Vista previa
preview-nothing = No cambiaría nada.
preview-errors =
    { $n ->
        [one] No se puede publicar: { $n } error.
       *[other] No se puede publicar: { $n } errores.
    }
preview-changes =
    { $n ->
        [one] { $n } cambio
       *[other] { $n } cambios
    }
impact =
    { $n ->
        [0] No afecta a ninguna agenda personal.
        [one] Afecta a { $n } agenda personal; { $overlaps }.
       *[other] Afecta a { $n } agendas personales; { $overlaps }.
    }
impact-overlaps =
    { $n ->
        [0] ninguna coincidencia nueva
        [one] { $n } tiene una coincidencia nueva
       *[other] { $n } tienen una coincidencia nueva
    }
most-hit = Sesiones afectadas más elegidas
in-agendas =
    { $n ->
        [one] en { $n } agenda
       *[other] en { $n } agendas
    }
confirm = Publicar
confirm-held = Publicar de todos modos
releases = Versiones
release-column = Versión
published-column = Publicada
origin-column = Origen
who-column = Por
roll-back = Restaurar
live = en vivo
csv = program.csv
error = Error
warning = Aviso
sign-in-expired = Su sesión se había cerrado, así que no se hizo nada. Acceda e inténtelo de nuevo.
signed-out = Ha cerrado la sesión.
to-the-desk = Volver a la página de la organización
live-release = Versión publicada
download-live = Descargar el programa publicado
attempt = { $at }, { $source }: { $outcome }.
stale = El archivo del programa se ignora
stale-keep = Para seguir con el programa publicado, sustituya el archivo por este:
stale-replace = Para publicar el archivo, elíjalo en «Publicar un programa».
unstored = No se pudo guardar un archivo del programa
unstored-file = Desde { $at }: { $reason }. El servidor sigue intentándolo.
source-from = De la fuente seguida { $host }
source-read = Última lectura completa: { $at }.
source-unread = No se ha leído desde que arrancó el servidor. ¿Está en marcha callboard follow?
source-discarded = El programa que la fuente tiene ahora se descartó. Se ignora hasta que la fuente cambie.
source-problem = Desde { $at }: { $reason }. El programa publicado se mantiene.
source-conflicts = Cambios de la fuente que sus ediciones ocultan
source-conflict = { $title }, { $fields }: la fuente tiene { $source }; su valor se mantiene: { $own }
source-deleted-row = { $title }: la fuente lo cambió; su fila se eliminó aquí y sigue eliminada
source-conflicts-text = Para adoptar un valor de la fuente, publique el programa con ese valor.
source-notes = Omitido o supuesto
source-nothing = nada
stopped = Algo se ha detenido en el servidor
schedule = Programada
planned = Un programa se publica el { $at }. Se programó el { $made }.
planned-by = Un programa se publica el { $at }. { $who } lo programó el { $made }.
unschedule = Cancelar la publicación
preview-source = Origen: { $source }.
preview-summary = { $changes }: { $kinds }.
preview-breaks =
    { $n ->
        [one] { $n } descanso o comida
       *[other] { $n } descansos y comidas
    }
n-added = añadidas: { $n }
n-moved = trasladadas: { $n }
n-edited = editadas: { $n }
n-cancelled = canceladas: { $n }
n-restored = restablecidas: { $n }
n-withdrawn = retiradas: { $n }
before = Antes:
after = Después:
empty = (vacío)
row-line = Línea { $line } del archivo
row-gone = No está en el archivo; línea { $line } del programa publicado
field-time = Hora
check-first = Compruebe antes
type-removed =
    { $n ->
        [one] Esto quita { $n } sesión. Escriba { $n } para publicar de todos modos:
       *[other] Esto quita { $n } sesiones. Escriba { $n } para publicar de todos modos:
    }
type-changed =
    { $n ->
        [one] Esto cambia { $n } sesión. Escriba { $n } para publicar de todos modos:
       *[other] Esto cambia { $n } sesiones. Escriba { $n } para publicar de todos modos:
    }
wrong-number = No se ha publicado nada: «{ $typed }» no es el número.
wrong-time = No se ha programado nada. Indique una hora futura que exista en el reloj de la sede.
publish-later = Publicar más tarde
publish-at = Fecha y hora
schedule-it = Programar
done-published = Publicada: la versión { $n } está en línea.
done-unchanged = No se ha publicado nada: el programa es igual a la versión { $n }.
done-discarded = La versión se ha descartado.
done-gone = No se ha hecho nada: esa versión ya no está en espera.
done-scheduled = El programa está programado.
done-unscheduled = La publicación programada se ha cancelado.
calendars = Quién tiene el cambio
calendars-none = En los últimos dos días no se consultó ningún calendario.
calendars-text = Calendarios consultados en los últimos dos días. Los públicos se estiman desde { $at }: Google y Outlook consultan una vez para muchas personas.
calendar-column = Calendario
app-column = Aplicación
has-release = Tienen la versión { $n }
earlier-column = Tienen una anterior
earlier-release = { $count } (versión { $n })
release-share = En { $n } de { $of } calendarios ({ $percent } %)
checked-column = Última consulta
calendar-program = Programa
calendar-track = Línea temática
calendar-part = Sala, día o ponente
calendar-agenda = Agenda
outbox = Entregas
outbox-webhook = Webhooks
outbox-push = Mensajes push
outbox-mail = Correos
outbox-calendars = Mensajes a programas de calendario
reach = Mensajes sobre cada versión
channel-column = Canal
sent-column = Enviados
delivered-column = Aceptados
failed-column = Abandonados
waiting-column = En espera
times-column = 50 · 95 · 100 %
reach-text = Los tiempos indican cuánto después de la versión el destinatario o su servicio push había aceptado esa parte de los mensajes. Un mensaje sustituido por una versión posterior cuenta en ella.
outbox-waiting =
    { $n ->
        [one] { $n } entrega en espera.
       *[other] { $n } entregas en espera.
    }
outbox-oldest = La más antigua espera desde { $at }.
outbox-failed =
    { $n ->
        [one] Se desistió de { $n } entrega.
       *[other] Se desistió de { $n } entregas.
    }
picks-by-session = Elecciones por sesión
picks-text = En cuántas agendas está cada sesión, para elegir las salas. Se omiten las sesiones con menos de { $n } elecciones, para que no se pueda reconocer a nadie.
picks-none = Ninguna sesión tiene todavía { $n } elecciones.
picks-column = Elecciones
by-picks = Por elecciones
by-time = Por hora
download-csv = Descargar como CSV
sessions-column = Sesiones
capacity-column = Plazas
too-small = pequeña
restore-release = Restaurar la versión { $n }

## The API

api-text = Todo lo que hay en estas páginas, como JSON, calendarios y en los formatos de otras herramientas.
api-document = Descripción OpenAPI
api-needs = Requiere:
api-required = obligatorio
api-answers = Respuestas y ejemplo

## Calendars

cancelled-prefix = { "CANCELADA: " }
weekday-time = { $weekday } { $time }
moved-note = Nota: trasladada; antes: { $place }
feed-day = { $weekday }, { $day } de { $month }
feed-day-short = { $weekday } { $day } { $month }
feed-program = El programa de { $title }
feed-agenda = Una agenda personal para { $title }
feed-my-agenda = { $title }: mi agenda
feed-closed = { $title } (ya no se comparte)
feed-closed-text = Esta agenda ya no se comparte. Puede quitar el calendario.
feed-team = Equipo: { $names }
feed-team-about = Quién va adónde en { $title }
team-member = Miembro { $n }

## Change feeds

changes-of = { $title }: cambios
changes-of-part = { $title }: cambios en { $name }
program-published = El programa de { $title } está publicado
sessions-published =
    { $n ->
        [one] { $n } sesión.
       *[other] { $n } sesiones.
    }
change-new-head = nueva, { $place }
change-new = Nueva en el programa: { $place }.
change-cancelled-head = cancelada
change-cancelled = Cancelada. Estaba prevista: { $place }.
change-restored-head = finalmente se celebra, { $place }
change-restored = Finalmente se celebra: { $place }.
change-moved-head = trasladada a { $to }
change-moved = Trasladada de { $from } a { $to }.
change-end-head = termina a las { $end }
change-shorter =
    { $n ->
        [one] Termina a las { $end }, { $n } minuto más corta.
       *[other] Termina a las { $end }, { $n } minutos más corta.
    }
change-longer =
    { $n ->
        [one] Termina a las { $end }, { $n } minuto más larga.
       *[other] Termina a las { $end }, { $n } minutos más larga.
    }
change-in-head = ahora en { $to }
change-no-track-head = ahora sin línea temática
change-no-room-head = ahora sin sala
change-track = Línea temática cambiada de { $from } a { $to }.
change-track-new = Línea temática: { $to }.
change-track-gone = La línea temática { $from } ya no se aplica.
change-room = Sala cambiada de { $from } a { $to }.
change-room-new = Sala: { $to }.
change-room-gone = La sala { $from } ya no se aplica.
change-title-head = nuevo título
change-title = Nuevo título: { $to } (antes: { $from }).
change-speakers-head = nuevos ponentes
change-speakers = Ponentes: { $speakers }.
change-no-speakers = Ahora no se indica ningún ponente.
change-status-head = ahora { $status }
change-status = Ahora está { $status }.
status-confirmed = confirmada
status-tentative = provisional
status-cancelled = cancelada
status-withdrawn = retirada
change-fields-head = cambios: { $fields }
change-fields = Editado: { $fields }.
change-updated-head = actualizada
change-updated = Actualizada.

## Fields of a session

field-id = identificador
field-date = fecha
field-start = inicio
field-end = fin
field-end-date = fecha de fin
field-kind = tipo
field-title = título
field-track = línea temática
field-block = bloque
field-room = sala
field-speakers = ponentes
field-abstract = resumen
field-bios = biografías
field-url = página web
field-links = enlaces
field-language = idioma
field-tags = temas
field-image = imagen
field-feedback-url = dirección para opiniones
field-recording = grabación
field-guid = identificador de origen
field-status = estado

## The program as plain text

day-year = { $weekday }, { $day } de { $month } de { $year }
text-release = Versión { $n }; todas las horas son de { $zone }.
text-more = Y { $n } más: acote la búsqueda.
text-overlap = { $title } es a la misma hora que { $others }
text-gone =
    { $n ->
        [one] { $n } sesión elegida ya no está en el programa.
       *[other] { $n } sesiones elegidas ya no están en el programa.
    }
text-empty = Todavía no hay sesiones.

## Problems

problem-missing-title = Página no encontrada
problem-missing = No hay nada en esta dirección. Compruebe que no tenga errores.
problem-gone-title = Ya no está disponible
problem-gone = Esta agenda ya no se comparte. Quite la suscripción o pida un enlace nuevo.
problem-used-up = Este enlace funciona una sola vez, durante diez minutos. Cree uno nuevo en el dispositivo que tiene la agenda.
problem-no-preview = Esta vista previa ya no está disponible, así que no se ha publicado nada. Vuelva a ver el programa antes de publicarlo.
problem-other-site-title = No permitido
problem-other-site = Esto se envió desde otro sitio. Abra la página aquí e inténtelo de nuevo.
problem-busy-title = Inténtelo de nuevo en un momento
problem-busy = El servidor está ocupado. Inténtelo de nuevo en un momento.
problem-too-often-title = Demasiadas solicitudes
problem-too-often =
    { $wait ->
        [one] Han sido demasiadas veces. Inténtelo de nuevo dentro de { $wait } segundo.
       *[other] Han sido demasiadas veces. Inténtelo de nuevo dentro de { $wait } segundos.
    }
problem-too-large-title = Demasiado grande
problem-too-large = Es demasiado grande. Elija un archivo más pequeño o menos sesiones.
problem-file-title = No se ha podido leer este archivo
problem-file = Elija un archivo de calendario (.ics) o una lista JSON exportados aquí o por otra herramienta.
problem-key-title = Sesión no iniciada
problem-key = La clave de este navegador ya no abre la agenda.
problem-changed-title = Cambiado entretanto
problem-changed = Esto ha cambiado entretanto. Recargue la página y repita su cambio.
problem-full-title = Límite alcanzado
problem-full = En su agenda no cabe nada más. Quite algo primero.
problem-request-title = No ha funcionado
problem-request = La dirección o el formulario contiene algo que el servidor no entiende.
problem-server-title = Algo ha salido mal
problem-server = El servidor ha cometido un error. Inténtelo de nuevo más tarde.

## Sources and results of publications

origin-first = primer inicio
origin-file = archivo del programa
origin-upload = carga
origin-rollback = versión { $n }, publicada de nuevo
origin-config = configuración cambiada
origin-upgrade = Callboard más reciente
origin-restored = copia de seguridad restaurada
origin-scheduled = planificación
origin-source = fuente seguida
attempt-published = publicado como versión { $n }
attempt-unchanged = sin cambios respecto a la versión { $n }
attempt-refused =
    { $n ->
        [one] rechazado: { $n } error
       *[other] rechazado: { $n } errores
    }
attempt-held = retenido: { $reasons }
attempt-failed = fallido: { $reason }

## Why a release is held; each completes "retenido: …"

hold-touches =
    { $of ->
        [one] elimina, mueve o renombra { $touched } de { $of } sesión ({ $percent } %)
       *[other] elimina, mueve o renombra { $touched } de { $of } sesiones ({ $percent } %)
    }
hold-zone-or-dates = cambia la zona horaria o las fechas de la conferencia
hold-lacks-rows =
    { $n ->
        [one] al archivo le falta exactamente la última fila del programa publicado, como si estuviera cortado
       *[other] al archivo le faltan exactamente las últimas { $n } filas del programa publicado, como si estuviera cortado
    }
hold-ends-within = el archivo termina en medio de la fila de { $session }
hold-sheet-lacks-rows =
    { $n ->
        [one] a la hoja le falta exactamente la última fila, como si estuviera cortada
       *[other] a la hoja le faltan exactamente las últimas { $n } filas, como si estuviera cortada
    }
hold-sheet-lacks-line-break = la hoja ya no termina con un salto de línea, como si estuviera cortada
hold-sheet-ends-within-row = la hoja termina en medio de su última fila
hold-when-due = se retuvo a la hora prevista
hold-overwrites-one = la versión { $first } se publicó después de programarla, y se perderían sus cambios en { $sessions }
hold-overwrites = las versiones { $first } a { $last } se publicaron después de programarla, y se perderían sus cambios en { $sessions }
hold-more =
    { $n ->
        [one] { $n } más
       *[other] { $n } más
    }

## Messages to browsers

push-overlap = Ahora coincide con «{ $title }».
push-several =
    { $n ->
        [one] Ha cambiado { $n } de sus sesiones
       *[other] Han cambiado { $n } de sus sesiones
    }
push-more =
    { $n ->
        [one] … y { $n } más
       *[other] … y { $n } más
    }

reminder = Empieza a las { $time }.
reminder-in-room = Empieza a las { $time } en { $room }.
reminder-several =
    { $n ->
        [one] { $n } de sus sesiones empieza a las { $time }
       *[other] { $n } de sus sesiones empiezan a las { $time }
    }

notify-me = Avisarme de los cambios
notify-text = Este dispositivo recibe un mensaje cuando una de sus sesiones se traslada, se cancela o finalmente se celebra, y nada más si no activa los recordatorios.
notify-on = Este dispositivo recibe avisos de los cambios.
notify-reminders = Recordarme también cada sesión 10 minutos antes
notify-stop = Dejar de avisar
notify-denied = Su navegador bloquea las notificaciones de este sitio. Permítalas en los ajustes del navegador para este sitio y vuelva a cargar la página.
notify-unsupported = Este navegador no puede mostrar notificaciones de sitios web. Abra esta página en otro navegador para recibir avisos de los cambios.
notify-ios = Para recibir avisos en un iPhone o iPad, añada esta página a la pantalla de inicio (Compartir y, después, Añadir a pantalla de inicio) y ábrala desde allí.
notify-full = Ya hay diez dispositivos que reciben avisos. Quite uno de ellos en los ajustes, más abajo.
notify-failed = No ha funcionado. Inténtelo de nuevo más tarde.
devices = Dispositivos con avisos
devices-text = Estos dispositivos reciben un mensaje cuando una de sus sesiones se traslada, se cancela o finalmente se celebra.
device-unnamed = Dispositivo sin nombre
device-remove = Quitar
done-device-removed = El dispositivo ya no recibe mensajes.

## Invitaciones de calendario por correo

mail-confirm-subject = Confirme sus invitaciones de calendario: { $title }
mail-confirm-text = Alguien, probablemente usted, pidió recibir en esta dirección las sesiones de una agenda para { $title } como invitaciones de calendario. Para recibirlas, abra este enlace en un plazo de 48 horas y pulse allí el botón:
mail-confirm-ignore = Si no fue usted, ignore este correo. Su dirección no se ha guardado y no recibirá más correos.
mail-invitation = Invitación: { $title }
mail-update = Actualización: { $title }
mail-cancellation = Cancelación: { $title }
mail-first = Pulse «Sí» una vez en esta invitación. Así su calendario conoce al remitente y añade y cambia por sí solo las demás sesiones de su agenda.
mail-cancelled-text = Esta sesión se canceló o usted la quitó de su agenda. Su calendario también la quita.
mail-reason = Recibe este correo porque pidió las sesiones de su agenda para { $title }.
mail-end-here = Terminar las invitaciones:
mail-heading = Invitaciones de calendario por correo
mail-text = Sus sesiones llegan a su calendario como invitaciones, y los cambios en menos de un minuto. Es lo adecuado para Google Calendar y Outlook, que solo consultan los calendarios suscritos cada varias horas.
mail-either = Use estas invitaciones o un calendario suscrito, no ambos: su calendario mostraría cada sesión dos veces.
mail-already = Sus sesiones ya llegan por correo. Si además se suscribe a este calendario, la misma aplicación de calendario mostrará cada sesión dos veces.
mail-address = Dirección de correo
mail-ask = Enviarme un correo de confirmación
mail-asked = Va en camino un correo a esta dirección, salvo que ya haya recibido uno en el último día. Abra el enlace y pulse el botón.
mail-addresses = Las invitaciones van a:
mail-removed = Ya no se envían invitaciones a esta dirección.
mail-key = También terminan las invitaciones de calendario por correo.
mail-confirm = Invitaciones de calendario
mail-confirm-page = Las sesiones de su agenda llegarán a { $address } como invitaciones de calendario. Use estas invitaciones o un calendario suscrito, no ambos: su calendario mostraría cada sesión dos veces.
mail-confirm-button = Recibir invitaciones
mail-confirmed = La primera invitación va en camino. Pulse «Sí» en ella una vez.
mail-end = Terminar las invitaciones de calendario
mail-end-page = No recibirá más invitaciones de esta agenda. Las sesiones de su calendario se quedan, pero ya no cambian.
mail-end-button = Terminar las invitaciones
mail-ended = Ya no recibe invitaciones. Las sesiones de su calendario se quedan, pero ya no cambian.
mail-link-over = Este enlace ya no funciona. Escriba otra vez su dirección de correo en la página de su agenda.
