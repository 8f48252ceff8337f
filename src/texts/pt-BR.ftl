# Os textos do Callboard em português do Brasil. Tratamento por você; botões no infinitivo.

## Days and times

monday = segunda-feira
tuesday = terça-feira
wednesday = quarta-feira
thursday = quinta-feira
friday = sexta-feira
saturday = sábado
sunday = domingo
monday-short = seg.
tuesday-short = ter.
wednesday-short = qua.
thursday-short = qui.
friday-short = sex.
saturday-short = sáb.
sunday-short = dom.
january = janeiro
february = fevereiro
march = março
april = abril
may = maio
june = junho
july = julho
august = agosto
september = setembro
october = outubro
november = novembro
december = dezembro
january-short = jan.
february-short = fev.
march-short = mar.
april-short = abr.
may-short = mai.
june-short = jun.
july-short = jul.
august-short = ago.
september-short = set.
october-short = out.
november-short = nov.
december-short = dez.
day-long = { $weekday }, { $day } de { $month }
day-medium = { $weekday }, { $day } de { $month }
day-short = { $weekday }, { $day }
month-day = { $day } de { $month }
date = { $day } de { $month } de { $year }
date-range = { $day }–{ $last } de { $month } de { $year }
date-range-months = { $first } – { $last } de { $year }
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
        [one] { $n } dia
       *[other] { $n } dias
    }
list-two = { $first } e { $last }
list-comma = { ", " }
list-end = { $first } e { $last }
list-more = { $first } e mais { $n }
quoted = “{ $text }”

times-are = Os horários são os do local da conferência ({ $zone }).
my-zone = Mostrar no meu fuso horário
venue-zone = Mostrar o horário do local
your-times = Os horários estão no seu fuso horário ({ $zone }).
venue-date = data do local
now = Agora
next = A seguir
to-now = Agora
to-next = A seguir
unfold = Mostrar
fold = Ocultar
pitch = Escolha as sessões que você quer ver. Elas aparecem na sua agenda e ficam sempre atualizadas.
over = Esta conferência terminou.
map = mapa

## Kinds

talk = Palestra
plenary = Plenária
lightning = Palestras relâmpago
panel = Painel
workshop = Oficina
discussion = Discussão
remarks = Pronunciamento
pause = Intervalo
meal = Refeição
social = Confraternização

## Every page

skip = Ir para o conteúdo
main-navigation = Principal
program = Programação
changes = Alterações
subscribe = Assinar
my-agenda = Minha agenda
release-is = Versão { $n }, publicada em { $at }.
api = API
all-speakers = Palestrantes
all-tracks = Trilhas
all-rooms = Salas
open-in-own-window = Abrir a programação em sua própria janela
to-the-program = Voltar à programação

## Program

days-navigation = Dias
filter = Filtrar
all = Todos
search = Buscar
search-hint = Buscar sessões, palestrantes, salas
apply = Aplicar
clear = Limpar filtros
clear-search = Limpar busca
day-label = Dia
kind-label = Tipo
track = Trilha
room = Sala
speaker = Palestrante
topic = Tema
sessions =
    { $n ->
        [one] { $n } sessão
       *[other] { $n } sessões
    }
shown =
    { $of ->
        [one] { $n } de { $of } sessão.
       *[other] { $n } de { $of } sessões.
    }
results-for =
    { $n ->
        [one] { $n } resultado para “{ $text }”
       *[other] { $n } resultados para “{ $text }”
    }
similar-results-for =
    { $n ->
        [one] Nenhuma correspondência exata para “{ $text }”. { $n } resultado semelhante:
       *[other] Nenhuma correspondência exata para “{ $text }”. { $n } resultados semelhantes:
    }
nothing-found = Nenhuma sessão corresponde. Tente remover um filtro.
nothing-found-for = Nenhuma sessão corresponde a “{ $text }”.
subscribe-to-all = Assinar a programação completa
subscribe-to-these =
    { $n ->
        [one] Assinar esta sessão
       *[other] Assinar estas { $n } sessões
    }
no-feed-for-text = Não é possível assinar uma busca. Em vez disso, adicione estas sessões à sua agenda.
announced = Em breve
announced-track = Ainda não há sessões. Assine e elas aparecerão no seu calendário assim que forem anunciadas.
about-program = A programação de { $title }: todas as sessões, com calendários para assinar.
my-sessions = Minhas sessões
as-grid = Grade
as-list = Lista
time = Horário
other-sessions = Outras
none-mine = Você ainda não escolheu nenhuma sessão.
show-mine = Mostrar as sessões que escolhi

## Sessions

