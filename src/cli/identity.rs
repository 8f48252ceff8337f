//! Reads the pictures of the config's identity. Their paths are relative to the config file.

use super::exit::{Exit, Failure};
use crate::config::Config;
use crate::program::{Picture, PictureFormat};
use crate::web::{MAX_PICTURE, Shades, read_picture};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The least width and height of a picture that messengers show large, in pixels.
const SHARED: (u32, u32) = (600, 315);

/// Reads the pictures into the config.
///
/// # Errors
/// If a file cannot be read or used. The message names the key and the remedy.
pub(super) fn read_pictures(config: &mut Config, beside: &Path) -> Result<(), Failure> {
    let files = config.identity_files.clone();
    let read = |key, path: Option<_>| path.map(|path| picture(key, &beside.join(path))).transpose();
    config.identity.logo = read("logo", files.logo)?;
    config.identity.share_image = read("share_image", files.share_image)?;
    match &config.identity.share_image {
        Some(picture) if picture.format != PictureFormat::Png => {
            Err(refused("share_image", "an SVG, which messengers do not show; export it as a PNG"))
        }
        Some(Picture { width, height, .. }) if *width < SHARED.0 || *height < SHARED.1 => {
            let problem = format!(
                "{width} × {height} pixels; messengers show pictures of {} × {} and more, best 1200 × 630",
                SHARED.0, SHARED.1
            );
            Err(refused("share_image", &problem))
        }
        _ => Ok(()),
    }
}

fn picture(key: &str, path: &Path) -> Result<Picture, Failure> {
    let name = path.display();
    let mut bytes = Vec::new();
    // One byte more than allowed, to tell a file that is too large.
    let most = u64::try_from(MAX_PICTURE + 1).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(most).read_to_end(&mut bytes))
        .map_err(|error| refused(key, &format!("{name} cannot be read: {error}")))?;
    read_picture(bytes.into()).map_err(|error| refused(key, &format!("{name}: {error}")))
}

fn refused(key: &str, problem: &str) -> Failure {
    Failure::text(Exit::BadConfig, format!("identity.{key}: {problem}"))
}

/// The lines about the identity in the output of `callboard config check`.
pub(super) fn describe(config: &Config) -> Vec<String> {
    let identity = &config.identity;
    let mut lines = Vec::new();
    for (key, picture) in [("logo", &identity.logo), ("share image", &identity.share_image)] {
        if let Some(Picture { format, width, height, bytes, .. }) = picture {
            let kind = format.extension().to_uppercase();
            lines.push(format!("{key}: {kind}, {width} × {height}, {} bytes", bytes.len()));
        }
    }
    if let Some(accent) = identity.accent {
        let Shades { light, dark } = Shades::of(accent);
        lines.push(match (light == accent, dark == accent) {
            (true, true) => format!("accent {accent}: has enough contrast"),
            (false, _) => format!("accent {accent}: too pale for light pages, which show {light} instead"),
            (_, false) => format!("accent {accent}: too dark for dark pages, which show {dark} instead"),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    fn config(lines: &str) -> Config {
        let text = format!("[conference]\nzone = \"UTC\"\n[identity]\n{lines}");
        Config::parse(Some(&text), Overrides::default()).unwrap()
    }

    fn refusal(lines: &str, beside: &Path) -> String {
        read_pictures(&mut config(lines), beside).unwrap_err().to_string()
    }

    #[test]
    fn pictures_lie_beside_the_config_file_and_an_error_names_key_and_file() {
        let beside = tempfile::tempdir().unwrap();
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 30 10\"/>";
        std::fs::write(beside.path().join("logo.svg"), svg).unwrap();
        std::fs::write(beside.path().join("bad.svg"), svg.replace("/>", "><script/></svg>")).unwrap();
        let mut with_logo = config("logo = \"logo.svg\"");
        read_pictures(&mut with_logo, beside.path()).unwrap();
        assert_eq!(with_logo.identity.logo.as_ref().unwrap().width, 30);
        assert_eq!(describe(&with_logo), [format!("logo: SVG, 30 × 10, {} bytes", svg.len())]);
        for (line, expected) in [
            ("logo = \"none.svg\"", ["identity.logo:", "none.svg cannot be read"]),
            ("logo = \"bad.svg\"", ["identity.logo:", "<script> can run scripts; remove it"]),
            ("share_image = \"logo.svg\"", ["identity.share_image:", "export it as a PNG"]),
        ] {
            let text = refusal(line, beside.path());
            assert!(expected.iter().all(|part| text.contains(part)), "{line}: {text}");
        }
    }

    #[test]
    fn an_accent_without_contrast_is_reported_with_the_shade_that_is_shown() {
        assert_eq!(describe(&config("accent = \"#2b78b8\"")), ["accent #2b78b8: has enough contrast"]);
        assert!(describe(&config("accent = \"#ffd400\"")).concat().contains("too pale for light pages"));
        assert!(describe(&config("accent = \"#101040\"")).concat().contains("too dark for dark pages"));
        assert!(describe(&config("")).is_empty());
    }
}
