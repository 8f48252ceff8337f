# Callboard の日本語の文言。です・ます調。ボタンは動詞または「〜する」。

## Days and times

monday = 月曜日
tuesday = 火曜日
wednesday = 水曜日
thursday = 木曜日
friday = 金曜日
saturday = 土曜日
sunday = 日曜日
monday-short = 月
tuesday-short = 火
wednesday-short = 水
thursday-short = 木
friday-short = 金
saturday-short = 土
sunday-short = 日
january = 1月
february = 2月
march = 3月
april = 4月
may = 5月
june = 6月
july = 7月
august = 8月
september = 9月
october = 10月
november = 11月
december = 12月
january-short = 1月
february-short = 2月
march-short = 3月
april-short = 4月
may-short = 5月
june-short = 6月
july-short = 7月
august-short = 8月
september-short = 9月
october-short = 10月
november-short = 11月
december-short = 12月
day-long = { $month }{ $day }日{ $weekday }
day-medium = { $month }{ $day }日({ $weekday })
day-short = { $day }日({ $weekday })
month-day = { $month }{ $day }日
date = { $year }年{ $month }{ $day }日
date-range = { $year }年{ $month }{ $day }日～{ $last }日
date-range-months = { $year }年{ $first }～{ $last }
date-range-years = { $first }～{ $last }
time-12 = { $half }{ $time }
am = 午前
pm = 午後
twelve = 0
range = { $start }～{ $end }
range-12 = { $half }{ $start }～{ $end }
range-days = { $start }～{ $day } { $end }
moment = { $day } { $time }
minutes = { $n }分
hours = { $n }時間
days = { $n }日
list-two = { $first }、{ $last }
list-comma = 、
list-end = { $first }、{ $last }
list-more = { $first }、ほか{ $n }件
quoted = 「{ $text }」

times-are = 時刻は会場の現地時間({ $zone })です。
my-zone = 自分のタイムゾーンで表示する
venue-zone = 会場の時刻で表示する
your-times = 時刻はお使いのタイムゾーン({ $zone })で表示しています。
venue-date = 会場の日付
now = 開催中
next = このあと
to-now = 開催中へ
to-next = このあとへ
unfold = 表示する
fold = 隠す
pitch = 聴きたいセッションを選んでください。カレンダーに追加され、変更も自動で反映されます。
over = このカンファレンスは終了しました。
map = 地図

## Kinds

talk = 講演
plenary = 全体講演
lightning = ライトニングトーク
panel = パネルディスカッション
workshop = ワークショップ
discussion = ディスカッション
remarks = 挨拶
pause = 休憩
meal = 食事
social = 懇親会

## Every page

skip = 本文へ移動
main-navigation = メインメニュー
program = プログラム
changes = 変更履歴
subscribe = 購読する
my-agenda = マイスケジュール
release-is = 第{ $n }版、{ $at }公開。
api = API
all-speakers = 登壇者
all-tracks = トラック
all-rooms = 会場
open-in-own-window = プログラムを別ウィンドウで開く
to-the-program = プログラムに戻る

## Program

days-navigation = 日程
filter = 絞り込む
all = すべて
search = 検索する
search-hint = セッション、登壇者、会場を検索
apply = 適用する
clear = 絞り込みを解除する
clear-search = 検索を解除する
day-label = 日付
kind-label = 種類
track = トラック
room = 会場
speaker = 登壇者
topic = トピック
sessions = { $n }件のセッション
shown = { $of }件中{ $n }件のセッション。
results-for = 「{ $text }」の検索結果: { $n }件
similar-results-for = 「{ $text }」に完全に一致するものはありません。似た結果が{ $n }件:
nothing-found = 該当するセッションがありません。絞り込みの条件を減らしてみてください。
nothing-found-for = 「{ $text }」に一致するセッションはありません。
subscribe-to-all = プログラム全体を購読する
subscribe-to-these = この{ $n }件のセッションを購読する
no-feed-for-text = 検索結果は購読できません。代わりに、セッションをマイスケジュールに追加してください。
announced = 近日公開
announced-track = セッションはまだありません。購読しておくと、発表され次第カレンダーに表示されます。
about-program = { $title }のプログラム。すべてのセッションと、購読できるカレンダーを掲載しています。
my-sessions = 選んだセッション
as-grid = 表
as-list = リスト
time = 時刻
other-sessions = その他
none-mine = まだセッションを選んでいません。
show-mine = 自分が選んだセッションを表示する

## Sessions

