# The texts of Callboard in American English: the source of the other catalogues.
# The lines above a message name its values: “$n (number)” selects plurals, “(text)” is inserted as it is.
# “For scripts” marks messages that scripts show.

## Days and times

monday = Monday
tuesday = Tuesday
wednesday = Wednesday
thursday = Thursday
friday = Friday
saturday = Saturday
sunday = Sunday
monday-short = Mon
tuesday-short = Tue
wednesday-short = Wed
thursday-short = Thu
friday-short = Fri
saturday-short = Sat
sunday-short = Sun
january = January
february = February
march = March
april = April
may = May
june = June
july = July
august = August
september = September
october = October
november = November
december = December
january-short = Jan
february-short = Feb
march-short = Mar
april-short = Apr
may-short = May
june-short = Jun
july-short = Jul
august-short = Aug
september-short = Sep
october-short = Oct
november-short = Nov
december-short = Dec
# Tuesday, March 25
# $weekday (text)
# $month (text)
# $day (number)
day-long = { $weekday }, { $month } { $day }
# Tue, Mar 25
# $weekday (text)
# $month (text)
# $day (number)
day-medium = { $weekday }, { $month } { $day }
# Tue 25
# $weekday (text)
# $day (number)
day-short = { $weekday } { $day }
# March 25
# $month (text)
# $day (number)
month-day = { $month } { $day }
# March 25, 2025
# $month (text)
# $day (number)
# $year (text)
date = { $month } { $day }, { $year }
# Days of one month: March 25–27, 2025
# $month (text)
# $day (number)
# $last (number) the last day
# $year (text)
date-range = { $month } { $day }–{ $last }, { $year }
# Days of two months of one year: March 31 – April 2, 2025
# $first (text) the first day, as in month-day
# $last (text) the last day, as in month-day
# $year (text)
date-range-months = { $first } – { $last }, { $year }
# Days of two years, each with its year
# $first (text)
# $last (text)
date-range-years = { $first } – { $last }
# A time on the 12-hour clock: 9:00 am
# For scripts.
# $time (text)
# $half (text) am or pm
time-12 = { $time } { $half }
# For scripts.
am = am
# For scripts.
pm = pm
# The hour that the 12-hour clock shows at noon and midnight
# For scripts.
twelve = 12
# 9:00–9:45
# For scripts.
# $start (text)
# $end (text)
range = { $start }–{ $end }
# 9:00–9:45 am: both times are in one half of the day
# For scripts.
# $start (text)
# $end (text)
# $half (text) am or pm
range-12 = { $start }–{ $end } { $half }
# A range with an end on another day: 9:00 pm – Wed 26 2:00 am
# $start (text)
# $day (text) the day of the end
# $end (text)
range-days = { $start } – { $day } { $end }
# Tue, Mar 25, 9:00 am
# For scripts.
# $day (text)
# $time (text)
moment = { $day }, { $time }
# $n (number)
minutes =
    { $n ->
        [one] { $n } minute
       *[other] { $n } minutes
    }
# $n (number)
hours =
    { $n ->
        [one] { $n } hour
       *[other] { $n } hours
    }
# $n (number)
days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }
# A list of two: a and b
# $first (text)
# $last (text)
list-two = { $first } and { $last }
# Between the elements of a list
list-comma = { ", " }
# A list of three or more: a, b, and c
# $first (text) all elements but the last
# $last (text)
list-end = { $first }, and { $last }
# A list of which not all elements are shown: a, b and 3 more
# $first (text) the shown elements
# $n (number)
list-more = { $first } and { $n } more
# A title within a sentence
# $text (text)
quoted = “{ $text }”

# $zone (text)
times-are = Times are local to the venue ({ $zone }).
# For scripts.
my-zone = Show in my time zone
# For scripts.
venue-zone = Show venue time
# For scripts.
# $zone (text)
your-times = Times are in your time zone ({ $zone }).
# For scripts.
venue-date = venue date
# For scripts.
now = Now
# For scripts.
next = Next
# For scripts.
to-now = Now
# For scripts.
to-next = Next
# For scripts.
unfold = Show
# For scripts.
fold = Hide
pitch = Pick the sessions you want to see. They go into your calendar and stay up to date.
over = This conference is over.
map = map

## Kinds

talk = Talk
plenary = Plenary
lightning = Lightning talks
panel = Panel
workshop = Workshop
discussion = Discussion
remarks = Remarks
pause = Break
meal = Meal
social = Social

## Every page

skip = Skip to content
main-navigation = Main
program = Program
changes = Changes
subscribe = Subscribe
my-agenda = My agenda
# $n (number)
# $at (text)
release-is = Release { $n }, published { $at }.
api = API
all-speakers = Speakers
all-tracks = Tracks
all-rooms = Rooms
open-in-own-window = Open the program in its own window
to-the-program = Back to the program

## Program

