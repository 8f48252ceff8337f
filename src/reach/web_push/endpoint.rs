//! Which addresses a message may be sent to.
//!
//! A client chooses the address of its subscription, so without rules it could make the sender call machines of the
//! operator's own network. Names are resolved when a message is sent, and every resolved address is checked then, since
//! a name may lead to another address than when the device subscribed.

use crate::revision::Digest;
use data_encoding::HEXLOWER;
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The longest address of a subscription, in bytes.
const MAX_LENGTH: usize = 2048;

/// The address of a device at its push service. Whoever knows it can send to the device, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why an address cannot be the endpoint of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL, or one with a user or a fragment.
    #[error("write the address that the browser gives, such as \"https://push.example.org/send/…\"")]
    NoAddress,
    /// Longer than 2,048 bytes.
    #[error("an address has at most {MAX_LENGTH} bytes")]
    TooLong,
    /// Another scheme or port than those of https.
    #[error("the address must use https on port 443")]
    NotHttps,
    /// An IP address that is not public.
    #[error("the address must be on the public internet")]
    NotPublic,
}

impl Endpoint {
    /// Checks an address. `allowed` are networks that may be dialled although they are not public; plain http and other
    /// ports are accepted there only. Where a name leads is checked later, by [`Self::may_dial`].
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn parse(text: &str, allowed: &[IpNet]) -> Result<Self, EndpointError> {
        if text.len() > MAX_LENGTH {
            return Err(EndpointError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| EndpointError::NoAddress)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.fragment().is_some() || !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::NoAddress);
        }
        let endpoint = Self(url);
        let literal = match endpoint.0.host() {
            None => return Err(EndpointError::NoAddress),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        match literal {
            Some(address) if endpoint.may_dial(address, allowed) => Ok(endpoint),
            Some(address) if is_public(address) => Err(EndpointError::NotHttps),
            Some(_) => Err(EndpointError::NotPublic),
            None if allowed.is_empty() && !endpoint.is_plain_https() => Err(EndpointError::NotHttps),
            None => Ok(endpoint),
        }
    }

    /// Whether the endpoint may be dialled at an address.
    pub fn may_dial(&self, address: IpAddr, allowed: &[IpNet]) -> bool {
        let address = address.to_canonical();
        let is_allowed = allowed.iter().any(|network| network.contains(&address));
        is_allowed || (self.is_plain_https() && is_public(address))
    }

    fn is_plain_https(&self) -> bool {
        self.0.scheme() == "https" && self.0.port().is_none()
    }

    /// The whole address: a secret.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The id of subscriptions with this endpoint. Reveals nothing of it.
    pub fn id(&self) -> String {
        id_of(Digest::of(self.as_str().as_bytes()))
    }

    /// The id of subscriptions to a calendar with this endpoint. A calendar program has one endpoint for all its
    /// calendars.
    pub fn calendar_id(&self, topic: &str) -> String {
        id_of(Digest::of_parts([self.as_str(), topic].map(str::as_bytes)))
    }
}

fn id_of(Digest(digest): Digest) -> String {
    HEXLOWER.encode(digest.get(..12).unwrap_or_default())
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.id())
    }
}

/// Whether an address belongs to the public internet, by the special-purpose registries of IANA (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224 // multicast, reserved, broadcast
        || (a == 100 && (64..128).contains(&b)) // shared by the customers of a provider (RFC 6598)
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99) // relays of 6to4
        || (a == 198 && matches!(b, 18 | 19)); // benchmarks
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // NAT64 (RFC 6052): the last four bytes are an IPv4 address.
        let ([g1, g2], [h1, h2]) = (g.to_be_bytes(), h.to_be_bytes());
        return is_public_v4(Ipv4Addr::new(g1, g2, h1, h2));
    }
    let is_special = (a == 0x2001 && b < 0x200) // protocols, Teredo included
        || (a, b) == (0x2001, 0xdb8) // documentation
        || (a == 0x3fff && b < 0x1000) // documentation
        || a == 0x2002; // 6to4 embeds any IPv4 address
    a & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(text, &[])
    }

    #[test]
    fn endpoints_are_https_on_port_443_without_a_user() {
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com:443/wpush/v2/x?y=z",
            "https://9.9.9.9/x",
            "https://[2620:fe::fe]/x",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        use EndpointError::{NoAddress, NotHttps, NotPublic, TooLong};
        for (bad, error) in [
            ("", NoAddress),
            ("push", NoAddress),
            ("ftp://push.example.org/", NoAddress),
            ("https://user@push.example.org/", NoAddress),
            ("https://:pass@push.example.org/", NoAddress),
            ("https://push.example.org/#x", NoAddress),
            ("http://push.example.org/", NotHttps),
            ("https://push.example.org:8443/", NotHttps),
            ("https://push.example.org:80/", NotHttps),
            ("https://9.9.9.9:22/", NotHttps),
            ("https://127.0.0.1/", NotPublic),
            ("https://127.1/", NotPublic),
            ("https://0x7f000001/", NotPublic),
            ("https://2130706433/", NotPublic),
            ("https://[::ffff:10.0.0.1]/", NotPublic),
            ("https://[::1]/", NotPublic),
            ("https://169.254.169.254/", NotPublic),
        ] {
            assert_eq!(parse(bad), Err(error), "{bad}");
        }
        let long = |length: usize| format!("https://push.example.org/{}", "x".repeat(length - 25));
        assert!(parse(&long(2048)).is_ok());
        assert_eq!(parse(&long(2049)), Err(TooLong));
    }

    #[test]
    fn only_public_addresses_are_dialled() {
        let endpoint = parse("https://push.example.org/x").unwrap();
        for public in ["1.1.1.1", "100.63.0.1", "172.32.0.1", "198.20.0.1", "2620:fe::fe", "::ffff:1.1.1.1"] {
            assert!(endpoint.may_dial(public.parse().unwrap(), &[]), "{public}");
        }
        assert!(endpoint.may_dial("64:ff9b::101:101".parse().unwrap(), &[]));
        for other in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!endpoint.may_dial(other.parse().unwrap(), &[]), "{other}");
        }
    }

    #[test]
    fn allowed_networks_take_plain_http_and_other_ports() {
        let allowed: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let parse = |text| Endpoint::parse(text, &allowed);
        for good in ["http://10.1.1.1:8080/x", "http://[::ffff:10.1.1.1]/", "https://[::1]:9/"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        assert_eq!(parse("http://127.0.0.1/"), Err(EndpointError::NotPublic));
        assert_eq!(parse("http://1.1.1.1/"), Err(EndpointError::NotHttps));
        let named = parse("http://push.internal:8080/x").unwrap();
        let may_dial = |address: &str| named.may_dial(address.parse().unwrap(), &allowed);
        assert!(may_dial("10.9.9.9") && may_dial("::ffff:10.9.9.9"));
        assert!(!may_dial("1.1.1.1") && !may_dial("192.168.1.1"));
    }

    #[test]
    fn an_endpoint_is_never_printed() {
        let endpoint = parse("https://push.example.org/capability").unwrap();
        assert_eq!(endpoint.id().len(), 24);
        assert_eq!(format!("{endpoint:?}"), format!("Endpoint({})", endpoint.id()));
        assert_eq!(endpoint.origin(), "https://push.example.org");
    }
}
