//! The edit key in `Authorization` (RFC 6750, 2.1; RFC 9110, 11.4: the scheme's case does not matter).

use crate::agenda::EditKey;
use crate::http::agendas::AgendaError;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The key of a request; whatever is wrong with it is the same error.
pub(super) fn key(headers: &HeaderMap) -> Result<EditKey, AgendaError> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Err(AgendaError::UnknownKey) };
    let parsed = field.to_str().ok().and_then(|field| field.split_once(' ')).and_then(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer").then(|| EditKey::parse(token.trim()))?.ok()
    });
    parsed.ok_or(AgendaError::UnknownKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_under_one_scheme_is_taken() {
        let token = EditKey::generate().unwrap().reveal();
        let taken = |lines: &[String]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(AUTHORIZATION, line.parse().unwrap());
            }
            key(&headers).is_ok()
        };
        assert!(taken(&[format!("Bearer {token}")]));
        assert!(taken(&[format!("bearer  {token}")]));
        for bad in
            [vec![], vec![token.clone()], vec![format!("Basic {token}")], vec![format!("Bearer {token}x")]]
        {
            assert!(!taken(&bad), "{bad:?}");
        }
        assert!(!taken(&[format!("Bearer {token}"), format!("Bearer {token}")]));
    }
}
