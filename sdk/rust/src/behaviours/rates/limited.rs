//! The packets that a limit is for.

use core::net::IpAddr;

use super::Remote;
use crate::links::Link;
use crate::traffic::{self, HtbFlow};
use crate::types::{Error, RequestOption};
use crate::{find, not};

const SHAPED: &str = "shaped_subnets";
const UNSHAPED: &str = "unshaped_subnets";

/// All packets of a family.
const FAMILIES: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// The most subnets of an option.
const MAX: usize = 100;

/// The packets that a limit is for, by the address of their other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Limited {
    All,
    /// Those of these subnets.
    Only(Vec<String>),
    /// Those of all others.
    Except(Vec<String>),
}

impl Limited {
    pub(super) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        match (subnets(options, SHAPED)?, subnets(options, UNSHAPED)?) {
            (Some(_), Some(_)) => Err(Error::Invalid(format!(
                "{SHAPED} and {UNSHAPED} can't be given together"
            ))),
            (Some(only), None) => Ok(Self::Only(only)),
            (None, Some(except)) => Ok(Self::Except(except)),
            (None, None) => Ok(Self::All),
        }
    }

    /// Returns the option that limits some packets only.
    pub(super) fn option(&self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Only(_) => Some(SHAPED),
            Self::Except(_) => Some(UNSHAPED),
        }
    }

    /// Leads the other packets past the limit of a link's `htb`.
    pub(super) fn filter(&self, link: &Link, remote: Remote) -> Result<(), Error> {
        let (subnets, flow): (&[String], _) = match self {
            Self::All => return Ok(()),
            Self::Only(subnets) => (subnets, HtbFlow::Rest),
            Self::Except(subnets) => (subnets, HtbFlow::Direct),
        };
        for subnet in subnets {
            add(link, subnet, remote, flow)?;
        }
        match self {
            Self::Only(_) => FAMILIES
                .iter()
                .try_for_each(|all| add(link, all, remote, HtbFlow::Direct)),
            Self::All | Self::Except(_) => Ok(()),
        }
    }
}

fn add(link: &Link, subnet: &str, remote: Remote, flow: HtbFlow) -> Result<(), Error> {
    let (source, destination) = match remote {
        Remote::Source => (Some(subnet), None),
        Remote::Destination => (None, Some(subnet)),
    };
    traffic::add_htb_filter(link, source, destination, flow)
}

/// Parses a list of subnets. An empty one counts as absent.
fn subnets(options: &[RequestOption], key: &str) -> Result<Option<Vec<String>>, Error> {
    let text = find(options, key).unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    let are_subnets = words.iter().all(|word| is_subnet(word));
    match (words.len(), are_subnets) {
        (0, _) => Ok(None),
        (1..=MAX, true) => Ok(Some(words.into_iter().map(str::to_owned).collect())),
        _ => Err(not(
            key,
            text,
            &format!("a list of at most {MAX} subnets, with spaces between them"),
        )),
    }
}

fn is_subnet(word: &str) -> bool {
    let Some((address, length)) = word.split_once('/') else {
        return false;
    };
    let max = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Limited, String> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: crate::types::OptionOrigin::Network,
        };
        let options: Vec<_> = pairs.iter().map(option).collect();
        Limited::parse(&options).map_err(|error| match error {
            Error::Invalid(text) => text,
            error => format!("not invalid: {error}"),
        })
    }

    #[test]
    fn a_list_of_subnets_is_shaped_or_not() {
        assert_eq!(parse(&[]), Ok(Limited::All));
        assert_eq!(parse(&[(SHAPED, " ")]), Ok(Limited::All));
        let list = "10.0.0.0/8  fd00::/8";
        let subnets = ["10.0.0.0/8", "fd00::/8"].map(str::to_owned).to_vec();
        assert_eq!(parse(&[(SHAPED, list)]), Ok(Limited::Only(subnets.clone())));
        assert_eq!(parse(&[(UNSHAPED, list)]), Ok(Limited::Except(subnets)));
        let both = parse(&[(SHAPED, list), (UNSHAPED, list)]).unwrap_err();
        assert!(both.contains("can't be given together"), "{both}");
    }

    #[test]
    fn what_is_no_subnet_is_refused() {
        let many = ["10.0.0.0/8"; MAX + 1].join(" ");
        for list in [
            "10.0.0.0",
            "10.0.0.0/33",
            "fd00::/129",
            "x/8",
            "10.0.0.0/8,fd00::/8",
            &many,
        ] {
            let error = parse(&[(SHAPED, list)]).unwrap_err();
            assert!(
                error.contains("unable to parse \"shaped_subnets\""),
                "{error}"
            );
        }
    }
}
