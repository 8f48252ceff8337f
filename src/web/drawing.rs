//! Draws the pictures that a conference does not bring along: the one that messengers show with a link, and the icons
//! of home screens. Both are PNG files, since neither messengers nor home screens accept SVG.
//!
//! The font has the Latin, Greek and Cyrillic scripts. A text in another script is left out; such a conference configures
//! a picture of its own.

use super::picture::Raster;
use crate::program::{Colour, Picture, PictureFormat};
use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

/// Noto Serif, reduced to the scripts above. Its licence is `fonts/OFL.txt`.
const FONT: &[u8] = include_bytes!("fonts/NotoSerif-Regular.ttf");

/// The size of the picture beside a link, in pixels: the ratio 1.91 to 1 that messengers do not crop.
pub(super) const SHARED: (u32, u32) = (1200, 630);

const PAPER: Colour = Colour([0xfb, 0xfa, 0xf7]);
const INK: Colour = Colour([0x17, 0x17, 0x17]);
const SOFT: Colour = Colour([0x5a, 0x58, 0x52]);

/// What the pictures show.
#[derive(Debug, Clone)]
pub(super) struct PictureSubject {
    pub title: String,
    /// Dates and venue.
    pub line: String,
    pub accent: Option<Colour>,
    pub logo: Option<Picture>,
}

impl PictureSubject {
    fn accent(&self) -> Colour {
        self.accent.unwrap_or(INK)
    }

    /// The logo. An SVG would need a renderer of its own, which is larger than the whole server.
    fn raster(&self) -> Option<Raster> {
        let logo = self.logo.as_ref().filter(|logo| logo.format == PictureFormat::Png)?;
        Raster::decode(&logo.bytes).ok()
    }

    /// The picture beside a link: logo, title, dates and venue.
    pub(super) fn shared(&self) -> Vec<u8> {
        let (width, height) = SHARED;
        let (left, right) = (88, width - 88);
        let mut canvas = Canvas::new(width, height, PAPER);
        canvas.fill((0, 0), (width, 28), self.accent());
        if let Some(logo) = self.raster() {
            canvas.paste(&logo, (left, 84), (520, 110), false);
        }
        if let Ok(font) = FontRef::try_from_slice(FONT) {
            // The largest size at which the title takes three lines at most.
            let room = (right - left) as f32;
            let sizes = [144.0, 120.0, 104.0, 88.0, 76.0, 64.0, 54.0];
            let fitting = sizes.iter().map(|size| (*size, wrap(&font, &self.title, *size, room)));
            let (size, lines) = fitting
                .into_iter()
                .find(|(_, lines)| lines.len() <= 3)
                .unwrap_or_else(|| (54.0, wrap(&font, &self.title, 54.0, room)));
            // From the foot upwards: dates and venue, then the title.
            let foot = height as f32 - 84.0;
            let step = size * 0.95;
            let mut base = foot - 84.0;
            for line in lines.iter().take(5).rev() {
                canvas.write(&font, line, size, (left as f32, base), INK);
                base -= step;
            }
            let line = wrap(&font, &self.line, 46.0, room).into_iter().next().unwrap_or_default();
            canvas.write(&font, &line, 46.0, (left as f32, foot), SOFT);
        }
        canvas.png()
    }

    /// A square icon: the logo, or the first letter of the title on the accent colour. The system may cut off a tenth on
    /// each side.
    pub(super) fn icon(&self, side: u32) -> Vec<u8> {
        if let Some(logo) = self.raster() {
            let mut canvas = Canvas::new(side, side, Colour::WHITE);
            let inner = side * 7 / 10;
            canvas.paste(&logo, ((side - inner) / 2, (side - inner) / 2), (inner, inner), true);
            return canvas.png();
        }
        let (ground, ink) = (self.accent(), self.accent().ink());
        let mut canvas = Canvas::new(side, side, ground);
        let initial = self.title.chars().find(|c| c.is_alphanumeric());
        let initial: String = initial.into_iter().flat_map(char::to_uppercase).collect();
        match FontRef::try_from_slice(FONT) {
            Ok(font) if !initial.is_empty() && can_write(&font, &initial) => {
                let size = side as f32 * 0.8;
                let scaled = font.as_scaled(PxScale::from(size));
                let width = width_of(&font, &initial, size);
                // Capital letters are about 0.52 of the scale high.
                let at = ((side as f32 - width) / 2.0, side as f32 / 2.0 + scaled.height() * 0.26);
                canvas.write(&font, &initial, size, at, ink);
            }
            // The lines of a program, as in Callboard's own icon.
            _ => {
                for (row, share) in [(0, 34), (1, 56), (2, 44)] {
                    let top = side * (32 + 16 * row) / 100;
                    canvas.fill((side * 22 / 100, top), (side * share / 100, side * 6 / 100), ink);
                }
            }
        }
        canvas.png()
    }
}