pick = Escolher
picked = Escolhida
unpick = Remover
cancelled = Cancelada
cancelled-long = Esta sessão foi cancelada.
tentative = Provisória
tentative-long = Provisória: os detalhes ainda podem mudar.
moved-from = Transferida; antes: { $place }
calendar-file = Adicionar ao calendário (.ics)
organizers-page = A página da organização
speakers = Palestrantes
session-language = Idioma: { $tag }
topics = Temas:
give-feedback = Dar sua opinião
not-recorded = Esta sessão não é gravada.
at-the-same-time = No mesmo horário
previous-in-track = Anterior em { $name }
next-in-track = Próxima em { $name }
part-of = { $name } em { $title }
subscribe-to = Assinar { $name }
no-longer-speaking = Esta pessoa não tem mais sessões na programação.
nothing-here = Não há sessões aqui no momento.
previous-page = Sessões anteriores
next-page = Sessões seguintes
pages = Páginas
share = Compartilhar

## Texts of scripts

refused = Não foi salvo: { $why }
queued = Você está sem conexão. Vamos salvar isto quando ela voltar.
waiting = Ainda não foi salvo
settled = Conexão restabelecida: suas escolhas estão salvas.
unsettled = Não foi possível salvar algumas escolhas: { $titles }.
new-release = A programação foi atualizada.
reload = Recarregar
offline-since = Você está sem conexão. Última atualização há { $ago }.
copied = Copiado.
copy-failed = Não foi possível copiar. O link está selecionado: pressione Ctrl+C.
overlaps = “{ $title }” coincide com “{ $other }”.
keep-both = Manter as duas
replace = Substituir “{ $other }”
replaced = Substituída.
offline = Você está sem conexão
offline-text = Esta página não está disponível sem conexão.

## My agenda

agenda-none = Você ainda não tem uma agenda
agenda-none-text = Escolha sessões na programação para começar a sua agenda. Não é preciso ter conta; ela fica salva neste navegador.
agenda-none-elsewhere = Tem uma em outro dispositivo? Abra-a lá e escolha “Passar para outro dispositivo”.
agenda-signed-out = Este navegador foi desconectado, ou a agenda foi excluída, em outro dispositivo. A próxima sessão que você escolher começa uma nova agenda.
agenda-deleted = Sua agenda foi excluída.
agenda-empty = Ainda não há sessões.
overlaps-with = Coincide com { $other }.
and-more = e mais { $n }
first-shown =
    { $n ->
        [one] Só a primeira é exibida: refine a busca.
       *[other] Só as primeiras { $n } são exibidas: refine a busca.
    }
keep-this = Manter esta
overlap-count =
    { $n ->
        [one] { $n } das suas sessões coincide.
        [2] Duas das suas sessões coincidem.
       *[other] { $n } das suas sessões coincidem.
    }
free-range = Livre { $range }
free-then = Livre { $range }; depois, { $what } até { $until }
changed = Alterada
changed-since = Alterações desde a sua última visita
gone = Não estão mais na programação
forget = Remover
add-to-calendar = Adicionar ao calendário
settings = Configurações
my-links = Links para esta agenda
my-links-text = Quem tiver este link pode ver e assinar a sua agenda, mas não alterá-la.
link-label = Rótulo (opcional)
new-link = Criar outro link
revoke = Desativar o link
revoke-text = Quem o usar verá que a agenda não é mais compartilhada.
link-hidden = Este link ainda funciona, mas não pode ser exibido de novo.
link-untitled = Link { $n }
fresh-link = Minha agenda do Google está atrasada: um novo link
fresh-link-text = O Google lê uma agenda só a cada 8 a 24 horas, mas um link novo na hora. Crie um, adicione-o ao Google Agenda e exclua a agenda antiga de lá; senão tudo aparece duas vezes.
fresh-link-make = Criar um novo link para o Google
show-page = Abrir
qr = Código QR
copy = Copiar
address = Endereço
agenda-name = Nome da sua agenda
rename = Renomear
other-device = Passar para outro dispositivo
other-device-text = Crie um link que abre esta agenda em outro dispositivo para edição. Ele funciona uma vez e expira em 10 minutos.
make-hand-over = Criar o link
hand-over-ready = Abra este link no outro dispositivo em até { $minutes }. Ele funciona uma vez.
new-key = Perdeu um dispositivo?
new-key-text = Desconecta todos os outros dispositivos. Os links compartilhados continuam funcionando.
make-key = Desconectar os outros dispositivos
delete = Excluir tudo
delete-text = Suas escolhas, links e chave são apagados imediatamente. Os calendários que assinaram verão que a agenda não é mais compartilhada.
delete-sure = Sim, excluir minha agenda
print = Imprimir
fetched = { $client } está em dia; a última consulta foi há { $ago }.
fetched-behind =
    { $n ->
        [one] A última consulta de { $client } foi há { $ago }; { $n } alteração ainda não chegou até ele.
       *[other] A última consulta de { $client } foi há { $ago }; { $n } alterações ainda não chegaram até ele.
    }
not-fetched = Nenhum calendário assinou ainda.
done-picked = Adicionada à sua agenda.
done-removed = Removida da sua agenda.
undo = Desfazer
done-kept = Coincidência resolvida.
done-renamed = Sua agenda tem um novo nome.
done-linked = O novo link está pronto.
done-fresh = O novo link é o último desta lista. Adicione-o ao Google Agenda e exclua a agenda antiga de lá.
done-revoked = O link foi desativado.
done-arrived = A sua agenda agora também está neste navegador.
done-key = Todos os outros dispositivos foram desconectados.

