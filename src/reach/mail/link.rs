//! The links in mails. A link carries what it needs, so nothing is stored until a mailbox is confirmed.
//!
//! Links are encrypted and authenticated with a secret of the store (ChaCha20-Poly1305, RFC 8439). So the address in a link
//! is in no log of a proxy, and nobody else can make a link. The nonce is a MAC of the content, as in RFC 5297, so a
//! content has always the same link, and no nonce is used for two contents.

use crate::config::MailAddress;
use crate::revision::Digest;
use crate::store::MailSecretBytes;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use std::fmt;

/// How long a link that confirms a mailbox works.
pub const CONFIRMATION_LASTS: TimeDelta = TimeDelta::hours(48);

/// What a link in a mail does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailLink {
    /// Confirms that the recipient wants invitations of an agenda.
    Confirm {
        /// The SHA-256 of the agenda's edit key.
        agenda: Digest,
        /// The mailbox.
        address: MailAddress,
        /// When the link stops to work.
        until: DateTime<Utc>,
    },
    /// Ends the invitations.
    End {
        /// The SHA-256 of the agenda's edit key.
        agenda: Digest,
        /// The id of the subscription.
        subscription: String,
    },
}

/// The keys of the links, and of the hashes of mailboxes.
pub struct MailKeys {
    cipher: LessSafeKey,
    nonces: hmac::Key,
    mailboxes: hmac::Key,
}

const CONFIRM: u8 = 1;
const END: u8 = 2;

impl MailKeys {
    /// A new secret.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn generate() -> Result<MailSecretBytes, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(MailSecretBytes(secret))
    }

    /// The keys that belong to a secret.
    pub fn of(MailSecretBytes(secret): &MailSecretBytes) -> Option<Self> {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |what: &str| hmac::sign(&secret, what.as_bytes());
        let key = |what| hmac::Key::new(hmac::HMAC_SHA256, derive(what).as_ref());
        let cipher = UnboundKey::new(&CHACHA20_POLY1305, derive("callboard mail links").as_ref()).ok()?;
        Some(Self {
            cipher: LessSafeKey::new(cipher),
            nonces: key("callboard mail nonces"),
            mailboxes: key("callboard mailboxes"),
        })
    }

    /// The last segment of a link's path.
    pub fn seal(&self, link: &MailLink) -> Option<String> {
        let mut text = match link {
            MailLink::Confirm { agenda, address, until } => {
                let until = until.timestamp().to_le_bytes();
                [&[CONFIRM], agenda.0.as_slice(), &until, address.as_str().as_bytes()].concat()
            }
            MailLink::End { agenda, subscription } => {
                [&[END], agenda.0.as_slice(), subscription.as_bytes()].concat()
            }
        };
        let tag = hmac::sign(&self.nonces, &text);
        let nonce: [u8; NONCE_LEN] = *tag.as_ref().first_chunk()?;
        let sealed = Nonce::assume_unique_for_key(nonce);
        self.cipher.seal_in_place_append_tag(sealed, Aad::empty(), &mut text).ok()?;
        Some(BASE64URL_NOPAD.encode(&[nonce.as_slice(), &text].concat()))
    }

    /// The content of a link; none if it is not one of ours.
    pub fn open(&self, segment: &str) -> Option<MailLink> {
        let bytes = BASE64URL_NOPAD.decode(segment.as_bytes()).ok()?;
        let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let (kind, rest) = self.cipher.open_in_place(nonce, Aad::empty(), &mut text).ok()?.split_first()?;
        let (agenda, rest) = rest.split_first_chunk::<32>()?;
        let agenda = Digest(*agenda);
        match *kind {
            CONFIRM => {
                let (until, address) = rest.split_first_chunk::<8>()?;
                let until = DateTime::from_timestamp(i64::from_le_bytes(*until), 0)?;
                let address = MailAddress::parse(std::str::from_utf8(address).ok()?).ok()?;
                Some(MailLink::Confirm { agenda, address, until })
            }
            END => Some(MailLink::End { agenda, subscription: String::from_utf8(rest.to_vec()).ok()? }),
            _ => None,
        }
    }

    /// A hash of a mailbox that only this store can compute.
    pub fn mailbox_hash(&self, address: &MailAddress) -> Digest {
        let tag = hmac::sign(&self.mailboxes, address.mailbox().as_bytes());
        Digest(tag.as_ref().first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Debug for MailKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> [MailLink; 2] {
        let (agenda, until) = (Digest([7; 32]), DateTime::from_timestamp(1_742_900_000, 0).unwrap());
        let address = MailAddress::parse("ada@example.org").unwrap();
        let subscription = "00ff".to_owned();
        [MailLink::Confirm { agenda, address, until }, MailLink::End { agenda, subscription }]
    }

    #[test]
    fn a_link_comes_back_reveals_nothing_and_cannot_be_changed() {
        let keys = MailKeys::of(&MailKeys::generate().unwrap()).unwrap();
        let others = MailKeys::of(&MailKeys::generate().unwrap()).unwrap();
        for link in links() {
            let segment = keys.seal(&link).unwrap();
            assert_eq!(keys.open(&segment), Some(link.clone()));
            assert_eq!(keys.seal(&link), Some(segment.clone()), "a content has always the same link");
            assert_eq!(others.open(&segment), None);
            let bytes = BASE64URL_NOPAD.decode(segment.as_bytes()).unwrap();
            assert!(!bytes.windows(3).any(|part| part == b"ada"));
            for place in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[place] ^= 1;
                assert_eq!(keys.open(&BASE64URL_NOPAD.encode(&changed)), None);
                assert_eq!(keys.open(&BASE64URL_NOPAD.encode(&bytes[..place])), None);
            }
        }
        for text in ["", "x", "%00", &"A".repeat(9999)] {
            assert_eq!(keys.open(text), None);
        }
    }

    #[test]
    fn spellings_of_a_mailbox_have_one_hash() {
        let keys = MailKeys::of(&MailSecretBytes([1; 32])).unwrap();
        let hash = |text| keys.mailbox_hash(&MailAddress::parse(text).unwrap());
        assert_eq!(hash("Ada+1@example.org"), hash("ada@example.org"));
        assert_ne!(hash("ada@example.org"), hash("eve@example.org"));
        let other = MailKeys::of(&MailSecretBytes([2; 32])).unwrap();
        assert_ne!(
            other.mailbox_hash(&MailAddress::parse("ada@example.org").unwrap()),
            hash("ada@example.org")
        );
    }
}