pick = 選ぶ
picked = 選択済み
unpick = 外す
cancelled = 中止
cancelled-long = このセッションは中止になりました。
tentative = 仮
tentative-long = 仮の予定です。内容が変わることがあります。
moved-from = 変更前: { $place }
calendar-file = カレンダーに追加する(.ics)
organizers-page = 主催者のページ
speakers = 登壇者
session-language = 言語: { $tag }
topics = トピック:
give-feedback = フィードバックを送る
not-recorded = このセッションは録画されません。
at-the-same-time = 同じ時間帯のセッション
previous-in-track = { $name }の前のセッション
next-in-track = { $name }の次のセッション
part-of = { $title }の{ $name }
subscribe-to = { $name }を購読する
no-longer-speaking = この登壇者のセッションは、現在プログラムにありません。
nothing-here = 現在、ここにセッションはありません。
previous-page = 前のセッション
next-page = 次のセッション
pages = ページ
share = 共有する

## Texts of scripts

refused = 保存できませんでした: { $why }
queued = オフラインです。オンラインに戻り次第、保存します。
waiting = 未保存
settled = オンラインに戻り、選択を保存しました。
unsettled = 一部の選択を保存できませんでした: { $titles }。
new-release = プログラムが更新されました。
reload = 再読み込みする
offline-since = オフラインです。最終更新は{ $ago }前です。
copied = コピーしました。
copy-failed = コピーできませんでした。リンクを選択してあるので、Ctrl+Cを押してください。
overlaps = 「{ $title }」は「{ $other }」と時間が重なっています。
keep-both = 両方残す
replace = 「{ $other }」と入れ替える
replaced = 入れ替えました。
offline = オフラインです
offline-text = このページはオフラインでは表示できません。

## My agenda

agenda-none = マイスケジュールはまだありません
agenda-none-text = プログラムからセッションを選ぶと、マイスケジュールができます。アカウントは不要で、このブラウザに保存されます。
agenda-none-elsewhere = 別の端末にお持ちですか。その端末で開き、「別の端末に移す」を選んでください。
agenda-signed-out = 別の端末で、このブラウザのログアウトまたはマイスケジュールの削除が行われました。次にセッションを選ぶと、新しいマイスケジュールが始まります。
agenda-deleted = マイスケジュールを削除しました。
agenda-empty = セッションはまだありません。
overlaps-with = { $other }と時間が重なっています。
and-more = ほか{ $n }件
first-shown = 最初の{ $n }件のみ表示しています。条件を絞り込んでください。
keep-this = こちらを残す
overlap-count = 選んだセッションのうち{ $n }件の時間が重なっています。
free-range = 空き { $range }
free-then = 空き { $range }、その後{ $until }まで{ $what }
changed = 変更あり
changed-since = 前回の閲覧後に変更されたセッション
gone = プログラムからなくなったセッション
forget = 外す
add-to-calendar = カレンダーに追加する
settings = 設定
my-links = このスケジュールへのリンク
my-links-text = このリンクを知っている人は、マイスケジュールの閲覧と購読ができますが、変更はできません。
link-label = ラベル(任意)
new-link = 別のリンクを作成する
revoke = リンクを無効にする
revoke-text = このリンクを使っている人には、共有が終了したことが表示されます。
link-hidden = このリンクは引き続き有効ですが、再表示はできません。
link-untitled = リンク{ $n }
fresh-link = Googleカレンダーの更新が遅れている場合
fresh-link-text = Googleは8～24時間ごとにしかカレンダーを取得しませんが、新しいリンクはすぐに取得します。新しいリンクを作成してGoogleカレンダーに追加し、古いカレンダーを削除してください。削除しないと、すべて二重に表示されます。
fresh-link-make = Google用の新しいリンクを作成する
show-page = 開く
qr = QRコード
copy = コピーする
address = アドレス
agenda-name = マイスケジュールの名前
rename = 名前を変更する
other-device = 別の端末に移す
other-device-text = このマイスケジュールを別の端末で編集できるようにするリンクを作成します。リンクは1回だけ使え、10分で失効します。
make-hand-over = リンクを作成する
hand-over-ready = { $minutes }以内に、別の端末でこのリンクを開いてください。1回だけ使えます。
new-key = 端末をなくしましたか
new-key-text = ほかのすべての端末からログアウトします。共有したリンクは引き続き使えます。
make-key = ほかの端末からログアウトする
delete = すべて削除する
delete-text = 選択、リンク、キーはただちに消去されます。購読中のカレンダーには、共有が終了したことが表示されます。
delete-sure = はい、削除します
print = 印刷する
fetched = { $client }は最新です。最終確認は{ $ago }前です。
fetched-behind = { $client }の最終確認は{ $ago }前です。{ $n }件の変更がまだ届いていません。
not-fetched = このリンクを購読しているカレンダーはまだありません。
done-picked = マイスケジュールに追加しました。
done-removed = マイスケジュールから外しました。
undo = 元に戻す
done-kept = 時間の重なりを解消しました。
done-renamed = マイスケジュールの名前を変更しました。
done-linked = 新しいリンクを作成しました。
done-fresh = 新しいリンクは一覧の最後にあります。Googleカレンダーに追加してから、古いカレンダーを削除してください。
done-revoked = リンクを無効にしました。
done-arrived = マイスケジュールをこのブラウザでも開けるようになりました。
done-key = ほかのすべての端末からログアウトしました。