## Suggested day

suggest = Sugerir meu dia
suggest-this-day = Sugerir este dia
plan-text = Estas sessões não coincidem e deixam tempo para ir de uma sala a outra. Sua agenda não muda até você apertar um botão.
plan-counts =
    { $of ->
        [one] { $n } da sua { $of } sessão é compatível.
       *[other] { $n } das suas { $of } sessões são compatíveis.
    }
plan-all-fit = Todas as suas sessões são compatíveis.
plan-inexact = Muitas das suas palestras acontecem mais de uma vez, e nem todas as combinações foram comparadas. Pode haver uma escolha melhor.
plan-all-days = Todos os dias
plan-left-out = Deixadas de fora
plan-remove =
    { $n ->
        [one] Remover a sessão deixada de fora
       *[other] Remover as { $n } sessões deixadas de fora
    }
plan-keep-all = Manter tudo
plan-attend-instead =
    { $n ->
        [one] Ir a esta e remover a outra
       *[other] Ir a esta e remover as outras { $n }
    }
plan-again = Também acontece em um horário possível:
plan-instead = No mesmo horário, e é compatível:
left-busy = Você está ocupado nesse horário.
left-busy-with = Você está ocupado nesse horário: { $label }.
left-repeat = Você verá esta palestra em { $at }.
left-for = Para ir, você teria que perder { $others }.
cost = Você veria { $parts }.
cost-nothing = A troca é equivalente.
cost-comes = Então você poderia ir a { $others }.
fewer-musts =
    { $n ->
        [one] { $n } sessão imperdível a menos
       *[other] { $n } sessões imperdíveis a menos
    }
fewer-wants =
    { $n ->
        [one] { $n } sessão desejada a menos
       *[other] { $n } sessões desejadas a menos
    }
fewer-maybes =
    { $n ->
        [one] { $n } “talvez” a menos
       *[other] { $n } “talvez” a menos
    }
more-wants =
    { $n ->
        [one] { $n } sessão desejada a mais
       *[other] { $n } sessões desejadas a mais
    }
more-maybes =
    { $n ->
        [one] { $n } “talvez” a mais
       *[other] { $n } “talvez” a mais
    }
walk = A pé: { $length }
next-in = Depois em { $room }:
rank-must = Imperdível
rank-want = Quero ver
rank-maybe = Talvez
busy = Ocupado
busy-heading = Quando você está ocupado
busy-text = As sugestões deixam estes horários livres. Só você pode vê-los.
busy-from = De
busy-to = Até
busy-label = Nota (opcional)
busy-add = Adicionar
busy-wrong = Não adicionado: o fim deve ser depois do início.
busy-upload = Ler horários de um arquivo de calendário
busy-upload-text = Escolha um arquivo de calendário (.ics). Guardamos só os horários, não os títulos. Eventos repetidos ou de dia inteiro não são lidos.
busy-read = Adicionar horários
busy-skipped =
    { $n ->
        [one] { $n } evento repetido ou de dia inteiro não foi lido. Digite o horário abaixo.
       *[other] { $n } eventos repetidos ou de dia inteiro não foram lidos. Digite os horários abaixo.
    }
done-planned = Removidas. Agora suas sessões são compatíveis.
done-ranked = Salvo.
done-busy-added = Horário adicionado.
done-busy-removed = Horário removido.
done-busy-read =
    { $n ->
        [0] Nenhum evento encontrado nos dias da conferência.
        [one] { $n } horário adicionado.
       *[other] { $n } horários adicionados.
    }

## Import and export

import = Importar sessões
import-text = Escolha um arquivo de calendário (.ics) com as suas sessões, daqui ou de outra ferramenta, ou uma lista JSON dos identificadores. Você verá as sessões antes de qualquer adição.
import-file = Arquivo
import-look = Visualizar
import-new = Encontradas
import-nothing = Não há novas sessões para adicionar.
import-take =
    { $n ->
        [one] Adicionar esta sessão
       *[other] Adicionar estas { $n } sessões
    }
import-full = Com as suas escolhas seriam { $n }, e uma agenda comporta { $most }. Escolha algumas delas na programação.
import-held = Já estão na sua agenda
import-unknown = Não estão nesta programação
import-ambiguous = Várias sessões correspondem
carry = Exportar a sua agenda
carry-text = Baixe a sua agenda ou compartilhe uma cópia por link. Alterações posteriores não são incluídas.
carry-calendar = Arquivo de calendário (.ics)
carry-list = Lista (JSON)

## Hand-over

hand-over = Abrir a sua agenda aqui
hand-over-text = Este link passa uma agenda para este dispositivo, para que você possa editá-la aqui. Ele funciona uma vez.
hand-over-replaces = Isto substitui a agenda neste navegador.
hand-over-button = Abrir neste dispositivo

