//! The store on a real disk: what is acknowledged is there, what is not acknowledged is not seen.

mod commits;
mod copies;
mod crash;
mod format;
mod full_disk;
mod releases;
mod sample;