days-navigation = Days
filter = Filter
all = All
search = Search
search-hint = Search sessions, speakers, rooms
apply = Apply
clear = Clear filters
clear-search = Clear search
day-label = Day
kind-label = Type
track = Track
room = Room
speaker = Speaker
topic = Topic
# $n (number)
sessions =
    { $n ->
        [one] { $n } session
       *[other] { $n } sessions
    }
# $n (number)
# $of (number)
shown =
    { $of ->
        [one] { $n } of { $of } session.
       *[other] { $n } of { $of } sessions.
    }
# For scripts.
# $n (number)
# $text (text)
results-for =
    { $n ->
        [one] { $n } result for “{ $text }”
       *[other] { $n } results for “{ $text }”
    }
# For scripts.
# $n (number)
# $text (text)
similar-results-for =
    { $n ->
        [one] No exact match for “{ $text }”. { $n } similar result:
       *[other] No exact match for “{ $text }”. { $n } similar results:
    }
nothing-found = No sessions match. Try removing a filter.
# For scripts.
# $text (text)
nothing-found-for = No sessions match “{ $text }”.
subscribe-to-all = Subscribe to the whole program
# $n (number)
subscribe-to-these =
    { $n ->
        [one] Subscribe to this session
       *[other] Subscribe to these { $n } sessions
    }
no-feed-for-text = You can’t subscribe to a search. Add these sessions to your agenda instead.
announced = Coming soon
announced-track = No sessions yet. Subscribe and they’ll appear in your calendar once announced.
# $title (text)
about-program = The program of { $title }: every session, with calendars to subscribe to.
my-sessions = My sessions
as-grid = Grid
as-list = List
time = Time
other-sessions = Other
none-mine = You haven’t picked any sessions yet.
show-mine = Show which sessions I picked

## Sessions

# For scripts.
pick = Pick
# For scripts.
picked = Picked
unpick = Remove
cancelled = Canceled
cancelled-long = This session has been canceled.
tentative = Tentative
tentative-long = Tentative: details may still change.
# $place (text)
moved-from = Moved from { $place }
calendar-file = Add to calendar (.ics)
organizers-page = The organizer’s page
speakers = Speakers
# $tag (text)
session-language = Language: { $tag }
topics = Topics:
give-feedback = Give feedback
not-recorded = This session is not recorded.
at-the-same-time = At the same time
# $name (text)
previous-in-track = Previous in { $name }
# $name (text)
next-in-track = Next in { $name }
# $name (text)
# $title (text)
part-of = { $name } at { $title }
# $name (text)
subscribe-to = Subscribe to { $name }
no-longer-speaking = This speaker has no sessions in the program now.
nothing-here = No sessions here now.
previous-page = Earlier sessions
next-page = Later sessions
pages = Pages
share = Share

## Texts of scripts

# For scripts.
# $why (text)
refused = Not saved: { $why }
# For scripts.
queued = You’re offline. We’ll save this when you’re back online.
# Marks a session whose pick or removal waits for the network
# For scripts.
waiting = Not saved yet
# For scripts.
settled = Back online: your picks are saved.
# For scripts.
# $titles (text)
unsettled = Some picks could not be saved: { $titles }.
# For scripts.
new-release = The program was updated.
# For scripts.
reload = Reload
# For scripts.
# $ago (text)
offline-since = You’re offline. Last updated { $ago } ago.
# For scripts.
copied = Copied.
# For scripts.
copy-failed = Couldn’t copy. The link is selected: press Ctrl+C.
# For scripts.
# $title (text)
# $other (text)
overlaps = “{ $title }” overlaps with “{ $other }”.
# For scripts.
keep-both = Keep both
# For scripts.
# $other (text)
replace = Replace “{ $other }”
# For scripts.
replaced = Replaced.
offline = You’re offline
offline-text = This page isn’t available offline.

## My agenda

agenda-none = You have no agenda yet
agenda-none-text = Add sessions from the program to start your agenda. No account needed; it’s saved in this browser.
agenda-none-elsewhere = Have one on another device? Open it there and choose “Move to another device”.
agenda-signed-out = This browser was signed out, or the agenda was deleted, on another device. The next session that you pick starts a new agenda.
agenda-deleted = Your agenda was deleted.
agenda-empty = No sessions yet.
# $other (text)
overlaps-with = Overlaps with { $other }.
# $n (number)
and-more = and { $n } more
# $n (number)
first-shown =
    { $n ->
        [one] Only the first one is listed: narrow the search.
       *[other] Only the first { $n } are listed: narrow the search.
    }
keep-this = Keep this one
# $n (number)
overlap-count =
    { $n ->
        [2] Two of your sessions overlap.
       *[other] { $n } of your sessions overlap.
    }
