//! Publishing through the publisher alone: a clock that stands still, a store in a temporary directory.

mod confirmations;
mod crashes;
mod cuts;
mod damaged;
mod erasures;
mod files;
mod gate;
mod releases;
mod reloads;
mod schedules;
mod starts;
mod telling;
mod venue;
