//! The web: a release, an agenda and what a visitor asked for, as pages.
mod assets;
mod card;
mod changes;
mod day;
mod files;
mod grid;
mod head;
mod json;
mod mine;
mod notice;
mod organizer;
mod page;
mod pages;
mod part;
mod plan;
mod platform;
mod program;
mod prose;
mod qr;
mod schema;
mod session;
mod shared;
mod site;
mod subscribe;
mod text;
mod view;
mod when;

pub use assets::Assets;
pub use changes::{ReleaseNotes, changes};
pub use mine::{Fetched, Mine, ReadLink, mine, no_agenda};
pub use notice::{hand_over, problem};
pub use organizer::{Desk, FaultLine, KeptRelease, Preview, desk, preview, sign_in};
pub use page::Page;
pub use pages::Pages;
pub use part::{speaker, track};
pub use platform::Platform;
pub use program::program;
pub use session::session;
pub use shared::shared;
pub use subscribe::{Subject, subscribe};
pub use view::{LONGEST_SEARCH, View};

use askama::Template;

/// A template's text. Templates write to memory and print only strings and numbers, so this cannot fail.
fn write(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be written");
        String::new()
    })
}