# $range (text)
free-range = Free { $range }
# $range (text)
# $what (text)
# $until (text)
free-then = Free { $range }, then { $what } until { $until }
changed = Changed
changed-since = Changed since you last looked
gone = No longer in the program
forget = Remove
add-to-calendar = Add to calendar
settings = Settings
my-links = Links to this agenda
my-links-text = Anyone with this link can view your agenda and subscribe to it, but not change it.
link-label = Label (optional)
new-link = Create another link
revoke = Turn off link
revoke-text = Anyone using it will see that the agenda is no longer shared.
link-hidden = This link still works, but it can’t be shown again.
# $n (number)
link-untitled = Link { $n }
fresh-link = My Google calendar is behind: give me a fresh link
fresh-link-text = Google reads a calendar only every 8 to 24 hours, but a new link right away. Create one, add it to Google Calendar, then delete the old calendar there, or everything appears twice.
fresh-link-make = Create a fresh link
show-page = Open
qr = QR code
copy = Copy
address = Address
agenda-name = Name of your agenda
rename = Rename
other-device = Move to another device
other-device-text = Create a link that opens this agenda for editing on another device. It works once and expires in 10 minutes.
make-hand-over = Create the link
# $minutes (text)
hand-over-ready = Open this on the other device within { $minutes }. It works once.
new-key = Lost a device?
new-key-text = Signs out every other device. Links you shared keep working.
make-key = Sign out other devices
delete = Delete everything
delete-text = Your picks, links and key are erased at once. Calendars that subscribed see that the agenda is no longer shared.
delete-sure = Yes, erase my agenda
print = Print
# $client (text)
# $ago (text)
fetched = { $client } last checked { $ago } ago and is up to date.
# $client (text)
# $ago (text)
# $n (number)
fetched-behind =
    { $n ->
        [one] { $client } last checked { $ago } ago; { $n } change hasn’t reached it yet.
       *[other] { $client } last checked { $ago } ago; { $n } changes haven’t reached it yet.
    }
not-fetched = No calendar has subscribed yet.
done-picked = Added to your agenda.
done-removed = Removed from your agenda.
undo = Undo
done-kept = Overlap resolved.
done-renamed = Your agenda has a new name.
done-linked = The new link is ready.
done-fresh = The fresh link is the last one in this list. Add it to Google Calendar, then delete the old calendar there.
done-revoked = The link is turned off.
done-arrived = Your agenda is now in this browser, too.
done-key = Every other device is signed out.

## Suggested day

suggest = Suggest my day
suggest-this-day = Suggest this day
plan-text = These sessions don’t overlap and leave you time to walk between rooms. Your agenda stays as it is until you press a button.
# $n (number)
# $of (number)
plan-counts = { $of ->
    [one] { $n } of your { $of } session fits.
   *[other] { $n } of your { $of } sessions fit together.
}
plan-all-fit = All your sessions fit together.
plan-inexact = Too many of your talks are given more than once to compare every combination. There may be a better choice.
plan-all-days = All days
plan-left-out = Left out
# $n (number)
plan-remove = { $n ->
    [one] Remove the session that was left out
   *[other] Remove the { $n } sessions that were left out
}
plan-keep-all = Keep everything
# $n (number)
plan-attend-instead = { $n ->
    [one] Attend this instead, remove the other
   *[other] Attend this instead, remove the { $n } others
}
plan-again = Also given at a time that fits:
plan-instead = Also on at that time, and it fits:
left-busy = You’re busy then.
# $label (text)
left-busy-with = You’re busy then: { $label }.
# $at (text)
left-repeat = You’ll see this talk on { $at }.
# $others (text)
left-for = To attend it, you’d have to skip { $others }.
# $parts (text)
cost = You’d see { $parts }.
cost-nothing = It’s an even swap.
# $others (text)
cost-comes = You could then attend { $others }.
# $n (number)
fewer-musts = { $n ->
    [one] 1 must-see session less
   *[other] { $n } must-see sessions less
}
# $n (number)
fewer-wants = { $n ->
    [one] 1 want-to-see session less
   *[other] { $n } want-to-see sessions less
}
# $n (number)
fewer-maybes = { $n ->
    [one] 1 maybe less
   *[other] { $n } maybes less
}
# $n (number)
more-wants = { $n ->
    [one] 1 want-to-see session more
   *[other] { $n } want-to-see sessions more
}
# $n (number)
more-maybes = { $n ->
    [one] 1 maybe more
   *[other] { $n } maybes more
}
# $length (text)
walk = Walk: { $length }
# $room (text)
next-in = Next in { $room }:
rank-must = Must see
rank-want = Want to see
rank-maybe = Maybe
busy = Busy
busy-heading = When you’re busy
busy-text = Suggestions keep these times free. Only you can see them.
busy-from = From
busy-to = To
busy-label = Note (optional)
busy-add = Add
busy-wrong = Not added: the end must be after the start.
busy-upload = Read busy times from a calendar file
busy-upload-text = Choose a calendar file (.ics). We keep only the times, not the titles. All-day and repeating events aren’t read.
busy-read = Add busy times
# $n (number)
busy-skipped = { $n ->
    [one] 1 all-day or repeating event wasn’t read. Enter its times below.
   *[other] { $n } all-day or repeating events weren’t read. Enter their times below.
}
done-planned = Removed. Your sessions fit together now.
done-ranked = Saved.
done-busy-added = Busy time added.
done-busy-removed = Busy time removed.
# $n (number)
done-busy-read = { $n ->
    [0] No busy times found on the days of the conference.
    [one] 1 busy time added.
   *[other] { $n } busy times added.
}

