//! Reads the pictures of a conference's identity, and refuses files that pages could not show.

use crate::program::{Picture, PictureFormat};
use crate::revision::Digest;
use crate::xml::{self, Element};
use bytes::Bytes;
use std::io::Cursor;

/// The largest file of a picture, in bytes. The pictures stay in memory.
pub const MAX_PICTURE: usize = 1024 * 1024;

/// The largest width and height of a PNG, in pixels. A small file can hold a picture of many gigabytes.
const MAX_SIDE: u32 = 4096;

/// The memory that decoding may take, in bytes: enough for [`MAX_SIDE`] in each direction.
const MAX_DECODED: usize = 4 * 4096 * 4096;

/// Why a file is not used as a picture.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Neither an SVG nor a PNG.
    #[error("neither an SVG nor a PNG file; export the picture as one of these")]
    Format,
    /// More than [`MAX_PICTURE`] bytes.
    #[error("{0} bytes; the largest picture has 1 MiB")]
    TooLarge(usize),
    /// A damaged PNG.
    #[error("a damaged PNG: {0}")]
    Png(String),
    /// Too many pixels.
    #[error("{0} × {1} pixels; the largest picture has {MAX_SIDE} × {MAX_SIDE}")]
    TooWide(u32, u32),
    /// An SVG that is no XML.
    #[error("a damaged SVG: {0}")]
    Svg(String),
    /// An SVG without a size.
    #[error("an SVG without width, height and viewBox; add a viewBox")]
    NoSize,
    /// An SVG with a script or an embedded document.
    #[error("line {0}: <{1}> can run scripts; remove it")]
    Active(usize, String),
    /// An SVG with an event handler.
    #[error("line {0}: the attribute {1} can run a script; remove it")]
    Handler(usize, String),
    /// An SVG that refers to another file.
    #[error("line {0}: a reference to another file; embed it as a data: URL")]
    External(usize),
}

/// Reads an SVG or a PNG, by its content.
///
/// Pages show an SVG only as an image, which runs no script. A script in the file is refused all the same, since the file
/// has an address of its own.
///
/// # Errors
/// [`PictureError`].
pub fn read_picture(bytes: Bytes) -> Result<Picture, PictureError> {
    if bytes.len() > MAX_PICTURE {
        return Err(PictureError::TooLarge(bytes.len()));
    }
    let picture = |format, (width, height)| {
        let digest = Digest::of(&bytes).short();
        Picture { format, width, height, bytes: bytes.clone(), digest }
    };
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let Raster { width, height, .. } = Raster::decode(&bytes)?;
        return Ok(picture(PictureFormat::Png, (width, height)));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| PictureError::Format)?;
    if !text.contains("<svg") {
        return Err(PictureError::Format);
    }
    let root = xml::read(without_doctype(text).as_bytes(), MAX_PICTURE)
        .map_err(|error| PictureError::Svg(error.to_string()))?;
    if root.name != "svg" {
        return Err(PictureError::Format);
    }
    check(&root)?;
    Ok(picture(PictureFormat::Svg, size(&root).ok_or(PictureError::NoSize)?))
}

/// Drawing programs write a document type that names a public definition and declares nothing. The reader of XML refuses
/// every document type.
fn without_doctype(text: &str) -> String {
    let Some((before, rest)) = text.split_once("<!DOCTYPE svg") else { return text.to_owned() };
    match rest.split_once('>') {
        Some((declared, after)) if !declared.contains('[') => format!("{before}{after}"),
        _ => text.to_owned(),
    }
}

fn check(element: &Element) -> Result<(), PictureError> {
    let mut open = vec![element];
    while let Some(element) = open.pop() {
        let name = element.name.to_ascii_lowercase();
        if ["script", "foreignobject", "iframe", "embed", "object", "handler"].contains(&name.as_str()) {
            return Err(PictureError::Active(element.line, element.name.clone()));
        }
        for (name, value) in &element.attributes {
            let name = name.to_ascii_lowercase();
            if name.starts_with("on") {
                return Err(PictureError::Handler(element.line, name));
            }
            let is_reference = name == "href" || name.ends_with(":href") || name == "src";
            let value = value.trim_start();
            if is_reference && !value.starts_with('#') && !value.starts_with("data:image/") {
                return Err(PictureError::External(element.line));
            }
        }
        open.extend(&element.children);
    }
    Ok(())
}

/// The width and height, or those of the viewBox.
fn size(root: &Element) -> Option<(u32, u32)> {
    let number = |raw: &str| raw.trim().trim_end_matches("px").parse::<f64>().ok();
    let own = |name| root.attribute(name).and_then(number);
    let (width, height) = own("width").zip(own("height")).or_else(|| {
        let parts: Vec<f64> = root
            .attribute("viewBox")?
            .split([' ', ',', '\n', '\t'])
            .filter(|part| !part.is_empty())
            .filter_map(number)
            .collect();
        match parts.as_slice() {
            [_, _, width, height] => Some((*width, *height)),
            _ => None,
        }
    })?;
    Some((whole(width)?, whole(height)?))
}