## Suggested day

suggest = 一日の予定を提案
suggest-this-day = この日の予定を提案
plan-text = これらのセッションは時間が重ならず、部屋の移動時間も取れます。ボタンを押すまでスケジュールは変わりません。
plan-counts = { $of }件のうち{ $n }件のセッションに参加できます。
plan-all-fit = すべてのセッションに参加できます。
plan-inexact = 複数回行われる講演が多いため、すべての組み合わせは比べていません。もっと良い選び方があるかもしれません。
plan-all-days = すべての日
plan-left-out = 外れたセッション
plan-remove = 外れた{ $n }件のセッションを外す
plan-keep-all = すべて残す
plan-attend-instead = こちらに参加し、ほかの{ $n }件を外す
plan-again = 参加できる別の回：
plan-instead = 同じ時間に参加できるもの：
left-busy = その時間は予定があります。
left-busy-with = その時間は予定があります：{ $label }
left-repeat = この講演は{ $at }の回に参加します。
left-for = 参加するには{ $others }を外す必要があります。
cost = 全体では{ $parts }になります。
cost-nothing = 入れ替えても同じです。
cost-comes = その場合は{ $others }にも参加できます。
fewer-musts = 「必ず見る」が{ $n }件減
fewer-wants = 「見たい」が{ $n }件減
fewer-maybes = 「できれば」が{ $n }件減
more-wants = 「見たい」が{ $n }件増
more-maybes = 「できれば」が{ $n }件増
walk = 徒歩：{ $length }
next-in = { $room }の次のセッション：
rank-must = 必ず見る
rank-want = 見たい
rank-maybe = できれば
busy = 予定あり
busy-heading = 都合の悪い時間
busy-text = 提案ではこの時間を空けます。見えるのはご本人だけです。
busy-from = 開始
busy-to = 終了
busy-label = メモ（任意）
busy-add = 追加
busy-wrong = 追加できません。終了は開始より後にしてください。
busy-upload = カレンダーファイルから読み込む
busy-upload-text = カレンダーファイル（.ics）を選んでください。保存するのは時間だけで、題名は保存しません。終日の予定と繰り返しの予定は読み込みません。
busy-read = 時間を追加
busy-skipped = 終日または繰り返しの予定{ $n }件は読み込みませんでした。下で時間を入力してください。
done-planned = 外しました。すべてのセッションに参加できます。
done-ranked = 保存しました。
done-busy-added = 時間を追加しました。
done-busy-removed = 時間を外しました。
done-busy-read =
    { $n ->
        [0] 会期中の予定は見つかりませんでした。
       *[other] { $n }件の時間を追加しました。
    }

## Import and export

import = セッションを読み込む
import-text = このサイトやほかのツールのカレンダーファイル(.ics)、またはセッションIDのJSONリストを選んでください。追加する前に内容を確認できます。
import-file = ファイル
import-look = 内容を確認する
import-new = 見つかったセッション
import-nothing = 追加できる新しいセッションはありません。
import-take = この{ $n }件のセッションを追加する
import-full = すでに選んだセッションと合わせて{ $n }件になります。マイスケジュールに入れられるのは{ $most }件までです。プログラムから必要なものを選んでください。
import-held = すでにマイスケジュールにあるもの
import-unknown = このプログラムにないもの
import-ambiguous = 候補が複数あるもの
carry = マイスケジュールを書き出す
carry-text = マイスケジュールをダウンロードするか、コピーをリンクで共有します。その後の変更は反映されません。
carry-calendar = カレンダーファイル(.ics)
carry-list = リスト(JSON)

## Hand-over

hand-over = マイスケジュールをここで開く
hand-over-text = このリンクは、マイスケジュールをこの端末に移して編集できるようにします。1回だけ使えます。
hand-over-replaces = このブラウザのマイスケジュールは置き換えられます。
hand-over-button = この端末で開く

## Shared agenda

