//! The pictures of a release's pages: the conference's own ones, and those drawn for it.
//!
//! A picture's address holds a digest: of the file, or of everything that a drawn picture shows. So caches may keep it
//! for ever, and pages can name a picture that is not drawn yet.

use super::RenderedPage;
use super::colours::Shades;
use super::drawing::{PictureSubject, SHARED};
use super::site::Site;
use crate::program::{Colour, Picture, PictureFormat};
use crate::revision::Digest;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// The sides of icons in pixels: that of iOS, and those of the Web Application Manifest.
const ICONS: [u32; 3] = [180, 192, 512];

/// The colours of `--paper`, light and dark, which browsers continue beyond the page.
const PAPER: Shades = Shades { light: Colour([0xfb, 0xfa, 0xf7]), dark: Colour([0x14, 0x14, 0x14]) };

/// A picture with its address.
#[derive(Debug)]
pub(super) struct Shown {
    pub path: String,
    pub width: u32,
    pub height: u32,
}

/// The address of a picture that the config names.
pub(super) fn own_picture(name: &str, picture: &Picture) -> String {
    let digest = picture.digest.get(..12).unwrap_or_default();
    format!("/assets/{name}.{digest}.{}", picture.format.extension())
}

impl Site<'_> {
    /// The sentence of purpose.
    pub(super) fn hero(&self) -> Option<&str> {
        Some(self.conference().identity.hero.as_str()).filter(|hero| !hero.is_empty())
    }

    pub(super) fn logo(&self) -> Option<Shown> {
        self.conference().identity.logo.as_ref().map(|logo| Shown {
            path: own_picture("logo", logo),
            width: logo.width,
            height: logo.height,
        })
    }

    /// The picture that messengers and social networks show with a link.
    pub(super) fn share_picture(&self) -> Shown {
        match &self.conference().identity.share_image {
            Some(own) => Shown { path: own_picture("share", own), width: own.width, height: own.height },
            None => Shown { path: self.drawn("share"), width: SHARED.0, height: SHARED.1 },
        }
    }

    pub(super) fn icon_path(&self, side: u32) -> String {
        self.drawn(&format!("icon-{side}"))
    }

    /// The icon of browser tabs and its media type: a logo that is about as wide as high, or an icon.
    pub(super) fn favicon(&self) -> (String, &'static str) {
        let identity = &self.conference().identity;
        match &identity.logo {
            Some(logo) if is_square(logo) => (own_picture("logo", logo), logo.format.media_type()),
            None if identity.accent.is_none() => (self.asset("icon.svg").to_owned(), "image/svg+xml"),
            _ => (self.icon_path(192), "image/png"),
        }
    }

    /// The colours of the browser's own bars.
    pub(super) fn theme_colours(&self) -> Shades {
        self.conference().identity.accent.map_or(PAPER, Shades::of)
    }

    /// The icons of an installed program.
    pub(super) fn manifest_icons(&self) -> Vec<Value> {
        let identity = &self.conference().identity;
        let icon = |path: &str, sizes: &str, media_type: &str, purpose: &str| json!({"src": path, "sizes": sizes, "type": media_type, "purpose": purpose});
        if identity.logo.is_none() && identity.accent.is_none() {
            let svg = |name, purpose| icon(self.asset(name), "any", "image/svg+xml", purpose);
            return vec![svg("icon.svg", "any"), svg("icon-maskable.svg", "maskable")];
        }
        let mut icons = Vec::new();
        if let Some(logo) =
            identity.logo.as_ref().filter(|logo| is_square(logo) && logo.format == PictureFormat::Svg)
        {
            icons.push(icon(&own_picture("logo", logo), "any", logo.format.media_type(), "any"));
        }
        for side in [192, 512] {
            for purpose in ["any", "maskable"] {
                icons.push(icon(&self.icon_path(side), &format!("{side}x{side}"), "image/png", purpose));
            }
        }
        icons
    }

    fn subject(&self) -> PictureSubject {
        let conference = self.conference();
        let venue = conference.venue.as_ref().map(ToString::to_string);
        PictureSubject {
            title: conference.title.to_string(),
            line: self.dates().into_iter().chain(venue).collect::<Vec<_>>().join(" · "),
            accent: conference.identity.accent,
            logo: conference.identity.logo.clone(),
        }
    }

    fn drawn(&self, name: &str) -> String {
        let PictureSubject { title, line, accent, logo } = self.subject();
        let accent = accent.map(String::from).unwrap_or_default();
        let logo = logo.map(|logo| logo.digest).unwrap_or_default();
        // The version rises with every change of the drawing.
        let shown = ["1", &title, &line, &accent, &logo].join("\n");
        let digest = Digest::of(shown.as_bytes()).short();
        format!("/assets/{name}.{}.png", digest.get(..12).unwrap_or_default())
    }
}

fn is_square(picture: &Picture) -> bool {
    let (long, short) = (picture.width.max(picture.height), picture.width.min(picture.height));
    long.saturating_mul(2) <= short.saturating_mul(3)
}

/// The pictures that are drawn for a release, at the latest when they are first requested.
#[derive(Debug)]
pub(super) struct Pictures {
    subject: PictureSubject,
    pictures: Vec<Drawing>,
}

#[derive(Debug)]
struct Drawing {
    path: String,
    /// The side of an icon; none for the picture beside a link.
    icon: Option<u32>,
    drawn: OnceLock<RenderedPage>,
}

