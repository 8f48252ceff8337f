//! Tests of the publisher alone, without HTTP, with a clock that tests set and a store in a temporary directory.

mod confirmations;
mod crashes;

mod damaged;
mod deliveries;
mod erasures;
mod files;
mod following;
mod full_disk;
mod incomplete_files;
mod inspection;
mod on_a_database;
mod releases;
mod reloads;
mod schedules;
mod starts;

mod venue;