shared-agenda = 共有スケジュール
shared-text = 閲覧専用です。共有した人が変更すると更新されます。
pick-all = すべてマイスケジュールに追加する
both = マイスケジュールにもあります
only-mine = マイスケジュールだけにあるセッション
in-common = { $of }件中{ $n }件がマイスケジュールにもあります。

## Team

team = 誰がどこへ
team-make = チームで計画する
team-text = チームメンバーのスケジュールのリンクを1行に1つずつ(20件まで)貼り付けると、誰がどこへ行くか、誰も行かないセッションはどれかがわかります。
team-read-only = 閲覧専用です。リンクを無効にしたメンバーは、このページとカレンダーに表示されなくなります。
team-links = スケジュールのリンク
team-button = チームを表示する
team-nobody = 参加者なし
team-gone = 共有終了
team-members = メンバー
team-line = { $n }行目は、このカンファレンスのスケジュールのリンクではありません。
team-none = リンクを1つ以上貼り付けてください。
team-many = チームのリンクは20件までです。
team-empty = まだ誰も何も選んでいません。

## Subscribe

subscribe-heading = { $name }を購読する
subscribe-text = カレンダーは自動で最新に保たれます。
apple = Appleカレンダー
apple-how = iPhone、iPad、Mac用です。購読の確認画面が開きます。
apple-button = Appleカレンダーで開く
apple-delay = 設定した間隔で更新されます。自動更新を1時間ごとに設定してください。
google = Googleカレンダー
google-how = パソコンで追加すると、スマートフォンにも表示されます。Androidアプリでは、リンクからカレンダーを追加できません。
google-button = Googleカレンダーで開く
google-delay = 8～24時間ごとに更新されます(間隔はGoogleが決めます)。中止になったセッションは、タイトルに印が付いて残ります。
google-too-large = このカレンダーは、Googleが読み取れる1 MBを超えています。代わりにトラックまたは日を追加してください:
outlook = Outlook.com
outlook-how = 個人用アカウント、ブラウザ用です。
outlook-button = Outlook.comで開く
outlook-work = Microsoft 365
outlook-work-how = 職場または学校のアカウント、ブラウザ用です。
outlook-work-button = Microsoft 365で開く
outlook-delay = 通常は数時間以内、ときには1日ほどで更新されます。
thunderbird = Thunderbird
thunderbird-how = 「ファイル」›「新規作成」›「カレンダー」›「ネットワーク」を選び、アドレスを貼り付けます。
thunderbird-delay = 30分ごと、または設定した間隔で更新されます。
icsx5 = ICSx⁵(Android)
icsx5-how = アプリが開き、Androidのどのカレンダーにもセッションを表示できます。
icsx5-button = ICSx⁵で開く
icsx5-delay = 設定した間隔(最短15分)で更新されます。
giggity = Giggity(Android)
giggity-how = アプリでスケジュールを追加し、アドレスを貼り付けるか読み取ってください。
giggity-button = Giggityで開く
giggity-delay = 開いたときに更新され、遅くとも1日後には反映されます。
any-calendar = その他のカレンダー
any-how = カレンダーの「URLで追加」や「ウェブから追加」に、このアドレスを貼り付けるか読み取ってください。
other-apps = その他のアプリ
options = オプション
caldav = カレンダーアカウント(CalDAV)
caldav-how = このアドレスでCalDAVアカウントを追加してください。ユーザー名とパスワードは空のままにしてください。
caldav-agenda-how = このアドレスでCalDAVアカウントを追加してください。パスワードはこのスケジュールへのリンクです。ユーザー名は何でもかまいません。
caldav-delay = 数分ごとに更新されます。
kde = KDE (Merkuro, KOrganizer)
kde-how = 「DAVグループウェアリソース」を追加し、手動設定を選んでアドレスを貼り付けてください。ユーザー名とパスワードは空のままにしてください。
vdirsyncer = vdirsyncerとkhal
vdirsyncer-how = このアドレスの「http」型のストレージを、ペアの読み取り専用の側として設定に追加してください。
alarm = 通知
alarm-none = なし
alarm-before = { $minutes }前
download = .icsをダウンロードする
download-text = (自動では更新されません)

## Changes

changes-text = プログラムの変更(新しい順)。
no-changes = プログラムの初回公開以降、変更はありません。
first-release = プログラムが公開されました。
release-heading = 第{ $n }版
added = 追加
moved = 移動
edited = 編集
restored = 復活
withdrawn = 取り下げ
title-changed = タイトルを変更(変更前: 「{ $before }」)
follow-changes = フィードリーダーで購読する

## Organizer

