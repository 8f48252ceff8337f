//! Reads an agenda's token from Basic credentials (RFC 7617): the token is the password, with any user name or none.

use super::Refusal;
use crate::agenda::ReadToken;
use data_encoding::BASE64;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use url::{Host, Url};

/// The token of a request. Over plain http it is only accepted on this machine.
pub(super) fn token(headers: &HeaderMap, public_url: &Url) -> Result<ReadToken, Refusal> {
    if !is_private(public_url) {
        return Err(Refusal::Insecure);
    }
    sent(headers).ok_or(Refusal::SignIn)
}

/// The token in a request's credentials, if any.
pub(super) fn sent(headers: &HeaderMap) -> Option<ReadToken> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    let (scheme, encoded) = field.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    // Programs with a single field send the token as the user name.
    [password, user].into_iter().find_map(|secret| {
        // People may paste the whole link.
        let token = secret.trim().rsplit('/').next()?;
        ReadToken::parse(token.strip_suffix(".ics").unwrap_or(token)).ok()
    })
}

fn is_private(public_url: &Url) -> bool {
    public_url.scheme() == "https"
        || match public_url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agenda::EditKey;

    fn sent(lines: &[String]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, line.parse().unwrap());
        }
        headers
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", BASE64.encode(pair.as_bytes()))
    }

    #[test]
    fn the_token_or_its_link_is_accepted_with_any_user_name() {
        let public: Url = "https://conf.example".parse().unwrap();
        let expected = EditKey::generate().unwrap().read_token(1);
        let secret = expected.reveal();
        for pair in [
            format!("me:{secret}"),
            format!(":{secret}"),
            format!("zoë: {secret} "),
            format!("{secret}:"),
            format!("me:https://conf.example/agendas/{secret}.ics"),
            format!("me:https://conf.example/agendas/{secret}"),
        ] {
            assert_eq!(token(&sent(&[basic(&pair)]), &public), Ok(expected.clone()), "{pair}");
        }
        for lines in [
            vec![],
            vec![basic("me:")],
            vec![basic(&secret)],
            vec![basic(&format!("me:{secret}x"))],
            vec![format!("Bearer {secret}")],
            vec!["Basic ????".to_owned()],
            vec!["Basic".to_owned()],
            vec![basic(&format!("me:{secret}")), basic(&format!("me:{secret}"))],
        ] {
            assert_eq!(token(&sent(&lines), &public), Err(Refusal::SignIn), "{lines:?}");
        }
    }

    #[test]
    fn plain_http_is_accepted_only_on_this_machine() {
        for (public, refusal) in [
            ("http://conf.example", Refusal::Insecure),
            ("http://192.0.2.1:8080", Refusal::Insecure),
            ("http://127.0.0.1:8080", Refusal::SignIn),
            ("http://[::1]:8080", Refusal::SignIn),
            ("http://localhost", Refusal::SignIn),
            ("https://conf.example", Refusal::SignIn),
        ] {
            assert_eq!(token(&sent(&[]), &public.parse().unwrap()), Err(refusal), "{public}");
        }
    }
}