## Shared agenda

shared-agenda = Agenda compartilhada
shared-text = Somente leitura. Ela é atualizada quando quem a compartilha a altera.
pick-all = Adicionar tudo à minha agenda
both = Também na minha agenda
only-mine = Só na minha agenda
in-common =
    { $n ->
        [one] { $n } de { $of } também está na sua agenda.
       *[other] { $n } de { $of } também estão na sua agenda.
    }

## Team

team = Quem vai aonde
team-make = Planejar em equipe
team-text = Cole os links das agendas da sua equipe, um por linha (até 20), para ver quem vai aonde e o que ninguém vai acompanhar.
team-read-only = Somente leitura. Quem desativa o seu link desaparece desta página e do calendário dela.
team-links = Links das agendas
team-button = Mostrar a equipe
team-nobody = Ninguém
team-gone = não é mais compartilhada
team-members = Participantes
team-line = A linha { $n } não é um link de agenda desta conferência.
team-none = Cole pelo menos um link.
team-many = Uma equipe tem no máximo 20 links.
team-empty = Ninguém escolheu nada ainda.

## Subscribe

subscribe-heading = Assinar { $name }
subscribe-text = O seu calendário se mantém atualizado automaticamente.
apple = Calendário da Apple
apple-how = iPhone, iPad e Mac. Abre um pedido de assinatura.
apple-button = Abrir no Calendário da Apple
apple-delay = Atualiza com a frequência que você escolher. Ajuste a atualização automática para a cada hora.
google = Google Agenda
google-how = Adicione em um computador e ele aparecerá também no telefone. O aplicativo do Android não consegue adicionar calendários por link.
google-button = Abrir no Google Agenda
google-delay = Atualiza a cada 8–24 horas; o Google define o ritmo. As sessões canceladas permanecem, indicadas no título.
google-too-large = Este calendário é maior que o 1 MB que o Google lê. Em vez dele, adicione uma trilha ou um dia:
outlook = Outlook.com
outlook-how = Contas pessoais, em um navegador.
outlook-button = Abrir no Outlook.com
outlook-work = Microsoft 365
outlook-work-how = Contas corporativas ou de estudante, em um navegador.
outlook-work-button = Abrir no Microsoft 365
outlook-delay = Costuma atualizar em algumas horas, às vezes em um dia.
thunderbird = Thunderbird
thunderbird-how = Arquivo › Novo › Agenda › Na rede; depois, cole o endereço.
thunderbird-delay = Atualiza a cada 30 minutos, ou como você configurar.
icsx5 = ICSx⁵ (Android)
icsx5-how = Abre o aplicativo, que leva as sessões para qualquer calendário do Android.
icsx5-button = Abrir no ICSx⁵
icsx5-delay = Atualiza como você configurar, no mínimo a cada 15 minutos.
giggity = Giggity (Android)
giggity-how = No aplicativo: adicione uma programação e cole o endereço ou escaneie-o.
giggity-button = Abrir no Giggity
giggity-delay = Atualiza ao ser aberto, no máximo um dia depois.
any-calendar = Qualquer outro calendário
any-how = Cole ou escaneie este endereço onde o seu calendário adiciona um “por URL” ou “da web”.
other-apps = Outros aplicativos
options = Opções
caldav = Conta de calendário (CalDAV)
caldav-how = Adicione uma conta CalDAV com este endereço. Deixe o usuário e a senha vazios.
caldav-agenda-how = Adicione uma conta CalDAV com este endereço. A senha é o link para esta agenda; o usuário pode ser qualquer um.
caldav-delay = Atualiza a cada poucos minutos.
kde = KDE (Merkuro, KOrganizer)
kde-how = Adicione um “recurso de groupware DAV”, escolha a configuração manual e cole o endereço. Deixe o usuário e a senha vazios.
vdirsyncer = vdirsyncer e khal
vdirsyncer-how = Adicione à configuração um armazenamento do tipo “http” com este endereço, como lado somente leitura de um par.
alarm = Lembrete
alarm-none = Nenhum
alarm-before = { $minutes } antes
download = Baixar .ics
download-text = (uma cópia que não se atualiza)

## Changes

changes-text = Alterações da programação, as mais recentes primeiro.
no-changes = Nada mudou desde a primeira publicação da programação.
first-release = A programação foi publicada.
release-heading = Versão { $n }
added = Adicionada
moved = Transferida
edited = Editada
restored = Restabelecida
withdrawn = Retirada
title-changed = Título alterado; antes: “{ $before }”
follow-changes = Acompanhar em um leitor de feeds

## Organizer

organizer = Organização
sign-in = Entrar
sign-in-text = Digite a chave da organização. Ela fica salva neste navegador até você sair.
sign-in-wrong = Chave incorreta. Tente de novo.
secret = Chave da organização
sign-out = Sair
last-attempt = Última tentativa
held = Uma versão aguarda a sua confirmação
held-since = Origem: { $origin }, { $at }.
held-more =
    { $n ->
        [one] Mais { $n } alteração está na prévia.
       *[other] Mais { $n } alterações estão na prévia.
    }