## Import and export

import = Import sessions
import-text = Choose a calendar file (.ics) of your sessions, from here or from another tool, or a JSON list of their ids. You’ll review the sessions before anything is added.
import-file = File
import-look = Preview
import-new = Found
import-nothing = There are no new sessions to add.
# $n (number)
import-take =
    { $n ->
        [one] Add this session
       *[other] Add these { $n } sessions
    }
# $n (number)
# $most (number)
import-full = Together with your picks these would be { $n }, and an agenda holds { $most }. Pick some of them in the program.
import-held = Already in your agenda
import-unknown = Not in this program
import-ambiguous = Several sessions fit
carry = Export your agenda
carry-text = Download your agenda, or share a copy by link. Later changes aren’t included.
carry-calendar = Calendar file (.ics)
carry-list = List (JSON)

## Hand-over

hand-over = Open your agenda here
hand-over-text = This link moves an agenda to this device, so that you can edit it here. It works once.
hand-over-replaces = This replaces the agenda in this browser.
hand-over-button = Open it on this device

## Shared agenda

shared-agenda = Shared agenda
shared-text = View only. Updates when its owner changes it.
pick-all = Add all to my agenda
both = Also in my agenda
only-mine = Only in my agenda
# $n (number)
# $of (number)
in-common = { $n } of { $of } are in your agenda too.

## Team

team = Who goes where
team-make = Plan as a team
team-text = Paste your teammates’ agenda links, one per line (up to 20), to see who’s going where and what nobody is covering.
team-read-only = View only. Teammates who turn off their link disappear from this page and its calendar.
team-links = Agenda links
team-button = Show the team
team-nobody = Nobody
team-gone = no longer shared
team-members = Members
# $n (number)
team-line = Line { $n } isn’t an agenda link for this conference.
team-none = Paste at least one link.
team-many = A team has at most 20 links.
team-empty = Nobody has picked anything yet.

## Subscribe

# $name (text)
subscribe-heading = Subscribe to { $name }
subscribe-text = Your calendar stays up to date automatically.
apple = Apple Calendar
apple-how = iPhone, iPad and Mac. Opens a subscription prompt.
apple-button = Open in Apple Calendar
apple-delay = Updates as often as you choose. Set Auto-refresh to every hour.
google = Google Calendar
google-how = Add it on a computer and it appears on your phone too. The Android app can’t add calendars by link.
google-button = Open in Google Calendar
google-delay = Updates every 8–24 hours; Google sets the pace. Canceled sessions stay, marked in the title.
google-too-large = This calendar is larger than the 1 MB that Google reads. Add a track or a day instead:
outlook = Outlook.com
outlook-how = Personal accounts, in a browser.
outlook-button = Open in Outlook.com
outlook-work = Microsoft 365
outlook-work-how = Work or school accounts, in a browser.
outlook-work-button = Open in Microsoft 365
outlook-delay = Usually updates within hours, sometimes a day.
thunderbird = Thunderbird
thunderbird-how = File › New › Calendar › On the Network, then paste the address.
thunderbird-delay = Updates every 30 minutes, or as you set it.
icsx5 = ICSx⁵ (Android)
icsx5-how = Opens the app, which brings the sessions into any Android calendar.
icsx5-button = Open in ICSx⁵
icsx5-delay = Updates as often as you set it, from every 15 minutes.
giggity = Giggity (Android)
giggity-how = In the app: add a schedule, then paste the address or scan it.
giggity-button = Open in Giggity
giggity-delay = Updates when you open it, at most a day later.
any-calendar = Any other calendar
any-how = Paste or scan this address where your calendar adds one “by URL” or “from the web”.
other-apps = Other apps
options = Options
caldav = Calendar account (CalDAV)
caldav-how = Add a CalDAV account with this address. Leave user name and password empty.
caldav-agenda-how = Add a CalDAV account with this address. The password is the link to this agenda; the user name may be anything.
caldav-delay = Updates every few minutes.
kde = KDE (Merkuro, KOrganizer)
kde-how = Add a “DAV groupware resource”, choose to configure it manually and paste the address. Leave user name and password empty.
vdirsyncer = vdirsyncer and khal
vdirsyncer-how = Add a storage of the type “http” with this address to the configuration, as a read-only side of a pair.
alarm = Reminder
alarm-none = None
# $minutes (text)
alarm-before = { $minutes } before
download = Download .ics
download-text = (a snapshot that won’t update)

## Changes

changes-text = Program changes, newest first.
no-changes = Nothing has changed since the program was first published.
first-release = The program was published.
# $n (number)
release-heading = Release { $n }
added = Added
moved = Moved
edited = Edited
restored = Reinstated
withdrawn = Withdrawn
# $before (text)
title-changed = Title changed from “{ $before }”
follow-changes = Follow in a feed reader

## Organizer

