//! Publishing through the publisher alone, with a fixed clock and a store in a temporary directory.

mod confirmations;
mod crashes;

mod damaged;
mod deliveries;
mod erasures;
mod files;
mod full_disk;
mod incomplete_files;
mod inspection;
mod releases;
mod reloads;
mod schedules;
mod starts;

mod venue;
