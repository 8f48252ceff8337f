//! The key pair with which a server identifies itself to push services (VAPID, RFC 8292).
//!
//! It is made once. Every subscription is bound to it, so a new pair would end them all.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use ring::error::{KeyRejected, Unspecified};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use std::fmt;

/// How long a token is valid. RFC 8292 allows a day; half of it forgives a clock that is hours off.
const VALIDITY: TimeDelta = TimeDelta::hours(12);

/// A key pair on P-256.
pub struct PushKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl PushKey {
    /// A new key pair, as PKCS#8.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn generate() -> Result<Vec<u8>, Unspecified> {
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        Ok(pair.as_ref().to_vec())
    }

    /// Parses a key pair.
    ///
    /// # Errors
    /// If the bytes are not PKCS#8 of a key pair on P-256.
    pub fn parse(pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random)?;
        Ok(Self { pair, random })
    }

    /// The public key in base64url: the `applicationServerKey` of a browser.
    pub fn public(&self) -> String {
        BASE64URL_NOPAD.encode(self.pair.public_key().as_ref())
    }

    /// The Authorization field of requests to an origin (RFC 8292, 3). `contact` tells the push service whom to ask.
    ///
    /// # Errors
    /// If the system gives no random bytes.
    pub fn authorization(
        &self,
        origin: &str,
        contact: &str,
        now: DateTime<Utc>,
    ) -> Result<String, Unspecified> {
        let encode = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let head = encode(json!({ "typ": "JWT", "alg": "ES256" }));
        let claims = json!({ "aud": origin, "exp": (now + VALIDITY).timestamp(), "sub": contact });
        let signed = format!("{head}.{}", encode(claims));
        let signature = self.pair.sign(&self.random, signed.as_bytes())?;
        Ok(format!("vapid t={signed}.{}, k={}", BASE64URL_NOPAD.encode(signature.as_ref()), self.public()))
    }
}

impl fmt::Debug for PushKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    #[test]
    fn a_token_names_origin_contact_and_end_and_is_signed() {
        let key = PushKey::parse(&PushKey::generate().unwrap()).unwrap();
        let now = DateTime::from_timestamp(1_742_900_000, 0).unwrap();
        let field = key.authorization("https://push.example", "mailto:desk@conf.example.org", now).unwrap();
        let (token, public) = field.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(public, key.public());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        let (head, claims) = signed.split_once('.').unwrap();
        let parse = |text| serde_json::from_slice::<serde_json::Value>(&decode(text)).unwrap();
        assert_eq!(parse(head), json!({ "typ": "JWT", "alg": "ES256" }));
        let expected = json!({
            "aud": "https://push.example",
            "exp": 1_742_943_200,
            "sub": "mailto:desk@conf.example.org",
        });
        assert_eq!(parse(claims), expected);
        let public = decode(public);
        assert_eq!((public.len(), public[0]), (65, 4));
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
        assert_eq!(public.verify(signed.as_bytes(), &decode(signature)), Ok(()));
    }

    #[test]
    fn other_bytes_are_no_key_and_no_text_shows_one() {
        assert!(PushKey::parse(b"").is_err());
        let mut damaged = PushKey::generate().unwrap();
        damaged[60] ^= 1;
        assert!(PushKey::parse(&damaged).is_err());
        let key = PushKey::parse(&PushKey::generate().unwrap()).unwrap();
        assert_eq!(format!("{key:?}"), "PushKey(…)");
    }
}