organizer = 主催者
sign-in = ログインする
sign-in-text = 主催者キーを入力してください。ログアウトするまで、このブラウザに保存されます。
sign-in-wrong = キーが違います。もう一度お試しください。
secret = 主催者キー
sign-out = ログアウトする
last-attempt = 直近の公開操作
held = 確認待ちの版があります
held-since = 提供元: { $origin }、{ $at }。
held-more = ほかに{ $n }件の変更がプレビューにあります。
discard = 破棄する
stale-file = プログラムファイル{ $file }は公開中の版と異なるため、別の内容で保存されるまで無視されます。
superseded = 何も公開していません。プレビューの後、{ $at }に第{ $n }版が公開されました。以下はその版からの変更です。
takes-back = 公開すると、第{ $n }版の変更が取り消されます
preview-again = 修正したファイルを選択
upload = プログラムを公開する
upload-text = CSVファイルを選んでください。公開前に変更内容を確認できます。
file = ファイル
preview = プレビュー
preview-nothing = 変更はありません。
preview-errors = 公開できません: エラー{ $n }件。
preview-changes = { $n }件の変更
impact =
    { $n ->
        [0] 影響を受けるマイスケジュールはありません。
       *[other] { $n }件のマイスケジュールに影響します。{ $overlaps }。
    }
impact-overlaps =
    { $n ->
        [0] 新たな時間の重なりはありません
       *[other] { $n }件で新たに時間が重なります
    }
most-hit = 影響を受けるセッション(選択数の多い順)
in-agendas = { $n }件のスケジュール
confirm = 公開する
confirm-held = それでも公開する
releases = 版の一覧
release-column = 版
published-column = 公開日時
origin-column = 提供元
who-column = 公開者
roll-back = 復元する
live = 公開中
csv = program.csv
error = エラー
warning = 警告
sign-in-expired = ログアウトしていたため、何も行われませんでした。ログインしてもう一度お試しください。
signed-out = ログアウトしました。
to-the-desk = 主催者のページに戻る
live-release = 公開中の版
download-live = 公開中のプログラムをダウンロードする
attempt = { $at }、{ $source }: { $outcome }。
stale = プログラムファイルは無視されています
stale-keep = 公開中のプログラムから作業を続けるには、ファイルを次のものに置き換えてください:
stale-replace = このファイルを公開するには、「プログラムを公開する」で選択してください。
unstored = 保存されたプログラムファイルを取り込めませんでした
unstored-file = { $at }から: { $reason }。サーバーは再試行を続けています。
source-from = 追跡中の取得元 { $host }
source-read = 最後に全体を読み込んだ日時: { $at }。
source-unread = サーバーの起動後、まだ読み込まれていません。callboard followは動いていますか？
source-discarded = ソースの現在のプログラムは破棄されました。ソースが変更されるまで無視されます。
source-problem = { $at }から: { $reason }。公開中のプログラムはそのままです。
source-conflicts = 手元の編集で隠れている取得元の変更
source-conflict = { $title }、{ $fields }: 取得元は{ $source }、手元の値を維持: { $own }
source-deleted-row = { $title }: 取得元で変更されましたが、行がここで削除されているため削除のままです
source-conflicts-text = 取得元の値を採用するには、その値でプログラムを公開してください。
source-notes = 省略または推測した内容
source-nothing = なし
stopped = サーバーで停止している機能があります
schedule = 公開予定
planned = { $at }にプログラムが公開されます({ $made }に予約)。
planned-by = { $at }にプログラムが公開されます({ $who }が{ $made }に予約)。
unschedule = 公開予定を取り消す
preview-source = 提供元: { $source }。
preview-summary = { $changes }: { $kinds }。
preview-breaks = 休憩と食事{ $n }件
n-added = 追加{ $n }件
n-moved = 移動{ $n }件
n-edited = 編集{ $n }件
n-cancelled = 中止{ $n }件
n-restored = 復活{ $n }件
n-withdrawn = 取り下げ{ $n }件
before = 変更前:
after = 変更後:
empty = (空)
row-line = ファイルの{ $line }行目
row-gone = ファイルにありません(公開中のプログラムの{ $line }行目)
field-time = 時間
check-first = 公開前にご確認ください
type-removed = { $n }件のセッションがなくなります。それでも公開するには{ $n }と入力してください:
type-changed = { $n }件のセッションが変わります。それでも公開するには{ $n }と入力してください:
wrong-number = 公開していません。「{ $typed }」は正しい数ではありません。
wrong-time = 予約していません。会場の時刻で、これから来る日時を入力してください。
publish-later = 後で公開する
publish-at = 日時
schedule-it = 予約する
done-published = 第{ $n }版を公開しました。
done-unchanged = 公開していません。プログラムは第{ $n }版と同じです。
done-discarded = 版を破棄しました。
done-gone = 何も行いませんでした。その版はもう待機していません。
done-scheduled = 公開を予約しました。
done-unscheduled = 公開予定を取り消しました。
calendars = 変更の行き渡り
calendars-none = 過去2日間に取得されたカレンダーはありません。
calendars-text = 過去2日間に取得されたカレンダーです。公開カレンダーは{ $at }からの推定値です。GoogleとOutlookは多くの人のために1回だけ取得します。
calendar-column = カレンダー
app-column = アプリ
has-release = 第{ $n }版
earlier-column = それより前の版
earlier-release = { $count }(第{ $n }版)
release-share = { $of }個のカレンダーのうち{ $n }個に反映（{ $percent }%）
checked-column = 最後の取得
calendar-program = プログラム
calendar-track = トラック
calendar-part = 会場・日・登壇者
calendar-agenda = マイスケジュール
outbox = 配信
outbox-webhook = Webhook
outbox-push = プッシュ通知
outbox-mail = メール
outbox-calendars = カレンダーアプリへの通知
reach = 版ごとの通知
channel-column = 経路
sent-column = 送信
delivered-column = 受理
failed-column = 断念
waiting-column = 待機中
times-column = 50・95・100%
reach-text = 時間は、版の公開からその割合の通知が受信者またはプッシュサービスに受理されるまでの長さです。後の版に置き換えられた通知は、そちらで数えます。
outbox-waiting = { $n }件が待機しています。
outbox-oldest = 最も古いものは{ $at }から待機しています。
outbox-failed = { $n }件の配信をあきらめました。
picks-by-session = セッションごとの選択数
picks-text = 各セッションを選んだ人の数です。会場選びにお使いください。個人が特定されないよう、{ $n }件未満のセッションは表示しません。
picks-none = { $n }件以上選ばれたセッションはまだありません。
picks-column = 選択数
by-picks = 選択数の順
by-time = 時間順
download-csv = CSVをダウンロードする
sessions-column = セッション
capacity-column = 定員
too-small = 定員超過
restore-release = 第{ $n }版を復元する