fn whole(length: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (0.5..=100_000.0).contains(&length).then(|| length.round().max(1.0) as u32)
}

/// A decoded PNG: four bytes a pixel, with alpha.
#[derive(Debug)]
pub(super) struct Raster {
    pub width: u32,
    pub height: u32,
    pub rgba: Vec<u8>,
}

impl Raster {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, PictureError> {
        let damaged = |error: png::DecodingError| PictureError::Png(error.to_string());
        let limits = png::Limits { bytes: MAX_DECODED };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let info = decoder.read_header_info().map_err(damaged)?;
        let (width, height) = (info.width, info.height);
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(PictureError::TooWide(width, height));
        }
        let mut reader = decoder.read_info().map_err(damaged)?;
        let length = reader.output_buffer_size().ok_or(PictureError::TooWide(width, height))?;
        let mut pixels = vec![0; length];
        let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
        pixels.truncate(frame.buffer_size());
        let rgba = match frame.color_type {
            png::ColorType::Rgba => pixels,
            png::ColorType::Rgb => widen::<3>(&pixels, |[r, g, b]| [r, g, b, 255]),
            png::ColorType::GrayscaleAlpha => widen::<2>(&pixels, |[grey, alpha]| [grey, grey, grey, alpha]),
            _ => widen::<1>(&pixels, |[grey]| [grey, grey, grey, 255]),
        };
        Ok(Self { width, height, rgba })
    }
}

fn widen<const N: usize>(pixels: &[u8], each: impl Fn([u8; N]) -> [u8; 4]) -> Vec<u8> {
    pixels.as_chunks::<N>().0.iter().flat_map(|pixel| each(*pixel)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Picture, PictureError> {
        read_picture(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        let pixels = vec![7; usize::try_from(width * height).unwrap()];
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        out
    }

    #[test]
    fn an_svg_has_its_own_size_or_that_of_its_view_box() {
        let doctype = "<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x.dtd\">";
        let namespace = "xmlns=\"http://www.w3.org/2000/svg\"";
        for (text, size) in [
            (format!("<svg {namespace} width=\"30px\" height=\"20\"/>"), (30, 20)),
            (format!("{doctype}<svg {namespace} width=\"100%\" viewBox=\"0 0 64.4,32\"/>"), (64, 32)),
        ] {
            let picture = read(&text).unwrap();
            assert_eq!((picture.format, (picture.width, picture.height)), (PictureFormat::Svg, size));
        }
        assert_eq!(read(&format!("<svg {namespace}/>")), Err(PictureError::NoSize));
    }

    #[test]
    fn an_svg_that_could_run_a_script_or_load_a_file_is_refused() {
        for (inside, expected) in [
            ("<g>\n<script>alert(1)</script></g>", PictureError::Active(2, "script".into())),
            ("<foreignObject/>", PictureError::Active(1, "foreignObject".into())),
            ("<g onload=\"alert(1)\"/>", PictureError::Handler(1, "onload".into())),
            ("<image href=\"https://other.example/x.png\"/>", PictureError::External(1)),
            ("<a xlink:href=\"javascript:alert(1)\"/>", PictureError::External(1)),
        ] {
            let text = format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
                 viewBox=\"0 0 1 1\">{inside}</svg>"
            );
            assert_eq!(read(&text), Err(expected), "{inside}");
        }
        assert!(matches!(read("<!DOCTYPE svg [<!ENTITY a \"b\">]><svg/>"), Err(PictureError::Svg(_))));
    }

    #[test]
    fn a_png_is_decoded_before_it_is_accepted() {
        let whole = png(9, 5);
        let picture = read_picture(whole.clone().into()).unwrap();
        assert_eq!((picture.format, picture.width, picture.height), (PictureFormat::Png, 9, 5));
        assert_eq!(Raster::decode(&whole).unwrap().rgba.get(..4), Some(&[7, 7, 7, 255][..]));
        let cut = Bytes::copy_from_slice(&whole[..whole.len() - 20]);
        assert!(matches!(read_picture(cut), Err(PictureError::Png(_))));
        assert_eq!(read_picture(png(4097, 1).into()), Err(PictureError::TooWide(4097, 1)));
    }

    #[test]
    fn other_files_are_refused() {
        assert_eq!(read("GIF89a"), Err(PictureError::Format));
        assert_eq!(read("<html><svg/></html>"), Err(PictureError::Format));
        let large = Bytes::from(vec![0; MAX_PICTURE + 1]);
        assert_eq!(read_picture(large), Err(PictureError::TooLarge(MAX_PICTURE + 1)));
    }
}
