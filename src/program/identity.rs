//! How a conference looks: its logo, its accent colour, its sentence of purpose and its venue on a map.
//!
//! Not part of a release: the pages of every release show the identity of the config in force.

use super::{Colour, Text};
use bytes::Bytes;
use url::Url;

/// How pages present the conference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// One sentence that says what the conference is for; may be empty.
    pub hero: Text,
    /// The colour of the masthead and of buttons.
    pub accent: Option<Colour>,
    /// The logo in the masthead.
    pub logo: Option<Picture>,
    /// The picture that messengers and social networks show with a link. If none, one is drawn.
    pub share_image: Option<Picture>,
    /// The venue's postal address; may be empty.
    pub venue_address: Text,
    /// The venue on a map.
    pub venue_map: Option<Url>,
}

/// A picture from a file, checked and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file format.
    pub format: PictureFormat,
    /// The width in pixels, or in the units of an SVG.
    pub width: u32,
    /// The height.
    pub height: u32,
    /// The file.
    pub bytes: Bytes,
    /// The first digits of the file's SHA-256, for its address.
    pub digest: String,
}

/// The format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Scalable Vector Graphics.
    Svg,
    /// Portable Network Graphics.
    Png,
}

impl PictureFormat {
    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }

    /// The extension of file names, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }
}
