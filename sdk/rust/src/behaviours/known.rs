//! The options that a driver knows.

use super::{Behaviours, tuning};
use crate::types::{Error, OptionValue, Request};

/// The options that the host parses for every driver. Networks and containers may have
/// them.
const OF_THE_HOST: &[&str] = &["metric", "mtu", "no_default_route"];

/// The options that a driver knows: its own, those of its behaviours, and `metric`,
/// `mtu` and `no_default_route`.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The driver's name in errors.
    pub kind: &'static str,
    /// The driver's own options of a network.
    pub network: &'static [&'static str],
    /// The driver's own options of a container.
    pub container: &'static [&'static str],
    /// The options of the driver's behaviours. Networks and containers may have them.
    pub behaviours: &'static [&'static [&'static str]],
}

impl Known {
    /// Checks the options of a network. Refuses unknown ones, and invalid values of
    /// behaviours.
    pub fn check(&self, options: &[OptionValue]) -> Result<(), Error> {
        match self.unknown(options, self.network) {
            Some(key) => Err(Error::Invalid(format!(
                "unsupported {} network option: {key}",
                self.kind
            ))),
            None => Behaviours::parse(options).map(drop),
        }
    }

    /// Checks the options of a container, and returns its behaviours. The container's
    /// options replace the network's.
    pub fn behaviours(&self, request: &Request) -> Result<Behaviours, Error> {
        if let Some(key) = self.unknown(&request.container_options, self.container) {
            return Err(Error::Invalid(format!(
                "unsupported {} option for one container: {key}",
                self.kind
            )));
        }
        Behaviours::parse(&request.options)
    }

    fn unknown<'a>(&self, options: &'a [OptionValue], own: &[&str]) -> Option<&'a str> {
        let keys = options.iter().map(|option| option.key.as_str());
        let mut unknown = keys.filter(|key| !self.knows(key, own));
        unknown.next()
    }

    fn knows(&self, key: &str, own: &[&str]) -> bool {
        let tunes = self.behaviours.contains(&tuning::TUNING);
        own.contains(&key)
            || OF_THE_HOST.contains(&key)
            || self.behaviours.iter().any(|names| names.contains(&key))
            || (tunes && key.starts_with(tuning::SYSCTL))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RATES, TUNING};
    use super::*;

    const KNOWN: Known = Known {
        kind: "test",
        network: &["mode"],
        container: &["host_interface_name"],
        behaviours: &[TUNING, RATES],
    };

    fn option(key: &str, value: &str) -> OptionValue {
        OptionValue {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    fn refused(key: &str, value: &str) -> Option<String> {
        match KNOWN.check(&[option(key, value)]) {
            Ok(()) => None,
            Err(Error::Invalid(text)) => Some(text),
            Err(error) => panic!("not invalid: {error}"),
        }
    }

    #[test]
    fn an_unknown_option_is_named() {
        for (key, value) in [
            ("mode", "x"),
            ("mtu", "1400"),
            ("txqlen", "7"),
            ("egress_rate", "1m"),
            ("sysctl.net.ipv4.conf.IFNAME.arp_filter", "1"),
        ] {
            assert_eq!(refused(key, value), None, "{key}");
        }
        for (key, value, why) in [
            ("mood", "good", "unsupported test network option: mood"),
            ("announce", "true", "option: announce"),
            ("host_interface_name", "a", "option: host_interface_name"),
            ("txqlen", "x", "unable to parse \"txqlen\""),
        ] {
            let error = refused(key, value).unwrap();
            assert!(error.contains(why), "{error}");
        }
    }
}
