//! HTTP: most requests go through `respond` in process, the wire suite through real sockets.

mod agenda_feeds;
mod agendas;
mod basics;
mod changes;
mod dav;
mod desk;
mod feeds;
mod organizer;
mod pages;
mod secrets;
mod stage;
mod wire;