## The API

api-text = これらのページの内容すべてを、JSON、カレンダー、ほかのツールの形式で提供します。
api-document = OpenAPIによる説明
api-needs = 必要なもの:
api-required = 必須
api-answers = 応答と例

## Calendars

cancelled-prefix = 【中止】
weekday-time = ({ $weekday }) { $time }
moved-note = 変更前: { $place }
feed-day = { $month }{ $day }日{ $weekday }
feed-day-short = { $month }{ $day }日({ $weekday })
feed-program = { $title }のプログラム
feed-agenda = { $title }のマイスケジュール
feed-my-agenda = { $title }: マイスケジュール
feed-closed = { $title }(共有終了)
feed-closed-text = このスケジュールの共有は終了しました。カレンダーを削除してかまいません。
feed-team = チーム: { $names }
feed-team-about = { $title }で誰がどこへ行くか
team-member = メンバー{ $n }

## Change feeds

changes-of = { $title }: 変更履歴
changes-of-part = { $title }: { $name }の変更履歴
program-published = { $title }のプログラムを公開しました
sessions-published = { $n }件のセッション。
change-new-head = 追加、{ $place }
change-new = プログラムに追加されました: { $place }。
change-cancelled-head = 中止
change-cancelled = 中止になりました。当初の予定: { $place }。
change-restored-head = 予定どおり開催、{ $place }
change-restored = 予定どおり開催します: { $place }。
change-moved-head = { $to }に変更
change-moved = { $from }から{ $to }に変更されました。
change-end-head = 終了時刻は{ $end }
change-shorter = { $n }分短くなり、{ $end }に終了します。
change-longer = { $n }分長くなり、{ $end }に終了します。
change-in-head = { $to }に変更
change-no-track-head = トラックなし
change-no-room-head = 会場未定
change-track = トラックが{ $from }から{ $to }に変わりました。
change-track-new = トラック: { $to }。
change-track-gone = トラック{ $from }ではなくなりました。
change-room = 会場が{ $from }から{ $to }に変わりました。
change-room-new = 会場: { $to }。
change-room-gone = 会場{ $from }ではなくなりました。
change-title-head = タイトル変更
change-title = 新しいタイトル: { $to }(変更前: { $from })。
change-speakers-head = 登壇者変更
change-speakers = 登壇者: { $speakers }。
change-no-speakers = 登壇者は現在未定です。
change-status-head = { $status }に変更
change-status = 現在の状態: { $status }。
status-confirmed = 確定
status-tentative = 仮
status-cancelled = 中止
status-withdrawn = 取り下げ
change-fields-head = { $fields }の変更
change-fields = 変更された項目: { $fields }。
change-updated-head = 更新
change-updated = 更新されました。

