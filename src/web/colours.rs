//! The colours of a conference: its accent and its tracks, in both colour schemes.
//!
//! A configured colour is used as it is where it can be seen. Where its contrast to the page is below
//! [`MIN_CONTRAST`], it is darkened or lightened.

use super::site::Site;
use crate::program::{Colour, Track};
use std::fmt::Write;

/// The least contrast of bars, borders and buttons to the page (WCAG 2.2, 1.4.11).
const MIN_CONTRAST: f64 = 3.0;

/// The grounds of each scheme on which a colour has the least contrast: `--tint` of `base.css`, light and dark.
const LIGHT: Colour = Colour([0xf0, 0xec, 0xe1]);
const DARK: Colour = Colour([0x24, 0x22, 0x1d]);

/// The colours of tracks for which the config names none. Red and yellow are missing: red marks overlaps and cancelled
/// sessions, yellow marks picked ones.
const TRACKS: [Colour; 10] = [
    Colour([0x2b, 0x78, 0xb8]),
    Colour([0xb0, 0x60, 0x1a]),
    Colour([0x2f, 0x86, 0x4a]),
    Colour([0x9a, 0x56, 0xa8]),
    Colour([0x1f, 0x87, 0x8c]),
    Colour([0xbb, 0x4f, 0x78]),
    Colour([0x6f, 0x62, 0xc8]),
    Colour([0x7d, 0x76, 0x1c]),
    Colour([0x63, 0x78, 0x8c]),
    Colour([0x94, 0x68, 0x46]),
];

/// A colour as the pages show it in each colour scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shades {
    /// On light pages.
    pub light: Colour,
    /// On dark pages.
    pub dark: Colour,
}

impl Shades {
    /// The colour, or the nearest shades of it that can be seen.
    pub fn of(colour: Colour) -> Self {
        Self {
            light: colour.distinct_from(LIGHT, MIN_CONTRAST),
            dark: colour.distinct_from(DARK, MIN_CONTRAST),
        }
    }
}

impl Site<'_> {
    /// The style sheet with the colours of the conference. It is a file because the policy forbids inline styles.
    pub(super) fn colours(&self) -> String {
        let (mut light, mut dark) = (String::new(), String::new());
        if let Some(accent) = self.conference().identity.accent {
            let shades = Shades::of(accent);
            for (css, shade) in [(&mut light, shades.light), (&mut dark, shades.dark)] {
                let _ = writeln!(css, ":root{{--accent:{shade};--on-accent:{};--line:4px}}", shade.ink());
            }
        }
        let place = |track: &Track| self.track_place(&track.slug);
        let tracks = &self.release.program.tracks;
        let former = self.release.ledger.slugs.tracks.values().filter(|track| place(track).is_none());
        for track in former.chain(tracks) {
            let shades = Shades::of(track.colour.unwrap_or_else(|| default_colour(track, place(track))));
            for (css, shade) in [(&mut light, shades.light), (&mut dark, shades.dark)] {
                let _ = writeln!(css, ".t-{}{{--track:{shade}}}", track.slug);
            }
        }
        if dark.is_empty() {
            return light;
        }
        format!("{light}@media screen and (prefers-color-scheme:dark){{\n{dark}}}\n")
    }
}

/// The colour by the track's place in the program. A track that left the program has no place; its slug decides.
fn default_colour(track: &Track, place: Option<usize>) -> Colour {
    let by_slug = || track.slug.as_str().bytes().map(usize::from).sum();
    let place = place.unwrap_or_else(by_slug);
    TRACKS.get(place % TRACKS.len()).copied().unwrap_or(Colour::BLACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::program::{Identity, Text, slug_of};
    use std::collections::BTreeSet;
    use std::sync::Arc;

    #[test]
    fn the_grounds_are_those_of_the_style_sheet() {
        let css = include_str!("assets/base.css");
        let tints: Vec<&str> = css.lines().filter_map(|line| line.trim().strip_prefix("--tint: ")).collect();
        assert_eq!(tints, [format!("{LIGHT};"), format!("{DARK};")]);
    }

    #[test]
    fn default_colours_can_be_seen_as_they_are_and_told_apart() {
        for colour in TRACKS {
            assert_eq!(Shades::of(colour), Shades { light: colour, dark: colour }, "{colour}");
        }
        for (at, a) in TRACKS.iter().enumerate() {
            for b in TRACKS.iter().skip(at + 1) {
                let apart: u32 = a.0.iter().zip(b.0).map(|(a, b)| u32::from(a.abs_diff(b))).sum();
                assert!(apart > 60, "{a} and {b}");
            }
        }
    }

    #[test]
    fn tracks_without_a_colour_get_different_ones_and_an_accent_is_adjusted_for_each_scheme() {
        let mut fixture = fixtures::conference();
        fixture.conference.tracks = (1..=6)
            .map(|n| Track {
                name: Text::from(format!("Track {n}")),
                slug: slug_of(&format!("Track {n}")),
                colour: None,
                about: Text::default(),
                was: Vec::new(),
            })
            .collect();
        let accent = Some(Colour([0xff, 0xd4, 0x00]));
        fixture.conference.identity = Arc::new(Identity { accent, ..Identity::default() });
        let release = fixture.release();
        let css = Site::of(&release).colours();
        let (light, dark) = css.split_once("@media").unwrap();
        let colours: BTreeSet<&str> =
            light.lines().filter_map(|line| line.split_once("--track:")).map(|it| it.1).collect();
        assert_eq!(colours.len(), 6, "{css}");
        assert!(!light.contains("--accent:#ffd400") && light.contains("--on-accent:#"), "{css}");
        assert!(dark.contains("--accent:#ffd400;--on-accent:#000000"), "{css}");
    }
}
