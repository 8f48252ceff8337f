//! HTTP: most requests go through `respond` in process, the wire suite through real sockets.

mod agenda_feeds;
mod agendas;
mod api;
mod basics;
mod changes;
mod dav;
mod described;
mod desk;
mod exchange;
mod feeds;
mod headers;
mod limits;
mod matrix;
mod operator;
mod organizer;
mod pages;
mod retention;
mod secrets;
mod stage;
mod team;
mod terminals;
mod wire;
