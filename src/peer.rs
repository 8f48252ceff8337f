//! Client addresses: which addresses count as one client, which proxies are trusted, and which client a proxy
//! forwards for.
//!
//! Owns the parsing of `X-Forwarded-For`; knows neither sockets nor requests. Invariant: a client cannot choose the
//! address that it counts as, since only entries that a trusted proxy added are read.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// One client, as limits count it: an IPv4 address, or the /64 of an IPv6 address, which is the smallest network that
/// a household or a rented machine has to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

impl Peer {
    /// The client behind an address. An IPv4-mapped IPv6 address counts as IPv4.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}

/// The proxies whose `X-Forwarded-For` is trusted. Clones share the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted(Arc<[IpNet]>);

/// The error of a text that is neither an address nor a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither an address nor a network; write one such as \"10.0.0.7\" or \"10.0.0.0/8\"")]
pub struct NoNetwork;

/// The networks of a list of addresses and networks.
///
/// # Errors
/// [`NoNetwork`] for the first entry that is neither.
pub fn networks<T: AsRef<str>>(entries: &[T]) -> Result<Vec<IpNet>, NoNetwork> {
    let network = |entry: &T| {
        let text = entry.as_ref();
        let alone = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        text.parse::<IpNet>().or_else(|_| alone()).map_err(|_| NoNetwork)
    };
    entries.iter().map(network).collect()
}

impl Trusted {
    /// The proxies of a list of addresses and networks.
    ///
    /// # Errors
    /// [`NoNetwork`] for the first entry that is neither.
    pub fn parse<T: AsRef<str>>(entries: &[T]) -> Result<Self, NoNetwork> {
        networks(entries).map(|networks| Self(networks.into()))
    }

    /// Trusts this machine, since a proxy usually runs beside the server.
    pub fn loopback() -> Self {
        Self::parse(&["127.0.0.0/8", "::1"]).unwrap_or_else(|_| Self(Arc::default()))
    }

    /// Whether an address belongs to a trusted proxy.
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client that sent a request: the address of the socket or, if that is a trusted proxy, the last entry of
    /// `X-Forwarded-For` that is not a trusted proxy. `fields` are the field's lines in their order.
    ///
    /// At an entry that is not an address, the search ends: the proxy that passed it on counts as the client.
    pub fn client<'a>(&self, socket: IpAddr, fields: impl DoubleEndedIterator<Item = &'a str>) -> Peer {
        let mut client = socket;
        for entry in fields.rev().flat_map(|line| line.rsplit(',')) {
            if !self.holds(client) {
                break;
            }
            let Some(address) = address(entry.trim()) else { break };
            client = address;
        }
        Peer::of(client)
    }
}

/// An entry with or without a port and brackets, as the proxies in use write them.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.split(']').next());
    bare.unwrap_or(entry).parse().ok().or_else(|| Some(entry.parse::<std::net::SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client(socket: &str, fields: &[&str]) -> Peer {
        let trusted = Trusted::parse(&["127.0.0.1", "::1", "10.0.0.0/8", "2001:db8::/48"]).unwrap();
        trusted.client(ip(socket), fields.iter().copied())
    }

    #[test]
    fn the_last_entry_that_no_trusted_proxy_stands_behind_is_the_client() {
        for (socket, fields, expected) in [
            ("198.51.100.7", &["203.0.113.9"] as &[&str], "198.51.100.7"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &["6.6.6.6, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
            ("127.0.0.1", &["6.6.6.6", "203.0.113.9", "10.1.2.3 , 2001:db8::7"], "203.0.113.9"),
            ("127.0.0.1", &["10.1.2.3, 10.1.2.4"], "10.1.2.3"),
            ("::ffff:127.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("::1", &["[2a00:1:2:3::9]:4711"], "2a00:1:2:3::"),
            ("127.0.0.1", &["203.0.113.9, unknown"], "127.0.0.1"),
            ("127.0.0.1", &["6.6.6.6, , 10.1.2.3"], "10.1.2.3"),
        ] {
            assert_eq!(client(socket, fields), Peer::of(ip(expected)), "{socket} {fields:?}");
        }
    }

    #[test]
    fn ipv6_counts_by_its_64_and_mapped_ipv4_as_ipv4() {
        let peer = |text: &str| Peer::of(ip(text));
        assert_eq!(peer("2a00:1:2:3::1"), peer("2a00:1:2:3:ffff::2"));
        assert_ne!(peer("2a00:1:2:3::1"), peer("2a00:1:2:4::1"));
        assert_eq!(peer("::ffff:192.0.2.1"), peer("192.0.2.1"));
        assert_ne!(peer("192.0.2.1"), peer("192.0.2.2"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80"] {
            assert_eq!(Trusted::parse(&[wrong]).unwrap_err(), NoNetwork, "{wrong}");
        }
        assert!(Trusted::loopback().holds(ip("127.9.9.9")) && Trusted::loopback().holds(ip("::1")));
        assert!(!Trusted::loopback().holds(ip("192.0.2.1")));
    }

    proptest! {
        #[test]
        fn a_client_cannot_write_itself_another_address(lie in ".{0,60}", more in "[0-9a-f.:, ]{0,40}") {
            let field = format!("{lie},{more}, 203.0.113.9");
            prop_assert_eq!(client("127.0.0.1", &[&field]), Peer::of(ip("203.0.113.9")));
        }
    }
}
