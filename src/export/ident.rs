//! The ids by which other tools know a session, a person and a room. All are stable for ever.

use crate::program::Slug;
use crate::program::Text;
use uuid::Uuid;

/// A session's guid: the UUIDv5 of its UID, in the URL namespace as frab tools do it (RFC 9562, 5.5).
pub fn guid(uid: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, uid.as_bytes())
}

/// A session's code: its number in base 36, six wide, as pretalx's codes look.
pub fn code(number: u32) -> String {
    let mut digits = Vec::new();
    let mut rest = number;
    while rest > 0 || digits.len() < 6 {
        digits.push(char::from_digit(rest % 36, 36).unwrap_or('0').to_ascii_uppercase());
        rest /= 36;
    }
    digits.iter().rev().collect()
}

/// A person's guid, by the slug that the ledger keeps for the name.
pub fn person_guid(slug: &Slug, uid_domain: &str) -> Uuid {
    guid(&format!("speakers/{slug}@{uid_domain}"))
}

/// A room's guid, by its name, since a track can stand in for a room.
pub fn room_guid(name: &Text, uid_domain: &str) -> Uuid {
    guid(&format!("rooms/{name}@{uid_domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_six_wide_and_count_in_base_36() {
        let codes: Vec<String> = [1, 35, 36, 1296, 60_466_176].map(code).into();
        assert_eq!(codes, ["000001", "00000Z", "000010", "000100", "100000"]);
    }

    #[test]
    fn a_guid_never_changes() {
        assert_eq!(
            guid("opening@conf.example.org").to_string(),
            guid("opening@conf.example.org").to_string()
        );
        assert_eq!(guid("a@x").get_version_num(), 5);
        assert_ne!(guid("a@x"), guid("b@x"));
    }
}