discard = Descartar
stale-file = O arquivo da programação { $file } difere da versão no ar e é ignorado até ser salvo com outro conteúdo.
superseded = Nada foi publicado: a versão { $n } foi publicada depois da sua prévia, em { $at }. Estas são as alterações em relação a essa versão.
takes-back = Publicar desfaz o que a versão { $n } alterou
preview-again = Escolha o arquivo corrigido
upload = Publicar uma programação
upload-text = Escolha um arquivo CSV. Você verá as alterações antes de qualquer publicação.
file = Arquivo
preview = Prévia
preview-nothing = Nada mudaria.
preview-errors =
    { $n ->
        [one] Não pode ser publicado: { $n } erro.
       *[other] Não pode ser publicado: { $n } erros.
    }
preview-changes =
    { $n ->
        [one] { $n } alteração
       *[other] { $n } alterações
    }
impact =
    { $n ->
        [0] Não afeta nenhuma agenda pessoal.
        [one] Afeta { $n } agenda pessoal; { $overlaps }.
       *[other] Afeta { $n } agendas pessoais; { $overlaps }.
    }
impact-overlaps =
    { $n ->
        [0] nenhuma nova coincidência
        [one] { $n } tem uma nova coincidência
       *[other] { $n } têm uma nova coincidência
    }
most-hit = Sessões afetadas mais escolhidas
in-agendas =
    { $n ->
        [one] em { $n } agenda
       *[other] em { $n } agendas
    }
confirm = Publicar
confirm-held = Publicar mesmo assim
releases = Versões
release-column = Versão
published-column = Publicada
origin-column = Origem
who-column = Por
roll-back = Restaurar
live = no ar
csv = program.csv
error = Erro
warning = Aviso
sign-in-expired = Você estava desconectado, então nada foi feito. Entre e tente de novo.
signed-out = Você saiu.
to-the-desk = Voltar à página da organização
live-release = Versão no ar
download-live = Baixar a programação no ar
attempt = { $at }, { $source }: { $outcome }.
stale = O arquivo da programação é ignorado
stale-keep = Para continuar a partir da programação no ar, substitua o arquivo por esta:
stale-replace = Para publicar o arquivo, escolha-o em “Publicar uma programação”.
unstored = Um arquivo da programação não pôde ser armazenado
unstored-file = Desde { $at }: { $reason }. O servidor continua tentando.
source-from = Da fonte acompanhada { $host }
source-read = Última leitura completa: { $at }.
source-unread = Ela não foi lida desde que o servidor iniciou. O callboard follow está em execução?
source-discarded = A programação que a fonte tem agora foi descartada. Ela é ignorada até a fonte mudar.
source-problem = Desde { $at }: { $reason }. A programação no ar permanece.
source-conflicts = Mudanças da fonte que as suas edições escondem
source-conflict = { $title }, { $fields }: a fonte tem { $source }; o seu valor permanece: { $own }
source-deleted-row = { $title }: a fonte o mudou; a linha foi apagada aqui e continua apagada
source-conflicts-text = Para adotar um valor da fonte, publique a programação com esse valor.
source-notes = Omitido ou presumido
source-nothing = nada
stopped = Algo parou no servidor
schedule = Agendado
planned = Uma programação vai ao ar em { $at }. Foi agendada em { $made }.
planned-by = Uma programação vai ao ar em { $at }. { $who } a agendou em { $made }.
unschedule = Cancelar a publicação
preview-source = Origem: { $source }.
preview-summary = { $changes }: { $kinds }.
preview-breaks =
    { $n ->
        [one] { $n } intervalo ou refeição
       *[other] { $n } intervalos e refeições
    }
n-added = adicionadas: { $n }
n-moved = transferidas: { $n }
n-edited = editadas: { $n }
n-cancelled = canceladas: { $n }
n-restored = restabelecidas: { $n }
n-withdrawn = retiradas: { $n }
before = Antes:
after = Depois:
empty = (vazio)
row-line = Linha { $line } do arquivo
row-gone = Não está no arquivo; linha { $line } da programação no ar
field-time = Horário
check-first = Confira antes
type-removed =
    { $n ->
        [one] Isto remove { $n } sessão. Digite { $n } para publicar mesmo assim:
       *[other] Isto remove { $n } sessões. Digite { $n } para publicar mesmo assim:
    }
type-changed =
    { $n ->
        [one] Isto altera { $n } sessão. Digite { $n } para publicar mesmo assim:
       *[other] Isto altera { $n } sessões. Digite { $n } para publicar mesmo assim:
    }