# For scripts.
organizer = Organizer
sign-in = Sign in
sign-in-text = Enter the organizer key. It is stored in this browser until you sign out.
sign-in-wrong = Wrong key. Try again.
sign-in-expired = You were signed out, so nothing was done. Sign in and try again.
signed-out = You are signed out.
secret = Organizer key
sign-out = Sign out
to-the-desk = Back to the organizer’s page
live-release = Live release
live = Live
download-live = Download the live program
last-attempt = Last attempt to publish
# $at (text)
# $source (text)
# $outcome (text)
attempt = { $at }, { $source }: { $outcome }.
held = A release waits for your confirmation
# $origin (text)
# $at (text)
held-since = From: { $origin }, { $at }.
# $n (number)
held-more =
    { $n ->
        [one] { $n } more change is in the preview.
       *[other] { $n } more changes are in the preview.
    }
discard = Discard
stale = The program file is ignored
# $file (text)
stale-file = { $file } differs from the live release. It is ignored until it is saved with other content.
stale-keep = To go on from the live program, replace the file with it:
stale-replace = To publish the file instead, choose it under “Publish a program”.
unstored = A saved program file could not be stored
# $at (text)
# $reason (text)
unstored-file = Since { $at }: { $reason }. The server keeps trying.
# $host (text)
source-from = From the followed source { $host }
# $at (text)
source-read = Last read completely: { $at }.
source-unread = It was not read since the server started. Does callboard follow run?
source-discarded = The program that the source has now was discarded. It is ignored until the source changes.
# $at (text)
# $reason (text)
source-problem = Since { $at }: { $reason }. The live program stays.
source-conflicts = Changes of the source that edits of yours hide
# $title (text)
# $fields (text)
# $source (text)
# $own (text)
source-conflict = { $title }, { $fields }: the source has { $source }; yours stays: { $own }
# $title (text)
source-deleted-row = { $title }: the source changed it; its row was deleted here, so it stays deleted
source-conflicts-text = To take over a value of the source, publish the program with that value.
source-notes = Left out or guessed
source-nothing = nothing
stopped = Something on the server has stopped
schedule = Planned
# $at (text)
# $made (text)
planned = A program goes live on { $at }. It was scheduled on { $made }.
# $at (text)
# $made (text)
# $who (text)
planned-by = A program goes live on { $at }. { $who } scheduled it on { $made }.
unschedule = Cancel the publication
# $n (number)
# $at (text)
superseded = Nothing was published: release { $n } was published at { $at }, after your preview. These are the changes against that release.
# $n (number)
takes-back = Publishing takes back what release { $n } changed
preview-again = Choose the corrected file
upload = Publish a program
upload-text = Choose a CSV file. You’ll review the changes before anything goes live.
file = File
preview = Preview
# $source (text)
preview-source = From: { $source }.
preview-nothing = Nothing would change.
# $n (number)
preview-errors =
    { $n ->
        [one] It cannot be published: { $n } error.
       *[other] It cannot be published: { $n } errors.
    }
# $n (number)
preview-changes =
    { $n ->
        [one] { $n } change
       *[other] { $n } changes
    }
# $changes (text)
# $kinds (text)
preview-summary = { $changes }: { $kinds }.
# $n (number)
preview-breaks =
    { $n ->
        [one] { $n } break or meal
       *[other] { $n } breaks and meals
    }
# $n (number)
n-added = { $n } added
# $n (number)
n-moved = { $n } moved
# $n (number)
n-edited = { $n } edited
# $n (number)
n-cancelled = { $n } canceled
# $n (number)
n-restored = { $n } reinstated
# $n (number)
n-withdrawn = { $n } withdrawn
before = Before:
after = After:
empty = (empty)
# $line (number)
row-line = Line { $line } of the file
# $line (number)
row-gone = Not in the file; line { $line } of the live program
field-time = Time
# $n (number)
# $overlaps (text)
impact =
    { $n ->
        [0] Affects no personal agenda.
        [one] Affects { $n } personal agenda; { $overlaps }.
       *[other] Affects { $n } personal agendas; { $overlaps }.
    }
# $n (number)
impact-overlaps =
    { $n ->
        [0] no new overlaps
        [one] { $n } gets a new overlap
       *[other] { $n } get a new overlap
    }
most-hit = Most-saved sessions affected
# $n (number)
in-agendas =
    { $n ->
        [one] in { $n } agenda
       *[other] in { $n } agendas
    }
check-first = Check first
# $n (number)
type-removed =
    { $n ->
        [one] This removes { $n } session. Type { $n } to publish anyway:
       *[other] This removes { $n } sessions. Type { $n } to publish anyway:
    }
# $n (number)
type-changed =
    { $n ->
        [one] This changes { $n } session. Type { $n } to publish anyway:
       *[other] This changes { $n } sessions. Type { $n } to publish anyway:
    }