## Fields of a session

field-id = ID
field-date = 日付
field-start = 開始
field-end = 終了
field-end-date = 終了日
field-kind = 種類
field-title = タイトル
field-track = トラック
field-block = ブロック
field-room = 会場
field-speakers = 登壇者
field-abstract = 概要
field-bios = 略歴
field-url = ウェブページ
field-links = リンク
field-language = 言語
field-tags = トピック
field-image = 画像
field-feedback-url = フィードバックのアドレス
field-recording = 録画
field-guid = 元のシステムのID
field-status = 状態

## The program as plain text

day-year = { $year }年{ $month }{ $day }日{ $weekday }
text-release = 第{ $n }版。時刻はすべて{ $zone }です。
text-more = ほか{ $n }件。条件を絞り込んでください。
text-overlap = { $title }は{ $others }と時間が重なっています
text-gone = 選んだセッションのうち{ $n }件が、プログラムからなくなりました。
text-empty = セッションはまだありません。

## Problems

problem-missing-title = ページが見つかりません
problem-missing = このアドレスには何もありません。入力に誤りがないかご確認ください。
problem-gone-title = ご利用いただけません
problem-gone = このスケジュールの共有は終了しました。購読を解除するか、新しいリンクをお求めください。
problem-used-up = このリンクは1回だけ、10分間使えます。スケジュールのある端末で新しいリンクを作成してください。
problem-no-preview = このプレビューは利用できなくなったため、何も公開していません。もう一度プレビューしてください。
problem-other-site-title = 許可されていません
problem-other-site = 別のサイトから送信されました。このサイトのページを開いて、もう一度お試しください。
problem-busy-title = しばらくしてからお試しください
problem-busy = サーバーが混み合っています。しばらくしてから、もう一度お試しください。
problem-too-often-title = リクエストが多すぎます
problem-too-often = 回数が多すぎます。{ $wait }秒後にもう一度お試しください。
problem-too-large-title = 大きすぎます
problem-too-large = 大きすぎます。小さいファイルを選ぶか、セッションの数を減らしてください。
problem-file-title = ファイルを読み込めませんでした
problem-file = このサイトやほかのツールから書き出した、カレンダーファイル(.ics)またはJSONリストを選んでください。
problem-key-title = ログインしていません
problem-key = このブラウザのキーでは、マイスケジュールを開けなくなりました。
problem-changed-title = すでに変更されています
problem-changed = その間に変更されました。ページを再読み込みしてから、もう一度変更してください。
problem-full-title = 上限に達しました
problem-full = マイスケジュールにこれ以上追加できません。先に何かを外してください。
problem-request-title = うまくいきませんでした
problem-request = アドレスまたはフォームに、サーバーが理解できない内容が含まれています。
problem-server-title = 問題が発生しました
problem-server = サーバーでエラーが発生しました。しばらくしてから、もう一度お試しください。

## Sources and results of publications

origin-first = 初回起動
origin-file = プログラムファイル
origin-upload = アップロード
origin-rollback = 第{ $n }版の再公開
origin-config = 設定の変更
origin-upgrade = Callboardの更新
origin-restored = バックアップからの復元
origin-scheduled = 予約公開
origin-source = 追跡中の取得元
attempt-published = 第{ $n }版として公開しました
attempt-unchanged = 第{ $n }版からの変更はありません
attempt-refused = 却下しました: エラー{ $n }件
attempt-held = 保留中: { $reasons }
attempt-failed = 失敗しました: { $reason }

## Why a release is held; each completes "保留中: …"

hold-touches = { $of }件のうち{ $touched }件のセッション（{ $percent }%）を削除、移動、または改題します
hold-zone-or-dates = カンファレンスのタイムゾーンまたは日程が変わります
hold-lacks-rows = 公開中のプログラムの最後の{ $n }行だけがファイルになく、途中で切れた可能性があります
hold-ends-within = ファイルが{ $session }の行の途中で終わっています
hold-sheet-lacks-rows = 表の最後の{ $n }行だけがなく、途中で切れた可能性があります
hold-sheet-lacks-line-break = 表の最後に以前あった改行がなく、途中で切れた可能性があります
hold-sheet-ends-within-row = 表が最後の行の途中で終わっています
hold-when-due = 予約した時刻に保留されました
hold-overwrites-one = 予約の後に第{ $first }版が公開され、{ $sessions }の変更が失われます
hold-overwrites = 予約の後に第{ $first }版から第{ $last }版が公開され、{ $sessions }の変更が失われます
hold-more = 他{ $n }件

