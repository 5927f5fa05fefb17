//! The driver's options.

use core::net::IpAddr;

use wasmvark_guest::types::{Error, Network, RequestOption};
use wasmvark_guest::{parse, parse_bool};

/// The options that the host doesn't parse.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// The number of the VXLAN, which has 24 bits (RFC 7348, section 5).
    pub(crate) id: u32,
    /// The other end, or a multicast group.
    pub(crate) remote: Option<IpAddr>,
    pub(crate) local: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) learning: bool,
    pub(crate) ttl: Option<u8>,
}

impl Options {
    pub(crate) fn parse(network: &Network, options: &[RequestOption]) -> Result<Self, Error> {
        let remote = remote(options, network.parent.is_some())?;
        let local: Option<IpAddr> = parse(options, "local")?;
        if let (Some(remote), Some(local)) = (remote, local)
            && remote.is_ipv4() != local.is_ipv4()
        {
            return Err(invalid(format!("{local} can't send to {remote}")));
        }
        Ok(Self {
            id: id(options)?,
            remote,
            local,
            port: parse(options, "port")?,
            learning: parse_bool(options, "learning", true)?,
            ttl: parse(options, "ttl")?,
        })
    }
}

fn id(options: &[RequestOption]) -> Result<u32, Error> {
    parse(options, "id")?.ok_or_else(|| invalid("no VXLAN is specified: give -o id=ID".to_owned()))
}

fn remote(options: &[RequestOption], has_parent: bool) -> Result<Option<IpAddr>, Error> {
    let remote: Option<IpAddr> = parse(options, "remote")?;
    let group: Option<IpAddr> = parse(options, "group")?;
    match (remote, group) {
        (Some(_), Some(_)) => Err(invalid(
            "remote and group can't be given together".to_owned(),
        )),
        (Some(remote), None) if remote.is_multicast() => Err(invalid(format!(
            "remote {remote} is a multicast group: give it as group"
        ))),
        (None, Some(group)) if !group.is_multicast() => Err(invalid(format!(
            "group {group} is no multicast group: give it as remote"
        ))),
        (None, Some(group)) if !has_parent => Err(invalid(format!(
            "group {group} needs the interface that leads to it: give -o parent=NAME"
        ))),
        (remote, group) => Ok(remote.or(group)),
    }
}

fn invalid(text: String) -> Error {
    Error::Invalid(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote_of(pairs: &[(&str, &str)], has_parent: bool) -> String {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: wasmvark_guest::types::OptionOrigin::Network,
        };
        let options: Vec<_> = pairs.iter().map(option).collect();
        match remote(&options, has_parent) {
            Ok(address) => format!("{address:?}"),
            Err(Error::Invalid(text)) => text,
            Err(error) => format!("not invalid: {error}"),
        }
    }

    #[test]
    fn a_group_is_multicast_and_has_a_parent() {
        assert_eq!(remote_of(&[], false), "None");
        assert_eq!(remote_of(&[("remote", "fd00::1")], false), "Some(fd00::1)");
        assert_eq!(
            remote_of(&[("group", "239.1.1.1")], true),
            "Some(239.1.1.1)"
        );
        assert!(remote_of(&[("group", "239.1.1.1")], false).contains("parent"));
        assert!(remote_of(&[("group", "10.0.0.1")], true).contains("as remote"));
        assert!(remote_of(&[("remote", "ff02::1")], true).contains("as group"));
        let both = [("remote", "10.0.0.1"), ("group", "239.1.1.1")];
        assert!(remote_of(&both, true).contains("together"));
    }
}