wrong-number = Nada foi publicado: “{ $typed }” não é o número.
wrong-time = Nada foi agendado. Informe um horário futuro que exista no relógio do local.
publish-later = Publicar mais tarde
publish-at = Data e hora
schedule-it = Agendar
done-published = Publicada: a versão { $n } está no ar.
done-unchanged = Nada foi publicado: a programação é igual à versão { $n }.
done-discarded = A versão foi descartada.
done-gone = Nada foi feito: essa versão não está mais à espera.
done-scheduled = A programação está agendada.
done-unscheduled = A publicação agendada foi cancelada.
calendars = Quem tem a alteração
calendars-none = Nenhum calendário foi consultado nos últimos dois dias.
calendars-text = Calendários consultados nos últimos dois dias. Os públicos são estimados desde { $at }: Google e Outlook consultam uma vez por muitas pessoas.
calendar-column = Calendário
app-column = Aplicativo
has-release = Têm a versão { $n }
earlier-column = Têm uma anterior
earlier-release = { $count } (versão { $n })
release-share = Em { $n } de { $of } calendários ({ $percent }%)
checked-column = Última consulta
calendar-program = Programação
calendar-track = Trilha
calendar-part = Sala, dia ou palestrante
calendar-agenda = Agenda
outbox = Entregas
outbox-webhook = Webhooks
outbox-push = Mensagens push
outbox-mail = E-mails
outbox-calendars = Mensagens a programas de calendário
reach = Mensagens sobre cada versão
channel-column = Canal
sent-column = Enviadas
delivered-column = Aceitas
failed-column = Abandonadas
waiting-column = Em espera
times-column = 50 · 95 · 100 %
reach-text = Os tempos indicam quanto depois da versão essa parte das mensagens foi aceita pelo destinatário ou pelo serviço push. Uma mensagem substituída por uma versão posterior conta nela.
outbox-waiting =
    { $n ->
        [one] { $n } entrega à espera.
       *[other] { $n } entregas à espera.
    }
outbox-oldest = A mais antiga espera desde { $at }.
outbox-failed =
    { $n ->
        [one] { $n } entrega abandonada.
       *[other] { $n } entregas abandonadas.
    }
picks-by-session = Escolhas por sessão
picks-text = Em quantas agendas está cada sessão, para escolher as salas. Sessões com menos de { $n } escolhas são omitidas, para que ninguém seja reconhecido.
picks-none = Nenhuma sessão tem { $n } escolhas ainda.
picks-column = Escolhas
by-picks = Por escolhas
by-time = Por horário
download-csv = Baixar como CSV
sessions-column = Sessões
capacity-column = Lugares
too-small = pequena
restore-release = Restaurar a versão { $n }

## The API

api-text = Tudo o que está nestas páginas, como JSON, calendários e nos formatos de outras ferramentas.
api-document = Descrição OpenAPI
api-needs = Requer:
api-required = obrigatório
api-answers = Respostas e exemplo

## Calendars

cancelled-prefix = { "CANCELADA: " }
weekday-time = { $weekday } { $time }
moved-note = Nota: transferida; antes: { $place }
feed-day = { $weekday }, { $day } de { $month }
feed-day-short = { $weekday }, { $day } de { $month }
feed-program = A programação de { $title }
feed-agenda = Uma agenda pessoal para { $title }
feed-my-agenda = { $title }: minha agenda
feed-closed = { $title } (não é mais compartilhada)
feed-closed-text = Esta agenda não é mais compartilhada. Você pode remover o calendário.
feed-team = Equipe: { $names }
feed-team-about = Quem vai aonde em { $title }
team-member = Participante { $n }

## Change feeds

changes-of = { $title }: alterações
changes-of-part = { $title }: alterações em { $name }
program-published = A programação de { $title } está publicada
sessions-published =
    { $n ->
        [one] { $n } sessão.
       *[other] { $n } sessões.
    }
change-new-head = nova, { $place }
change-new = Nova na programação: { $place }.
change-cancelled-head = cancelada
change-cancelled = Cancelada. Estava prevista: { $place }.
change-restored-head = afinal vai acontecer, { $place }
change-restored = Afinal vai acontecer: { $place }.
change-moved-head = transferida para { $to }
change-moved = Transferida de { $from } para { $to }.
change-end-head = termina às { $end }
change-shorter =
    { $n ->
        [one] Termina às { $end }, { $n } minuto mais curta.
       *[other] Termina às { $end }, { $n } minutos mais curta.
    }
change-longer =
    { $n ->
        [one] Termina às { $end }, { $n } minuto mais longa.
       *[other] Termina às { $end }, { $n } minutos mais longa.
    }
change-in-head = agora em { $to }
change-no-track-head = agora sem trilha
change-no-room-head = agora sem sala
change-track = Trilha alterada de { $from } para { $to }.
change-track-new = Trilha: { $to }.
change-track-gone = A trilha { $from } não se aplica mais.
change-room = Sala alterada de { $from } para { $to }.
change-room-new = Sala: { $to }.
change-room-gone = A sala { $from } não se aplica mais.
change-title-head = novo título
change-title = Novo título: { $to } (antes: { $from }).
change-speakers-head = novos palestrantes
change-speakers = Palestrantes: { $speakers }.
change-no-speakers = Nenhum palestrante está indicado no momento.
change-status-head = agora { $status }
change-status = Agora está { $status }.
status-confirmed = confirmada
status-tentative = provisória
status-cancelled = cancelada
status-withdrawn = retirada
change-fields-head = alteração: { $fields }
change-fields = Editado: { $fields }.
change-updated-head = atualizada
change-updated = Atualizada.