/// Opaque pixels, three bytes each.
struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<[u8; 3]>,
}

impl Canvas {
    fn new(width: u32, height: u32, ground: Colour) -> Self {
        Self { width, height, pixels: vec![ground.0; width as usize * height as usize] }
    }

    fn at(&mut self, x: u32, y: u32) -> Option<&mut [u8; 3]> {
        let is_inside = x < self.width && y < self.height;
        let place = y as usize * self.width as usize + x as usize;
        if is_inside { self.pixels.get_mut(place) } else { None }
    }

    fn fill(&mut self, (left, top): (u32, u32), (width, height): (u32, u32), colour: Colour) {
        for y in top..top + height {
            for x in left..left + width {
                if let Some(pixel) = self.at(x, y) {
                    *pixel = colour.0;
                }
            }
        }
    }

    /// Mixes a colour into a pixel, `percent` of it.
    fn blend(&mut self, x: u32, y: u32, colour: Colour, percent: u16) {
        if let Some(pixel) = self.at(x, y) {
            *pixel = Colour(*pixel).mixed(colour, percent).0;
        }
    }

    /// Writes a line with its baseline at `y`. A line with a character that the font lacks is left out.
    fn write(&mut self, font: &FontRef<'_>, text: &str, size: f32, (x, y): (f32, f32), colour: Colour) {
        if !can_write(font, text) {
            return;
        }
        let scaled = font.as_scaled(PxScale::from(size));
        let mut pen = x;
        for c in text.chars() {
            let id = scaled.glyph_id(c);
            let glyph = Glyph { id, scale: scaled.scale(), position: point(pen, y) };
            pen += scaled.h_advance(id);
            let Some(outline) = scaled.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, share| {
                let place = |corner: f32, offset: u32| whole(corner).saturating_add(offset);
                let percent = whole(share.clamp(0.0, 1.0) * 100.0);
                let percent = u16::try_from(percent).unwrap_or(100);
                self.blend(place(corner.x, dx), place(corner.y, dy), colour, percent);
            });
        }
    }

    /// Scales a picture into a box, without stretching it. Each pixel is the mean of those that it covers.
    fn paste(
        &mut self,
        picture: &Raster,
        (left, top): (u32, u32),
        (width, height): (u32, u32),
        centred: bool,
    ) {
        let (from_width, from_height) = (picture.width.max(1), picture.height.max(1));
        let scale = (width as f32 / from_width as f32).min(height as f32 / from_height as f32);
        let (to_width, to_height) =
            (whole(from_width as f32 * scale).max(1), whole(from_height as f32 * scale).max(1));
        let (shift_x, shift_y) = match centred {
            true => (width.saturating_sub(to_width) / 2, height.saturating_sub(to_height) / 2),
            false => (0, 0),
        };
        let span = |at: u32, to: u32, from: u32| {
            let (at, to, from) = (u64::from(at), u64::from(to), u64::from(from));
            let (first, last) = (at * from / to, ((at + 1) * from).div_ceil(to));
            (first, last.clamp(first + 1, from.max(first + 1)))
        };
        for y in 0..to_height {
            let rows = span(y, to_height, from_height);
            for x in 0..to_width {
                let columns = span(x, to_width, from_width);
                let (colour, percent) = picture.mean(columns, rows);
                self.blend(left + shift_x + x, top + shift_y + y, colour, percent);
            }
        }
    }

    /// The PNG file. An error cannot happen, since it writes to memory; the picture is then empty.
    fn png(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::Balanced);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(self.pixels.as_flattened())?;
            writer.finish()
        });
        if let Err(error) = written {
            tracing::error!(%error, "a picture could not be drawn");
        }
        out
    }
}

impl Raster {
    /// The mean colour of a rectangle, weighted by alpha, and the mean alpha in percent.
    fn mean(&self, columns: (u64, u64), rows: (u64, u64)) -> (Colour, u16) {
        let (mut sums, mut alphas, mut count) = ([0_u64; 3], 0_u64, 0_u64);
        for y in rows.0..rows.1 {
            for x in columns.0..columns.1 {
                let place = usize::try_from((y * u64::from(self.width) + x) * 4).unwrap_or(usize::MAX);
                let Some([r, g, b, alpha]) = self.rgba.get(place..).and_then(<[u8]>::first_chunk) else {
                    continue;
                };
                for (sum, value) in sums.iter_mut().zip([r, g, b]) {
                    *sum += u64::from(*value) * u64::from(*alpha);
                }
                alphas += u64::from(*alpha);
                count += 1;
            }
        }
        let colour = sums.map(|sum| u8::try_from(sum / alphas.max(1)).unwrap_or(255));
        (Colour(colour), u16::try_from(alphas * 100 / (count * 255).max(1)).unwrap_or(100))
    }
}

