//! Colours, and whether they can be told apart (WCAG 2.2, contrast ratio).

use serde::{Deserialize, Serialize};
use std::fmt;

/// A colour, `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

/// Why a text is not a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as #rrggbb, for example #1f6feb")]
pub struct ColourError;

impl TryFrom<String> for Colour {
    type Error = ColourError;
    fn try_from(raw: String) -> Result<Self, ColourError> {
        let hex = raw.strip_prefix('#').ok_or(ColourError)?.to_ascii_lowercase();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).map_err(|_| ColourError)?;
        bytes.try_into().map(Self).map_err(|_| ColourError)
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl Colour {
    /// Black.
    pub const BLACK: Self = Self([0, 0, 0]);
    /// White.
    pub const WHITE: Self = Self([255, 255, 255]);

    /// The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// The colour itself if its contrast to `ground` is at least `least`; otherwise the nearest mixture with black or
    /// white, whichever is farther from the ground, that has this contrast.
    #[must_use]
    pub fn distinct_from(self, ground: Self, least: f64) -> Self {
        let far = ground.ink();
        let steps = (0..=100_u16).map(|percent| self.mixed(far, percent));
        steps.into_iter().find(|mixed| mixed.contrast(ground) >= least).unwrap_or(far)
    }

    /// Black or white, whichever is easier to read on this colour. The contrast is 4.5 at least.
    #[must_use]
    pub fn ink(self) -> Self {
        if self.contrast(Self::BLACK) > self.contrast(Self::WHITE) { Self::BLACK } else { Self::WHITE }
    }

    /// This colour with a share of another, in percent.
    #[must_use]
    pub fn mixed(self, other: Self, percent: u16) -> Self {
        let percent = percent.min(100);
        let [(a, x), (b, y), (c, z)] = [0, 1, 2].map(|at| {
            let one = |colour: Self| u16::from(colour.0.get(at).copied().unwrap_or_default());
            (one(self), one(other))
        });
        let mix =
            |a: u16, b: u16| u8::try_from((a * (100 - percent) + b * percent + 50) / 100).unwrap_or(255);
        Self([mix(a, x), mix(b, y), mix(c, z)])
    }

    /// The relative luminance, 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|byte| {
            let share = f64::from(byte) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn colour(raw: &str) -> Colour {
        Colour::try_from(raw.to_owned()).unwrap()
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        // The pair that every introduction shows: the lightest grey on white that passes 4.5.
        assert!((colour("#767676").contrast(Colour::WHITE) - 4.54).abs() < 0.01);
        assert_eq!(colour("#777777").ink(), Colour::BLACK);
    }

    #[test]
    fn a_colour_with_enough_contrast_stays_as_it_is() {
        assert_eq!(colour("#0b6e8f").distinct_from(Colour::WHITE, 3.0), colour("#0b6e8f"));
        let yellow = colour("#ffd400").distinct_from(Colour::WHITE, 3.0);
        assert!(yellow.contrast(Colour::WHITE) >= 3.0 && yellow != Colour::BLACK, "{yellow}");
    }

    proptest! {
        #[test]
        fn every_colour_becomes_distinct_and_has_a_readable_ink(rgb: [u8; 3], ground: [u8; 3]) {
            let (colour, ground) = (Colour(rgb), Colour(ground));
            prop_assert!(colour.distinct_from(ground, 4.5).contrast(ground) >= 4.5);
            prop_assert!(colour.ink().contrast(colour) >= 4.5);
        }
    }
}