## Fields of a session

field-id = identificador
field-date = data
field-start = início
field-end = fim
field-end-date = data de término
field-kind = tipo
field-title = título
field-track = trilha
field-block = bloco
field-room = sala
field-speakers = palestrantes
field-abstract = resumo
field-bios = biografias
field-url = página web
field-links = links
field-language = idioma
field-tags = temas
field-image = imagem
field-feedback-url = endereço para opiniões
field-recording = gravação
field-guid = identificador de origem
field-status = status

## The program as plain text

day-year = { $weekday }, { $day } de { $month } de { $year }
text-release = Versão { $n }; todos os horários são de { $zone }.
text-more = E mais { $n }: refine a busca.
text-overlap = { $title } acontece no mesmo horário que { $others }
text-gone =
    { $n ->
        [one] { $n } sessão escolhida não está mais na programação.
       *[other] { $n } sessões escolhidas não estão mais na programação.
    }
text-empty = Ainda não há sessões.

## Problems

problem-missing-title = Página não encontrada
problem-missing = Não há nada neste endereço. Verifique se ele foi digitado corretamente.
problem-gone-title = Não está mais disponível
problem-gone = Esta agenda não é mais compartilhada. Remova a assinatura ou peça um novo link.
problem-used-up = Este link funciona uma única vez, por dez minutos. Crie um novo no dispositivo que tem a agenda.
problem-no-preview = Esta prévia não está mais disponível, portanto nada foi publicado. Abra a prévia de novo.
problem-other-site-title = Não permitido
problem-other-site = Isto foi enviado de outro site. Abra a página aqui e tente de novo.
problem-busy-title = Tente de novo em instantes
problem-busy = O servidor está ocupado no momento. Tente de novo em instantes.
problem-too-often-title = Solicitações demais
problem-too-often =
    { $wait ->
        [one] Foram solicitações demais. Tente de novo em { $wait } segundo.
       *[other] Foram solicitações demais. Tente de novo em { $wait } segundos.
    }
problem-too-large-title = Grande demais
problem-too-large = Isto é grande demais. Escolha um arquivo menor ou menos sessões.
problem-file-title = Não foi possível ler este arquivo
problem-file = Escolha um arquivo de calendário (.ics) ou uma lista JSON exportados daqui ou de outra ferramenta.
problem-key-title = Não conectado
problem-key = A chave deste navegador não abre mais a agenda.
problem-changed-title = Alterado nesse meio-tempo
problem-changed = Isto foi alterado nesse meio-tempo. Recarregue a página e repita a sua alteração.
problem-full-title = Limite atingido
problem-full = Não cabe mais nada na sua agenda. Remova algo primeiro.
problem-request-title = Não funcionou
problem-request = O endereço ou o formulário contém algo que o servidor não entende.
problem-server-title = Algo deu errado
problem-server = O servidor cometeu um erro. Tente de novo mais tarde.

## Sources and results of publications

origin-first = primeira inicialização
origin-file = arquivo da programação
origin-upload = envio
origin-rollback = versão { $n }, publicada de novo
origin-config = configuração alterada
origin-upgrade = Callboard mais novo
origin-restored = backup restaurado
origin-scheduled = agendamento
origin-source = fonte acompanhada
attempt-published = publicado como versão { $n }
attempt-unchanged = nada mudou em relação à versão { $n }
attempt-refused =
    { $n ->
        [one] recusado: { $n } erro
       *[other] recusado: { $n } erros
    }
attempt-held = retido: { $reasons }
attempt-failed = falhou: { $reason }

## Why a release is held; each completes "retido: …"

hold-touches =
    { $of ->
        [one] remove, move ou renomeia { $touched } de { $of } sessão ({ $percent } %)
       *[other] remove, move ou renomeia { $touched } de { $of } sessões ({ $percent } %)
    }
hold-zone-or-dates = muda o fuso horário ou as datas da conferência
hold-lacks-rows =
    { $n ->
        [one] falta ao arquivo exatamente a última linha da programação no ar, como se ele tivesse sido cortado
       *[other] faltam ao arquivo exatamente as últimas { $n } linhas da programação no ar, como se ele tivesse sido cortado
    }
hold-ends-within = o arquivo termina no meio da linha de { $session }
hold-sheet-lacks-rows =
    { $n ->
        [one] falta à planilha exatamente a última linha, como se ela tivesse sido cortada
       *[other] faltam à planilha exatamente as últimas { $n } linhas, como se ela tivesse sido cortada
    }