impl Drawing {
    fn page(&self, subject: &PictureSubject) -> &RenderedPage {
        self.drawn.get_or_init(|| {
            RenderedPage::png(self.icon.map_or_else(|| subject.shared(), |side| subject.icon(side)))
        })
    }
}

impl Pictures {
    pub(super) fn of(site: &Site<'_>) -> Self {
        let drawing = |path, icon| Drawing { path, icon, drawn: OnceLock::new() };
        let mut pictures: Vec<Drawing> =
            ICONS.iter().map(|side| drawing(site.icon_path(*side), Some(*side))).collect();
        if site.conference().identity.share_image.is_none() {
            pictures.push(drawing(site.share_picture().path, None));
        }
        Self { subject: site.subject(), pictures }
    }

    pub(super) fn get(&self, path: &str) -> Option<&RenderedPage> {
        let drawing = self.pictures.iter().find(|drawing| drawing.path == path)?;
        Some(drawing.page(&self.subject))
    }

    /// Draws all pictures, so that no request has to wait for one.
    pub(super) fn draw(&self) {
        for drawing in &self.pictures {
            drawing.page(&self.subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::program::{Identity, Text};
    use crate::web::{Pages, read_picture};
    use std::sync::Arc;

    fn pages(identity: Identity) -> (crate::release::Release, Pages) {
        let mut fixture = fixtures::opening().title("Con");
        fixture.conference.venue = Some(Text::from("Hall"));
        fixture.conference.identity = Arc::new(identity);
        let release = fixture.release();
        let pages = Pages::render(&release);
        (release, pages)
    }

    fn text(pages: &Pages, path: &str) -> String {
        String::from_utf8(pages.page(path).unwrap().identity.to_vec()).unwrap()
    }

    /// The value of an attribute in the first tag that contains `tag`.
    fn attribute<'a>(html: &'a str, tag: &str, name: &str) -> &'a str {
        let start = html.find(tag).unwrap_or_else(|| panic!("{tag} is missing"));
        let rest = &html[start..start + html[start..].find('>').unwrap()];
        rest.split_once(&format!("{name}=\"")).unwrap().1.split_once('"').unwrap().0
    }

    #[test]
    fn without_an_identity_pages_name_drawn_pictures() {
        let (release, pages) = pages(Identity::default());
        let home = text(&pages, "/");
        let origin = release.program.conference.link("");
        let shared = attribute(&home, "og:image\"", "content").strip_prefix(&origin).unwrap();
        for path in [shared, attribute(&home, "apple-touch-icon", "href")] {
            assert_eq!(pages.page(path).unwrap().media_type, "image/png", "{path}");
        }
        assert!(attribute(&home, "rel=\"icon\"", "href").ends_with(".svg"));
        assert!(!home.contains("class=\"logo\"") && !home.contains("class=\"hero\""));
        assert!(pages.page("/assets/share.000000000000.png").is_none());
    }

    #[test]
    fn an_identity_is_shown_on_every_page_and_the_sentence_on_the_program_page() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 30 10\"/>";
        let identity = Identity {
            hero: Text::from("Talks <about> reliable systems"),
            accent: Some(Colour([0x0b, 0x6e, 0x8f])),
            logo: Some(read_picture(svg.as_bytes().into()).unwrap()),
            venue_address: Text::from("1 Main Street"),
            venue_map: "https://map.example/?a=1&b=2".parse().ok(),
            share_image: None,
        };
        let (_, pages) = pages(identity);
        for path in ["/", "/speakers"] {
            let page = text(&pages, path);
            let logo = attribute(&page, "class=\"logo\"", "src");
            assert_eq!(pages.page(logo).unwrap().identity, svg.as_bytes());
            assert_eq!(attribute(&page, "class=\"logo\"", "width"), "30");
            assert_eq!(attribute(&page, "name=\"theme-color\"", "content"), "#0b6e8f");
            assert!(
                page.contains("href=\"https://map.example/?a=1&#38;b=2\"") && page.contains("1 Main Street")
            );
            // The wide logo does not become an icon.
            assert!(attribute(&page, "rel=\"icon\"", "href").starts_with("/assets/icon-192."));
        }
        assert!(
            text(&pages, "/")
                .contains("<p class=\"hero\" dir=\"auto\">Talks &#60;about&#62; reliable systems</p>")
        );
        assert!(!text(&pages, "/speakers").contains("class=\"hero\""));
        let manifest: Value = serde_json::from_str(&text(&pages, "/manifest.webmanifest")).unwrap();
        assert_eq!(manifest["theme_color"], "#0b6e8f");
        for icon in manifest["icons"].as_array().unwrap() {
            assert!(pages.page(icon["src"].as_str().unwrap()).is_some(), "{icon}");
        }
        assert!(text(&pages, "/sw.js").contains("/assets/logo."), "the logo is there without a network");
    }

    #[test]
    fn the_organizers_own_picture_takes_the_place_of_the_drawn_one() {
        let drawn = pages(Identity::default());
        let path = Site::of(&drawn.0).share_picture().path;
        let own = read_picture(drawn.1.page(&path).unwrap().identity.clone()).unwrap();
        let (release, pages) = pages(Identity { share_image: Some(own.clone()), ..Identity::default() });
        let share = Site::of(&release).share_picture();
        assert_ne!(share.path, path);
        assert_eq!(pages.page(&share.path).unwrap().identity, own.bytes);
        assert!(pages.page(&path).is_none());
    }
}