# $typed (text)
wrong-number = Nothing was published: “{ $typed }” is not the number.
wrong-time = Nothing was scheduled. Enter a time in the future that the venue’s clock shows.
confirm = Publish
confirm-held = Publish anyway
publish-later = Publish later
publish-at = Date and time
schedule-it = Schedule
# $n (number)
done-published = Published: release { $n } is live.
# $n (number)
done-unchanged = Nothing was published: the program equals release { $n }.
done-discarded = The release was discarded.
done-gone = Nothing was done: that release is no longer waiting.
done-scheduled = The program is scheduled.
done-unscheduled = The planned publication is canceled.
calendars = Who has the change
calendars-none = No calendar was fetched in the last two days.
# $at (text)
calendars-text = Calendars that were fetched in the last two days. Public ones are estimated since { $at }: Google and Outlook fetch once for many people.
calendar-column = Calendar
app-column = App
# $n (number)
has-release = Have release { $n }
earlier-column = Have an earlier one
# $count (number)
# $n (number)
earlier-release = { $count } (release { $n })
# $n (number)
# $of (number)
# $percent (number)
release-share = In { $n } of { $of } calendars ({ $percent }%)
checked-column = Last fetched
calendar-program = Program
calendar-track = Track
calendar-part = Room, day or speaker
calendar-agenda = Agenda
outbox = Deliveries
outbox-webhook = Webhooks
outbox-push = Push messages
outbox-mail = Mails
outbox-calendars = Messages to calendar programs
reach = Messages about each release
channel-column = Channel
sent-column = Sent
delivered-column = Accepted
failed-column = Given up
waiting-column = Waiting
times-column = 50 · 95 · 100 %
reach-text = The times say how long after the release that share of the messages was accepted by the receiver or its push service. A message that a later release replaced counts there.
# $n (number)
outbox-waiting =
    { $n ->
        [one] { $n } delivery is waiting.
       *[other] { $n } deliveries are waiting.
    }
# $at (text)
outbox-oldest = The oldest waits since { $at }.
# $n (number)
outbox-failed =
    { $n ->
        [one] { $n } delivery was given up.
       *[other] { $n } deliveries were given up.
    }
picks-by-session = Picks by session
# $n (number)
picks-text = How many agendas hold each session, for room sizes. Sessions with fewer than { $n } picks are left out, so that nobody can be recognized.
# $n (number)
picks-none = No session has { $n } picks yet.
picks-column = Picks
by-picks = By picks
by-time = By time
download-csv = Download as CSV
releases = Releases
release-column = Release
published-column = Published
origin-column = Source
who-column = By
sessions-column = Sessions
capacity-column = Seats
too-small = too small
roll-back = Restore
# $n (number)
restore-release = Restore release { $n }
csv = program.csv
error = Error
warning = Warning

## The API

api-text = Everything that is on these pages, as JSON, calendars and the formats of other tools.
api-document = OpenAPI description
api-needs = Needs the
api-required = required
api-answers = Answers and example

## Calendars

# Before the title of a cancelled session, for calendars that hide cancelled events
cancelled-prefix = { "CANCELLED: " }
# Tue 11:00
# $weekday (text) short
# $time (text)
weekday-time = { $weekday } { $time }
# In the description of a session that moved
# $place (text) time, track and room
moved-note = Note: moved from { $place }
# The name of a day's calendar: Tuesday, 25 March
# $weekday (text)
# $month (text)
# $day (number)
feed-day = { $weekday }, { $day } { $month }
# A day in the name of a filtered calendar: Tue 25 Mar
# $weekday (text)
# $month (text)
# $day (number)
feed-day-short = { $weekday } { $day } { $month }
# $title (text)
feed-program = The program of { $title }
# $title (text)
feed-agenda = A personal agenda for { $title }
# $title (text)
feed-my-agenda = { $title }: my agenda
# $title (text)
feed-closed = { $title } (no longer shared)
feed-closed-text = Whoever shared this agenda no longer does. You can remove the calendar.
# $names (text)
feed-team = Team: { $names }
# $title (text)
feed-team-about = Who goes where at { $title }
# A member of a team whose agenda has no name
# $n (number)
team-member = Member { $n }

## Change feeds

# $title (text)
changes-of = { $title }: changes
# $title (text)
# $name (text)
changes-of-part = { $title }: changes in { $name }
# $title (text)
program-published = The program of { $title } is published
# $n (number)
sessions-published =
    { $n ->
        [one] { $n } session.
       *[other] { $n } sessions.
    }
# The headlines follow the title of a session and a colon.
# $place (text) time, track and room
change-new-head = new, { $place }
# $place (text)
change-new = New in the program: { $place }.
change-cancelled-head = canceled
# $place (text)
change-cancelled = Canceled. It was { $place }.
# $place (text)
change-restored-head = takes place after all, { $place }
# $place (text)
change-restored = It takes place after all: { $place }.
# $to (text) weekday and time
change-moved-head = moved to { $to }
# $from (text)
# $to (text)
change-moved = Moved from { $from } to { $to }.
# $end (text) a time
change-end-head = ends at { $end }
# $end (text)
# $n (number)
change-shorter =
    { $n ->
        [one] It ends at { $end }, { $n } minute shorter.
       *[other] It ends at { $end }, { $n } minutes shorter.
    }