hold-sheet-lacks-line-break = a planilha não termina mais com uma quebra de linha, como se tivesse sido cortada
hold-sheet-ends-within-row = a planilha termina no meio da última linha
hold-when-due = foi retida na hora marcada
hold-overwrites-one = a versão { $first } foi publicada depois do agendamento, e as mudanças dela em { $sessions } se perderiam
hold-overwrites = as versões { $first } a { $last } foram publicadas depois do agendamento, e as mudanças delas em { $sessions } se perderiam
hold-more =
    { $n ->
        [one] mais { $n }
       *[other] mais { $n }
    }

## Messages to browsers

push-overlap = Agora coincide com “{ $title }”.
push-several =
    { $n ->
        [one] { $n } das suas sessões mudou
       *[other] { $n } das suas sessões mudaram
    }
push-more =
    { $n ->
        [one] … e mais { $n }
       *[other] … e mais { $n }
    }

reminder = Começa às { $time }.
reminder-in-room = Começa às { $time }, { $room }.
reminder-several =
    { $n ->
        [one] { $n } das suas sessões começa às { $time }
       *[other] { $n } das suas sessões começam às { $time }
    }

notify-me = Avisar-me sobre mudanças
notify-text = Este dispositivo recebe uma mensagem quando uma das suas sessões muda de horário ou local, é cancelada ou volta a acontecer, e nada além disso, a menos que você ative os lembretes.
notify-on = Este dispositivo é avisado sobre mudanças.
notify-reminders = Lembrar-me também 10 minutos antes de cada sessão
notify-stop = Parar
notify-denied = Seu navegador bloqueia as notificações deste site. Permita-as nas configurações do navegador para este site e recarregue a página.
notify-unsupported = Este navegador não consegue mostrar notificações de sites. Abra esta página em outro navegador para ser avisado sobre mudanças.
notify-ios = Para ser avisado em um iPhone ou iPad, adicione esta página à Tela de Início (Compartilhar e, depois, Adicionar à Tela de Início) e abra-a de lá.
notify-full = Dez dispositivos já são avisados. Remova um deles nas configurações abaixo.
notify-failed = Não deu certo. Tente de novo mais tarde.
devices = Dispositivos avisados
devices-text = Estes dispositivos recebem uma mensagem quando uma das suas sessões muda de horário ou local, é cancelada ou volta a acontecer.
device-unnamed = Dispositivo sem nome
device-remove = Remover
done-device-removed = O dispositivo não recebe mais mensagens.

## Convites de calendário por e-mail

mail-confirm-subject = Confirme seus convites de calendário: { $title }
mail-confirm-text = Alguém, provavelmente você, pediu para receber neste endereço as sessões de uma agenda de { $title } como convites de calendário. Para recebê-los, abra este link em até 48 horas e pressione o botão:
mail-confirm-ignore = Se não foi você, ignore este e-mail. Seu endereço não foi armazenado, e você não receberá mais nada.
mail-invitation = Convite: { $title }
mail-update = Atualização: { $title }
mail-cancellation = Cancelamento: { $title }
mail-first = Pressione “Sim” uma vez neste convite. Assim seu calendário conhece o remetente e adiciona e altera sozinho as outras sessões da sua agenda.
mail-cancelled-text = Esta sessão foi cancelada, ou você a removeu da sua agenda. Seu calendário também a remove.
mail-reason = Você recebe este e-mail porque pediu as sessões da sua agenda de { $title }.
mail-end-here = Encerrar os convites:
mail-heading = Convites de calendário por e-mail
mail-text = Suas sessões chegam ao seu calendário como convites, e as mudanças em até um minuto. É o ideal para o Google Agenda e o Outlook, que consultam calendários assinados apenas a cada poucas horas.
mail-either = Use estes convites ou um calendário assinado. Com os dois, seu calendário mostra cada sessão duas vezes.
mail-already = Suas sessões já chegam por e-mail. Se você também assinar este calendário, o mesmo aplicativo de calendário mostrará cada sessão duas vezes.
mail-address = Endereço de e-mail
mail-ask = Enviar um e-mail de confirmação
mail-asked = Um e-mail está a caminho deste endereço, a não ser que ele tenha recebido um no último dia. Abra o link e pressione o botão.
mail-addresses = Os convites vão para:
mail-removed = Nenhum convite é mais enviado a este endereço.
mail-key = Os convites de calendário por e-mail também terminam.
mail-confirm = Convites de calendário
mail-confirm-page = As sessões da sua agenda chegarão a { $address } como convites de calendário. Use estes convites ou um calendário assinado. Com os dois, seu calendário mostra cada sessão duas vezes.
mail-confirm-button = Receber convites
mail-confirmed = O primeiro convite está a caminho. Pressione “Sim” nele uma vez.
mail-end = Encerrar os convites de calendário
mail-end-page = Você não receberá mais convites desta agenda. As sessões que estão no seu calendário ficam, mas não mudam mais.
mail-end-button = Encerrar os convites
mail-ended = Você não recebe mais convites. As sessões que estão no seu calendário ficam, mas não mudam mais.
mail-link-over = Este link não funciona mais. Digite de novo seu endereço de e-mail na página da sua agenda.
