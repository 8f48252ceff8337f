//! The web: a release, an agenda and what a visitor asked for, as pages.
mod assets;
mod card;
mod day;
mod files;
mod grid;
mod head;
mod json;
mod notice;
mod page;
mod pages;
mod part;
mod program;
mod prose;
mod qr;
mod schema;
mod session;
mod site;
mod text;
mod view;
mod when;

pub use assets::Assets;
pub use notice::{hand_over, problem};
pub use page::Page;
pub use pages::Pages;
pub use part::{speaker, track};
pub use program::program;
pub use session::session;
pub use view::{LONGEST_SEARCH, View};

use askama::Template;

/// A template's text. Templates write to memory and print only strings and numbers, so this cannot fail.
fn write(template: &impl Template) -> String {
    template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be written");
        String::new()
    })
}
