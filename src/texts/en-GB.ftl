# British English: only the messages that differ from en-US.ftl.

## Days and times

september-short = Sept
day-long = { $weekday } { $day } { $month }
day-medium = { $weekday } { $day } { $month }
month-day = { $day } { $month }
date = { $day } { $month } { $year }
date-range = { $day }–{ $last } { $month } { $year }
date-range-months = { $first } – { $last } { $year }
list-end = { $first } and { $last }

## Sessions

cancelled = Cancelled
cancelled-long = This session has been cancelled.

## Subscribe

google-delay = Updates every 8–24 hours; Google sets the pace. Cancelled sessions stay, marked in the title.

## Change feeds

change-cancelled-head = cancelled
change-cancelled = Cancelled. It was { $place }.
status-cancelled = cancelled

## The program as plain text

day-year = { $weekday } { $day } { $month } { $year }

## Organizer

# $n (number)
n-cancelled = { $n } cancelled
done-unscheduled = The planned publication is cancelled.
# $n (number)
picks-text = How many agendas hold each session, for room sizes. Sessions with fewer than { $n } picks are left out, so that nobody can be recognised.

## Messages to browsers

notify-text = This device gets a message when one of your sessions is moved, cancelled or takes place after all, and nothing else unless you turn on reminders.
devices-text = These devices get a message when one of your sessions is moved, cancelled or takes place after all.

## Calendar invitations by mail

mail-cancellation = Cancelled: { $title }
mail-cancelled-text = This session was cancelled, or you removed it from your agenda. Your calendar removes it too.
