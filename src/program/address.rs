//! Web addresses in the characters of RFC 3986. Browsers accept more, and ical4j (DAVx5, ICSx5) refuses a whole calendar
//! because of one `|`.

use url::Url;

/// The address with every other character percent-encoded, in path, query and fragment (RFC 3986, 2.1 and 3.3 to 3.5).
pub fn rfc3986(mut url: Url) -> Url {
    let encoded = [Some(url.path()), url.query(), url.fragment()].map(|part| part.map(encoded));
    let [path, query, fragment] = encoded;
    url.set_path(&path.unwrap_or_default());
    url.set_query(query.as_deref());
    url.set_fragment(fragment.as_deref());
    url
}

/// The first character of an address that RFC 3986 does not allow there; none if the address conforms.
pub fn foreign_character(address: &str) -> Option<char> {
    let behind_host = address.find("://").map_or(0, |at| at + 3);
    // The brackets of an IPv6 address, `https://[::1]:8080/`, are allowed.
    let start =
        address.get(behind_host..)?.find(['/', '?', '#']).map_or(address.len(), |at| behind_host + at);
    let (rest, fragment) = address.get(start..)?.split_once('#').unwrap_or((address.get(start..)?, ""));
    [rest, fragment]
        .iter()
        .find_map(|part| part.char_indices().find(|(at, c)| !is_allowed(part, *at, *c)).map(|(_, c)| c))
}

fn encoded(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    for (at, c) in part.char_indices() {
        if is_allowed(part, at, c) {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            let bytes = c.encode_utf8(&mut bytes).bytes();
            bytes.for_each(|byte| out.push_str(&format!("%{byte:02X}")));
        }
    }
    out
}

/// Whether a character of a path, query or fragment may stay: those of `pchar`, `/`, `?`, and `%` before two digits.
fn is_allowed(part: &str, at: usize, c: char) -> bool {
    match c {
        '%' => {
            let digits = part.get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        }
        c => c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?".contains(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_characters_of_the_standard_remain() {
        for (raw, written) in [
            ("https://example.org/?f[track]=1", "https://example.org/?f%5Btrack%5D=1"),
            ("https://example.org/100%done", "https://example.org/100%25done"),
            ("https://example.org/?q=a|b", "https://example.org/?q=a%7Cb"),
            ("https://example.org/a^b{c}\\d`", "https://example.org/a%5Eb%7Bc%7D/d%60"),
            ("https://example.org/?é=<>#a#b%4", "https://example.org/?%C3%A9=%3C%3E#a%23b%254"),
            ("https://example.org/%7ea%2Fb?x=%5b", "https://example.org/%7ea%2Fb?x=%5b"),
            ("https://[::1]:8080/a?b", "https://[::1]:8080/a?b"),
        ] {
            assert_eq!(rfc3986(raw.parse().unwrap()).as_str(), written);
            assert_eq!(foreign_character(written), None, "{written}");
        }
        for (address, c) in [
            ("https://example.org/?f[track]=1", '['),
            ("https://example.org/100%done", '%'),
            ("https://example.org/a#b#c", '#'),
            ("https://example.org?a|b", '|'),
        ] {
            assert_eq!(foreign_character(address), Some(c), "{address}");
        }
    }

    proptest! {
        #[test]
        fn every_address_conforms_and_is_encoded_once(path in "[ -~é]{0,20}", query in "[ -~é]{0,20}", fragment in "[ -~é]{0,20}") {
            let raw = format!("https://example.org/{path}?{query}#{fragment}");
            let Ok(url) = Url::parse(&raw) else { return Ok(()) };
            let once = rfc3986(url);
            prop_assert_eq!(foreign_character(once.as_str()), None);
            prop_assert_eq!(rfc3986(once.clone()), once.clone());
            prop_assert_eq!(Url::parse(once.as_str()), Ok(once));
        }
    }
}
