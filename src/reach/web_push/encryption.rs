//! Message encryption for Web Push (RFC 8291), in the content coding aes128gcm (RFC 8188).

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::error::Unspecified;
use ring::hkdf::{self, HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// The longest text that fits into one message. Push services need not accept bodies above 4,096 bytes (RFC 8030, 7.2).
pub(super) const MAX_TEXT: usize = 4096 - HEADER - 1 - 16;

/// The bytes of a body before its text: salt, record size, length of the key and key.
const HEADER: usize = 16 + 4 + 1 + 65;

/// The size of a record, which no message reaches, so that each has one record.
const RECORD: u32 = 4096;

/// The byte after the text of the last record (RFC 8188, 2).
const LAST: u8 = 2;

/// A device's keys cannot be used, or the system gives no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message could not be encrypted for the device")]
pub struct EncryptionError;

impl From<Unspecified> for EncryptionError {
    fn from(_: Unspecified) -> Self {
        Self
    }
}

/// Encrypts a text for a device. `p256dh` is its public key, an uncompressed point; `auth` is its authentication secret.
///
/// # Errors
/// If `p256dh` is no point of the curve, or if the text is longer than [`MAX_TEXT`].
pub(super) fn encrypt(p256dh: &[u8], auth: &[u8], text: &[u8]) -> Result<Vec<u8>, EncryptionError> {
    let random = SystemRandom::new();
    let private = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let public = private.compute_public_key()?;
    let mut salt = [0; 16];
    random.fill(&mut salt)?;
    agree_ephemeral(private, &UnparsedPublicKey::new(&ECDH_P256, p256dh), |secret| {
        seal(&Exchange { p256dh, public: public.as_ref(), secret, auth, salt }, text)
    })?
}

/// What a device and the sender of one message share.
struct Exchange<'a> {
    p256dh: &'a [u8],
    /// The sender's public key.
    public: &'a [u8],
    /// The result of the key agreement.
    secret: &'a [u8],
    auth: &'a [u8],
    salt: [u8; 16],
}

impl Exchange<'_> {
    /// The key of the content coding and its nonce (RFC 8291, 3.4).
    fn key(&self) -> Result<(LessSafeKey, Nonce), Unspecified> {
        let mut ikm = [0; 32];
        let agreed = Salt::new(HKDF_SHA256, self.auth).extract(self.secret);
        agreed.expand(&[b"WebPush: info\0", self.p256dh, self.public], HKDF_SHA256)?.fill(&mut ikm)?;
        let agreed = Salt::new(HKDF_SHA256, &self.salt).extract(&ikm);
        let key = UnboundKey::from(agreed.expand(&[b"Content-Encoding: aes128gcm\0"], &AES_128_GCM)?);
        let mut nonce = [0; 12];
        agreed.expand(&[b"Content-Encoding: nonce\0"], NonceLength)?.fill(&mut nonce)?;
        Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key(nonce)))
    }
}

struct NonceLength;

impl hkdf::KeyType for NonceLength {
    fn len(&self) -> usize {
        12
    }
}

fn seal(exchange: &Exchange<'_>, text: &[u8]) -> Result<Vec<u8>, EncryptionError> {
    if text.len() > MAX_TEXT {
        return Err(EncryptionError);
    }
    let (key, nonce) = exchange.key()?;
    let mut record = [text, &[LAST]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
    let length = u8::try_from(exchange.public.len()).map_err(|_| EncryptionError)?;
    Ok([&exchange.salt, &RECORD.to_be_bytes()[..], &[length], exchange.public, &record].concat())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
    }

    /// A device that reads one message.
    pub(crate) struct Device {
        private: EphemeralPrivateKey,
        pub(crate) p256dh: Vec<u8>,
        pub(crate) auth: Vec<u8>,
    }

    impl Device {
        pub(crate) fn new() -> Self {
            let private = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
            let p256dh = private.compute_public_key().unwrap().as_ref().to_vec();
            Self { private, p256dh, auth: vec![7; 16] }
        }

        pub(crate) fn decrypt(self, body: &[u8]) -> Result<Vec<u8>, Unspecified> {
            let (salt, rest) = body.split_first_chunk::<16>().unwrap();
            let (size, rest) = rest.split_first_chunk::<4>().unwrap();
            let (public, record) = rest[1..].split_at(rest[0].into());
            assert!(record.len() <= u32::from_be_bytes(*size) as usize);
            let Self { private, p256dh, auth } = self;
            agree_ephemeral(private, &UnparsedPublicKey::new(&ECDH_P256, public), |secret| {
                let exchange = Exchange { p256dh: &p256dh, public, secret, auth: &auth, salt: *salt };
                let (key, nonce) = exchange.key()?;
                let mut record = record.to_vec();
                let text = key.open_in_place(nonce, Aad::empty(), &mut record)?;
                let (last, text) = text.split_last().unwrap();
                assert_eq!(*last, LAST);
                Ok(text.to_vec())
            })?
        }
    }

    #[test]
    fn the_example_of_rfc_8291_is_encrypted_byte_for_byte() {
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let exchange = Exchange {
            p256dh: &bytes(
                "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            ),
            public: &bytes(
                "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
            ),
            secret: &bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"),
            auth: &bytes("BTBZMqHH6r4Tts7J_aSIgg"),
            salt,
        };
        let body = seal(&exchange, b"When I grow up, I want to be a watermelon").unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY\
                        WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexS\
                        gSxsj_Qulcy4a-fN";
        assert_eq!(BASE64URL_NOPAD.encode(&body), expected);
    }

    proptest! {
        #[test]
        fn a_device_reads_what_was_encrypted_for_it(text in proptest::collection::vec(any::<u8>(), 0..=MAX_TEXT)) {
            let (device, other) = (Device::new(), Device::new());
            let body = encrypt(&device.p256dh, &device.auth, &text).unwrap();
            prop_assert!(body.len() <= 4096);
            prop_assert!(other.decrypt(&body).is_err());
            prop_assert_eq!(device.decrypt(&body).unwrap(), text);
        }
    }

    #[test]
    fn a_text_that_is_too_long_and_a_key_off_the_curve_are_refused() {
        let device = Device::new();
        assert_eq!(encrypt(&device.p256dh, &device.auth, &[0; MAX_TEXT + 1]), Err(EncryptionError));
        let mut off_curve = device.p256dh.clone();
        off_curve[64] ^= 1;
        for bad in [&off_curve[..], &device.p256dh[..64], &[], &[4; 65]] {
            assert_eq!(encrypt(bad, &device.auth, b"text"), Err(EncryptionError));
        }
    }
}
