//! Mail addresses, in the part of RFC 5321's grammar that mailboxes of people have.
//!
//! An address of this type is safe in an SMTP command, in a header field and in iCalendar: it has no spaces, quotes,
//! line ends or characters outside ASCII.

use std::fmt;
use url::Host;

/// A mail address, such as `ada@example.org`. Never printed in whole, except by [`Self::as_str`].
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(String);

/// Why a text is not a mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a mail address such as \"name@example.org\", without spaces, quotes and accents")]
pub struct MailAddressError;

/// The most bytes of an address and of the part before its @ (RFC 5321, 4.5.3.1).
const MAX_LENGTH: usize = 254;
const MAX_NAME: usize = 64;

/// The services that ignore dots before the @.
const IGNORE_DOTS: [&str; 2] = ["gmail.com", "googlemail.com"];

impl MailAddress {
    /// Parses an address. The domain becomes lower case, and punycode if it has other letters than those of ASCII.
    ///
    /// # Errors
    /// [`MailAddressError`].
    pub fn parse(text: &str) -> Result<Self, MailAddressError> {
        let (name, domain) = text.trim().rsplit_once('@').ok_or(MailAddressError)?;
        let is_atom = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
        };
        if name.len() > MAX_NAME || !name.split('.').all(is_atom) {
            return Err(MailAddressError);
        }
        let Ok(Host::Domain(domain)) = Host::parse(domain) else { return Err(MailAddressError) };
        let is_label = |label: &str| {
            let fits = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            (1..=63).contains(&label.len()) && fits && !label.starts_with('-') && !label.ends_with('-')
        };
        let is_domain = domain.contains('.') && domain.split('.').all(is_label);
        let address = format!("{name}@{domain}");
        if is_domain && address.len() <= MAX_LENGTH { Ok(Self(address)) } else { Err(MailAddressError) }
    }

    /// The whole address. It belongs in mails and in the store, and never in a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The domain.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// Enough of the address for its owner to recognise it: `a…@example.org`.
    pub fn masked(&self) -> String {
        let first: String = self.0.chars().take(1).collect();
        format!("{first}…@{}", self.domain())
    }

    /// A spelling that is the same for addresses that most likely lead to the same mailbox: in lower case, without a
    /// `+suffix`, and without dots where the service ignores them.
    pub fn mailbox(&self) -> String {
        let address = self.0.to_ascii_lowercase();
        let (name, domain) = address.rsplit_once('@').unwrap_or_default();
        let name = name.split('+').next().filter(|name| !name.is_empty()).unwrap_or(name);
        if IGNORE_DOTS.contains(&domain) {
            return format!("{}@gmail.com", name.replace('.', ""));
        }
        format!("{name}@{domain}")
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<MailAddress, MailAddressError> {
        MailAddress::parse(text)
    }

    #[test]
    fn addresses_of_people_are_accepted_and_normalised() {
        for (text, address) in [
            ("ada@example.org", "ada@example.org"),
            (" Ada.Lovelace+conf@Example.ORG ", "Ada.Lovelace+conf@example.org"),
            ("o'brien@mail.example.co.uk", "o'brien@mail.example.co.uk"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ] {
            assert_eq!(parse(text).unwrap().as_str(), address);
        }
        assert_eq!(parse("ada@example.org").unwrap().masked(), "a…@example.org");
        assert_eq!(format!("{:?}", parse("ada@example.org").unwrap()), "MailAddress(…)");
    }

    #[test]
    fn what_could_end_a_header_or_a_command_is_no_address() {
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@localhost",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "ada@-x.example",
            "ada@x-.example",
            "ada@under_score.example",
            "ada@example..org",
            ".ada@example.org",
            "ada.@example.org",
            "a..b@example.org",
            "a b@example.org",
            "\"a b\"@example.org",
            "ada@example.org>",
            "<ada@example.org>",
            "ada@example.org\r\nBcc: eve@example.org",
            "ada\r\nRCPT TO:<eve@example.org>@example.org",
            "ada@example.org,eve@example.org",
            "eve@example.org@example.org",
            "zoë@example.org",
            &format!("{}@example.org", "x".repeat(65)),
            &format!("ada@{}.org", "x.".repeat(130)),
        ] {
            assert_eq!(parse(text), Err(MailAddressError), "{text}");
        }
    }

    #[test]
    fn spellings_of_one_mailbox_are_recognised() {
        let mailbox = |text| parse(text).unwrap().mailbox();
        assert_eq!(mailbox("Ada+1@Example.org"), mailbox("ada+2@example.org"));
        assert_eq!(mailbox("a.da@gmail.com"), mailbox("ADA+x@googlemail.com"));
        assert_ne!(mailbox("a.da@example.org"), mailbox("ada@example.org"));
        assert_eq!(mailbox("+x@example.org"), "+x@example.org");
    }

    proptest! {
        #[test]
        fn an_address_is_one_ascii_word(text in "[ -~\\r\\n]{0,20}@[ -~]{0,20}\\.org") {
            if let Ok(address) = parse(&text) {
                prop_assert!(address.as_str().bytes().all(|b| b.is_ascii_graphic() && !b"<>,;:\"()\\[]".contains(&b)));
                prop_assert_eq!(parse(address.as_str()).unwrap(), address);
            }
        }
    }
}