# $end (text)
# $n (number)
change-longer =
    { $n ->
        [one] It ends at { $end }, { $n } minute longer.
       *[other] It ends at { $end }, { $n } minutes longer.
    }
# $to (text) a track or room
change-in-head = now in { $to }
change-no-track-head = no track now
change-no-room-head = no room now
# $from (text)
# $to (text)
change-track = Track changed from { $from } to { $to }.
# $to (text)
change-track-new = Track: { $to }.
# $from (text)
change-track-gone = Track { $from } no longer applies.
# $from (text)
# $to (text)
change-room = Room changed from { $from } to { $to }.
# $to (text)
change-room-new = Room: { $to }.
# $from (text)
change-room-gone = Room { $from } no longer applies.
change-title-head = new title
# $to (text)
# $from (text)
change-title = New title: { $to } (was: { $from }).
change-speakers-head = new speakers
# $speakers (text)
change-speakers = Speakers: { $speakers }.
change-no-speakers = No speaker is named now.
# $status (text)
change-status-head = now { $status }
# $status (text)
change-status = It is now { $status }.
status-confirmed = confirmed
status-tentative = tentative
status-cancelled = canceled
status-withdrawn = withdrawn
# $fields (text)
change-fields-head = new { $fields }
# $fields (text)
change-fields = Edited: { $fields }.
change-updated-head = updated
change-updated = Updated.

## Fields of a session

field-id = id
field-date = date
field-start = start
field-end = end
field-end-date = end date
field-kind = type
field-title = title
field-track = track
field-block = block
field-room = room
field-speakers = speakers
field-abstract = abstract
field-bios = bios
field-url = web page
field-links = links
field-language = language
field-tags = tags
field-image = picture
field-feedback-url = feedback address
field-recording = recording
field-guid = id in the source
field-status = status

## The program as plain text

# Tuesday, March 25, 2025
# $weekday (text)
# $month (text)
# $day (number)
# $year (text)
day-year = { $weekday }, { $month } { $day }, { $year }
# $n (number)
# $zone (text)
text-release = Release { $n }; all times are { $zone }.
# $n (number)
text-more = And { $n } more: narrow the search.
# $title (text)
# $others (text)
text-overlap = { $title } takes place at the same time as { $others }
# $n (number)
text-gone =
    { $n ->
        [one] { $n } picked session is no longer in the program.
       *[other] { $n } picked sessions are no longer in the program.
    }
text-empty = No sessions yet.

## Problems

problem-missing-title = Page not found
problem-missing = There is nothing at this address. Check it for a typo.
problem-gone-title = No longer available
problem-gone = This agenda is no longer shared. Remove the subscription, or ask its owner for a new link.
problem-used-up = This link works once and for ten minutes. Make a new one on the device that has the agenda.
problem-no-preview = This preview is no longer available, so nothing was published. Preview the program again.
problem-other-site-title = Not allowed
problem-other-site = This was sent from another site. Open the page here and try again.
problem-busy-title = Please try again shortly
problem-busy = The server is busy at the moment. Try again shortly.
problem-too-often-title = Too many requests
# $wait (number) seconds
problem-too-often =
    { $wait ->
        [one] That was too often. Try again in { $wait } second.
       *[other] That was too often. Try again in { $wait } seconds.
    }
problem-too-large-title = Too large
problem-too-large = This is too large. Choose a smaller file or fewer sessions.
problem-file-title = This file could not be read
problem-file = Choose a calendar file (.ics) or a JSON list that was exported here or by another tool.
problem-key-title = Not signed in
problem-key = This browser’s key no longer opens the agenda.
problem-changed-title = Changed in the meantime
problem-changed = This was changed in the meantime. Load the page again, then repeat your change.
problem-full-title = Limit reached
problem-full = Your agenda cannot hold any more. Remove something first.
problem-request-title = This did not work
problem-request = The address or the form contains something that the server does not understand.
problem-server-title = Something went wrong
problem-server = The server made a mistake. Please try again later.

## Sources and results of publications

origin-first = first start
origin-file = program file
origin-upload = upload
# $n (number)
origin-rollback = release { $n }, restored
origin-config = changed config
origin-upgrade = newer Callboard
origin-restored = restored backup
origin-scheduled = schedule
origin-source = followed source
# $n (number)
attempt-published = published as release { $n }
# $n (number)
attempt-unchanged = nothing changed against release { $n }
# $n (number)
attempt-refused =
    { $n ->
        [one] refused: { $n } error
       *[other] refused: { $n } errors
    }
# $reasons (text)
attempt-held = held: { $reasons }
# $reason (text)
attempt-failed = failed: { $reason }

## Why a release is held; each completes "held: …"

# $touched (number)
# $of (number)
# $percent (number)
hold-touches =
    { $of ->
        [one] it removes, moves or retitles { $touched } of { $of } session ({ $percent } %)
       *[other] it removes, moves or retitles { $touched } of { $of } sessions ({ $percent } %)
    }
hold-zone-or-dates = it changes the conference’s time zone or dates
# $n (number)
hold-lacks-rows =
    { $n ->
        [one] the file lacks exactly the last row of the live program, as if it was cut off
       *[other] the file lacks exactly the last { $n } rows of the live program, as if it was cut off
    }
