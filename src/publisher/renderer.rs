//! The version of the renderer. It decides whether this version of Callboard may publish the live release again with
//! its own rendering.

/// The version of Callboard as a number. Versions may render sessions differently. Only a newer version than the one
/// that made the live release may publish that release again as it renders it; otherwise two versions of a rolling
/// upgrade would answer each other without end.
pub(super) const RENDERER: u64 = version(env!("CARGO_PKG_VERSION"));

/// Reads `1.2.3` as 1002003.
const fn version(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (mut at, mut number, mut part) = (0, 0, 0);
    while at < bytes.len() {
        match bytes.split_at(at).1 {
            [digit @ b'0'..=b'9', ..] => part = part * 10 + (*digit - b'0') as u64,
            [b'.', ..] => (number, part) = ((number + part) * 1000, 0),
            _ => break,
        }
        at += 1;
    }
    number + part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_versions_have_higher_numbers() {
        let texts = ["0.1.0", "0.1.2", "0.1.10", "0.2.0", "1.0.0-rc.1", "1.0.1", "12.0.0"];
        assert!(texts.map(version).is_sorted());
        assert_eq!((version("1.2.3"), RENDERER), (1_002_003, version(env!("CARGO_PKG_VERSION"))));
    }
}