/// Breaks a text into lines of at most `room` pixels, between words or else within a long word.
fn wrap(font: &FontRef<'_>, text: &str, size: f32, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let width = |text: &str| width_of(font, text, size);
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if width(&line) > room && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

fn width_of(font: &FontRef<'_>, text: &str, size: f32) -> f32 {
    let scaled = font.as_scaled(PxScale::from(size));
    text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c))).sum()
}

fn can_write(font: &FontRef<'_>, text: &str) -> bool {
    text.chars().all(|c| font.glyph_id(c).0 != 0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places on a canvas; `as` saturates"
)]
fn whole(length: f32) -> u32 {
    length.round().max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::picture::read_picture;

    fn subject(title: &str) -> PictureSubject {
        PictureSubject {
            title: title.to_owned(),
            line: "March 24–27, 2025 · Santa Clara".to_owned(),
            accent: Some(Colour([0x0b, 0x6e, 0x8f])),
            logo: None,
        }
    }

    fn ink(png: &[u8], ground: [u8; 3]) -> usize {
        let raster = Raster::decode(png).unwrap();
        raster.rgba.chunks(4).filter(|pixel| pixel[..3] != ground).count()
    }

    #[test]
    fn the_shared_picture_has_its_size_the_accent_and_the_title() {
        let subject = subject("SREcon25 Americas");
        let png = subject.shared();
        let raster = Raster::decode(&png).unwrap();
        assert_eq!((raster.width, raster.height), SHARED);
        assert_eq!(raster.rgba[..3], [0x0b, 0x6e, 0x8f]);
        assert!(png.len() < 200_000, "{} bytes", png.len());
        let without = super::tests::subject("").shared();
        assert!(ink(&png, PAPER.0) > ink(&without, PAPER.0) + 5_000);
        assert_eq!(png, subject.shared(), "the same conference gives the same bytes");
        if let Some(directory) = std::env::var_os("PICTURES") {
            let long =
                "An International Conference about Reliability and Human Factors in Very Large Systems 2027";
            for (name, bytes) in [
                ("shared", png),
                ("shared-long", super::tests::subject(long).shared()),
                ("icon", subject.icon(180)),
            ] {
                let path = std::path::Path::new(&directory).join(format!("{name}.png"));
                std::fs::write(path, bytes).unwrap();
            }
        }
    }

    #[test]
    fn a_title_in_a_script_that_the_font_lacks_is_left_out() {
        let blank = subject("").shared();
        assert_eq!(subject("会議").shared(), blank);
        let icon = subject("会議").icon(180);
        assert!(ink(&icon, [0x0b, 0x6e, 0x8f]) > 1_000, "the icon then shows lines");
    }

    #[test]
    fn an_icon_shows_the_first_letter_or_the_logo() {
        let subject = subject("SREcon25 Americas");
        let icon = subject.icon(180);
        let picture = read_picture(icon.clone().into()).unwrap();
        assert_eq!((picture.width, picture.height), (180, 180));
        let share = ink(&icon, [0x0b, 0x6e, 0x8f]);
        assert!((1_000..12_000).contains(&share), "{share} pixels of a letter");
        // The logo's colour is in the middle, white at the edge.
        let logo = read_picture(Canvas::new(40, 20, Colour([200, 0, 0])).png().into()).unwrap();
        let icon = Raster::decode(&PictureSubject { logo: Some(logo), ..subject }.icon(180)).unwrap();
        let pixel = |x: usize, y: usize| icon.rgba[(y * 180 + x) * 4..][..3].to_vec();
        assert_eq!((pixel(90, 90), pixel(2, 2)), (vec![200, 0, 0], vec![255, 255, 255]));
        assert_eq!(pixel(90, 40), [255, 255, 255], "the logo is not stretched");
    }

    #[test]
    fn a_long_title_is_broken_into_lines_that_fit() {
        let font = FontRef::try_from_slice(FONT).unwrap();
        let lines = wrap(&font, &format!("A conference {}", "x".repeat(90)), 46.0, 600.0);
        assert!(
            lines.len() > 2 && lines.iter().all(|line| width_of(&font, line, 46.0) <= 600.0),
            "{lines:?}"
        );
        assert_eq!(lines.concat().chars().filter(|c| *c == 'x').count(), 90);
        assert!(wrap(&font, " ", 46.0, 600.0).is_empty());
    }
}