# $session (text)
hold-ends-within = the file ends in the middle of the row of { $session }
# $n (number)
hold-sheet-lacks-rows =
    { $n ->
        [one] the sheet lacks exactly its last row, as if it was cut off
       *[other] the sheet lacks exactly its last { $n } rows, as if it was cut off
    }
hold-sheet-lacks-line-break = the sheet does not end with a line break as before, as if it was cut off
hold-sheet-ends-within-row = the sheet ends in the middle of its last row
hold-when-due = it was held when its time came
# $first (number)
# $sessions (text)
hold-overwrites-one = release { $first } was published after it was scheduled, and it would overwrite what changed in { $sessions }
# $first (number)
# $last (number)
# $sessions (text)
hold-overwrites = releases { $first } to { $last } were published after it was scheduled, and it would overwrite what changed in { $sessions }
# $n (number)
hold-more =
    { $n ->
        [one] { $n } more
       *[other] { $n } more
    }

## Messages to browsers

# $title (text)
push-overlap = It now overlaps with “{ $title }”.
# $n (number)
push-several =
    { $n ->
        [one] { $n } of your sessions changed
       *[other] { $n } of your sessions changed
    }
# $n (number)
push-more =
    { $n ->
        [one] … and { $n } more
       *[other] … and { $n } more
    }

# $time (text)
reminder = Starts at { $time }.
# $time (text)
# $room (text)
reminder-in-room = Starts at { $time } in { $room }.
# $n (number)
# $time (text)
reminder-several =
    { $n ->
        [one] { $n } of your sessions starts at { $time }
       *[other] { $n } of your sessions start at { $time }
    }

notify-me = Notify me of changes
notify-text = This device gets a message when one of your sessions is moved, canceled or takes place after all, and nothing else unless you turn on reminders.
notify-on = This device is notified of changes.
notify-reminders = Also remind me 10 minutes before each session
notify-stop = Stop
notify-denied = Your browser blocks notifications from this site. Allow them in the browser’s settings for this site, then load this page again.
notify-unsupported = This browser can’t show notifications from websites. Open this page in another browser to be notified of changes.
notify-ios = To be notified of changes on an iPhone or iPad, add this page to the Home Screen (Share, then Add to Home Screen) and open it from there.
notify-full = Ten devices are notified already. Remove one of them in the settings below.
notify-failed = That didn’t work. Try again later.
devices = Notified devices
devices-text = These devices get a message when one of your sessions is moved, canceled or takes place after all.
device-unnamed = Device without a name
device-remove = Remove
done-device-removed = The device gets no more messages.

## Calendar invitations by mail

# $title (text)
mail-confirm-subject = Confirm your calendar invitations: { $title }
# $title (text)
mail-confirm-text = Somebody, probably you, asked to get the sessions of an agenda for { $title } as calendar invitations at this address. To get them, open this link within 48 hours and press the button there:
mail-confirm-ignore = If it was not you, ignore this mail. Your address has not been stored, and you get no further mails.
# $title (text)
mail-invitation = Invitation: { $title }
# $title (text)
mail-update = Updated: { $title }
# $title (text)
mail-cancellation = Canceled: { $title }
mail-first = Press “Yes” in this invitation once. Then your calendar knows the sender, and adds and changes all further sessions of your agenda by itself.
mail-cancelled-text = This session was canceled, or you removed it from your agenda. Your calendar removes it too.
# $title (text)
mail-reason = You get this mail because you asked for the sessions of your agenda for { $title }.
mail-end-here = Stop these invitations:
mail-heading = Calendar invitations by mail
mail-text = Your sessions arrive in your calendar as invitations, and changes follow within a minute. This suits Google Calendar and Outlook, which look at subscribed calendars only every few hours.
mail-either = Use either these invitations or a subscribed calendar. With both, your calendar shows every session twice.
mail-already = Your sessions already come by mail. If you also subscribe to this calendar, the same calendar app shows every session twice.
mail-address = Mail address
mail-ask = Send me a mail to confirm
mail-asked = A mail is on its way to this address, unless it got one within the last day. Open the link in it and press the button.
mail-addresses = Invitations go to:
mail-removed = No more invitations are sent to this address.
mail-key = Calendar invitations by mail end, too.
mail-confirm = Calendar invitations
# $address (text)
mail-confirm-page = The sessions of your agenda will arrive at { $address } as calendar invitations. Use either these invitations or a subscribed calendar. With both, your calendar shows every session twice.
mail-confirm-button = Send me invitations
mail-confirmed = The first invitation is on its way. Press “Yes” in it once.
mail-end = Stop calendar invitations
mail-end-page = You will get no more invitations for this agenda. Sessions that are in your calendar stay there, but no longer change.
mail-end-button = Stop invitations
mail-ended = You get no more invitations. Sessions that are in your calendar stay there, but no longer change.
mail-link-over = This link no longer works. Enter your mail address on the page of your agenda again.