## Messages to browsers

push-overlap = 「{ $title }」と時間が重なるようになりました。
push-several = 選んだセッションのうち{ $n }件が変更されました
push-more = … ほか{ $n }件

reminder = { $time }に始まります。
reminder-in-room = { $time }に{ $room }で始まります。
reminder-several = 選んだセッションのうち{ $n }件が{ $time }に始まります

notify-me = 変更を通知する
notify-text = 選んだセッションの時間や場所の変更、中止、再開のときだけ、この端末に通知が届きます。10分前の通知は、オンにしたときだけ届きます。
notify-on = この端末には変更が通知されます。
notify-reminders = 各セッションの10分前にも通知する
notify-stop = 通知をやめる
notify-denied = このサイトの通知はブラウザーでブロックされています。ブラウザーのサイト設定で許可してから、ページを再読み込みしてください。
notify-unsupported = このブラウザーはウェブサイトの通知に対応していません。通知を受け取るには、別のブラウザーでこのページを開いてください。
notify-ios = iPhoneやiPadで通知を受け取るには、このページをホーム画面に追加し（「共有」から「ホーム画面に追加」）、ホーム画面から開いてください。
notify-full = すでに10台の端末に通知しています。下の設定で1台を削除してください。
notify-failed = うまくいきませんでした。しばらくしてからもう一度お試しください。
devices = 通知する端末
devices-text = 選んだセッションの時間や場所の変更、中止、再開のとき、これらの端末に通知が届きます。
device-unnamed = 名前のない端末
device-remove = 削除
done-device-removed = この端末への通知を停止しました。

## メールによるカレンダーの招待

mail-confirm-subject = カレンダーの招待の確認: { $title }
mail-confirm-text = { $title }のスケジュールのセッションを、カレンダーの招待としてこのアドレスで受け取る申し込みがありました。受け取るには、48時間以内に次のリンクを開き、ボタンを押してください。
mail-confirm-ignore = お心当たりがない場合は、このメールを無視してください。アドレスは保存されておらず、これ以上メールは届きません。
mail-invitation = 招待: { $title }
mail-update = 変更: { $title }
mail-cancellation = 取り消し: { $title }
mail-first = この招待で一度「はい」を押してください。カレンダーが差出人を覚え、スケジュールのほかのセッションとその変更が自動で反映されます。
mail-cancelled-text = このセッションは中止になったか、スケジュールから外されました。カレンダーからも削除されます。
mail-reason = { $title }のスケジュールのセッションを受け取る設定をされたため、このメールをお送りしています。
mail-end-here = 招待を停止する:
mail-heading = メールによるカレンダーの招待
mail-text = セッションが招待としてカレンダーに届き、変更も1分以内に届きます。購読カレンダーを数時間おきにしか更新しないGoogleカレンダーやOutlookに適しています。
mail-either = この招待と購読カレンダーは、どちらか一方だけをお使いください。両方を使うと、すべてのセッションが二重に表示されます。
mail-already = セッションはすでにメールで届いています。このカレンダーも購読すると、同じカレンダーアプリに各セッションが二重に表示されます。
mail-address = メールアドレス
mail-ask = 確認メールを送る
mail-asked = このアドレスに確認メールを送ります（過去1日以内に送った場合を除きます）。メールのリンクを開き、ボタンを押してください。
mail-addresses = 招待の送り先:
mail-removed = このアドレスへの招待を停止しました。
mail-key = メールによるカレンダーの招待も終了します。
mail-confirm = カレンダーの招待
mail-confirm-page = スケジュールのセッションが、カレンダーの招待として{ $address }に届きます。この招待と購読カレンダーは、どちらか一方だけをお使いください。両方を使うと、すべてのセッションが二重に表示されます。
mail-confirm-button = 招待を受け取る
mail-confirmed = 最初の招待をお送りします。届いたら一度「はい」を押してください。
mail-end = カレンダーの招待の停止
mail-end-page = このスケジュールの招待は届かなくなります。カレンダーにあるセッションはそのまま残りますが、変更は反映されません。
mail-end-button = 招待を停止する
mail-ended = 招待を停止しました。カレンダーにあるセッションはそのまま残りますが、変更は反映されません。
mail-link-over = このリンクは使えなくなりました。スケジュールのページで、もう一度メールアドレスを入力してください。
