//! The options that a driver knows.

use super::{Behaviours, tuning};
use crate::options::{Value, read};
use crate::types::{Error, NetworkChange, OptionOrigin, OptionValue, Request, RequestOption};

/// The options that the host parses for every driver. Networks and containers may have
/// them. The host stores their normal form itself.
const OF_THE_HOST: &[KnownOption] = &[word("metric"), word("mtu"), word("no_default_route")];

/// An option that a driver knows.
#[derive(Debug, Clone, Copy)]
pub struct KnownOption {
    /// The option's name.
    pub name: &'static str,
    /// Returns the normal form of a value.
    normal: fn(&str, &str) -> Result<String, Error>,
}

/// Returns an option whose values are stored as the user writes them.
pub const fn word(name: &'static str) -> KnownOption {
    KnownOption {
        name,
        normal: |_, text| Ok(text.to_owned()),
    }
}

/// Returns an option whose values have a type. `create` stores their normal form.
pub const fn typed<T: Value>(name: &'static str) -> KnownOption {
    KnownOption {
        name,
        normal: normal::<T>,
    }
}

fn normal<T: Value>(key: &str, text: &str) -> Result<String, Error> {
    read::<T>(key, text).map(|value| value.to_string())
}

/// Returns the change that stores the normal form of an option's value, unless it has
/// that form already.
pub fn normalise<T: Value>(option: &RequestOption) -> Result<Option<NetworkChange>, Error> {
    Ok(stored(option, normal::<T>(&option.key, &option.value)?))
}

fn stored(option: &RequestOption, value: String) -> Option<NetworkChange> {
    let differs = value != option.value;
    differs.then(|| {
        NetworkChange::SetOption(OptionValue {
            key: option.key.clone(),
            value,
        })
    })
}

/// The options that a driver knows: its own, those of its behaviours, and `metric`,
/// `mtu` and `no_default_route`.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The driver's name in errors.
    pub kind: &'static str,
    /// The driver's own options of a network.
    pub network: &'static [KnownOption],
    /// The driver's own options of a container.
    pub container: &'static [KnownOption],
    /// The options of the driver's behaviours. Networks and containers may have them.
    pub behaviours: &'static [&'static [KnownOption]],
}

impl Known {
    /// Checks the options of a network. Refuses unknown ones, and invalid values of
    /// typed options and of behaviours. Returns the changes that store the normal forms
    /// of the values, as Podman does for its own drivers.
    pub fn check(&self, options: &[RequestOption]) -> Result<Vec<NetworkChange>, Error> {
        if let Some(key) = self.unknown(options.iter(), self.network) {
            return Err(Error::Invalid(format!(
                "unsupported {} network option: {key}",
                self.kind
            )));
        }
        Behaviours::parse(options)?;
        let changes = options.iter().filter_map(|option| {
            let known = self.find(&option.key, self.network)?;
            let value = (known.normal)(&option.key, &option.value);
            value.map(|value| stored(option, value)).transpose()
        });
        changes.collect()
    }

    /// Checks the options of a container, and returns its behaviours. The container's
    /// options replace the network's.
    pub fn behaviours(&self, request: &Request) -> Result<Behaviours, Error> {
        let options = request.options.iter();
        let own = options.filter(|option| option.origin == OptionOrigin::Container);
        if let Some(key) = self.unknown(own, self.container) {
            return Err(Error::Invalid(format!(
                "unsupported {} option for one container: {key}",
                self.kind
            )));
        }
        Behaviours::parse(&request.options)
    }

    fn unknown<'a>(
        &self,
        options: impl Iterator<Item = &'a RequestOption>,
        own: &[KnownOption],
    ) -> Option<&'a str> {
        let keys = options.map(|option| option.key.as_str());
        let mut unknown = keys.filter(|key| !self.is_tuning(key) && self.find(key, own).is_none());
        unknown.next()
    }

    /// Whether the option is a kernel setting.
    fn is_tuning(&self, key: &str) -> bool {
        let mut names = self.behaviours.iter().copied().flatten();
        let tunes = names.any(|option| option.name == tuning::OF_ALL);
        tunes && key.starts_with(tuning::SYSCTL)
    }

    fn find(&self, key: &str, own: &[KnownOption]) -> Option<KnownOption> {
        let behaviours = self.behaviours.iter().copied().flatten();
        let mut all = own.iter().chain(OF_THE_HOST).chain(behaviours);
        all.find(|option| option.name == key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RATES, TUNING};
    use super::*;

    const KNOWN: Known = Known {
        kind: "test",
        network: &[word("mode"), typed::<bool>("on")],
        container: &[word("host_interface_name")],
        behaviours: &[TUNING, RATES],
    };

    fn option(key: &str, value: &str) -> RequestOption {
        RequestOption {
            key: key.to_owned(),
            value: value.to_owned(),
            origin: OptionOrigin::Network,
        }
    }

    fn refused(key: &str, value: &str) -> Option<String> {
        match KNOWN.check(&[option(key, value)]) {
            Ok(_) => None,
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
            (
                "on",
                "x",
                "unable to parse \"on\": \"x\" is not true or false",
            ),
        ] {
            let error = refused(key, value).unwrap();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn normal_forms_are_stored() {
        let given = [
            option("mode", " x "),
            option("on", "T"),
            option("promisc", "false"),
            option("txqlen", " 07 "),
            option("sysctl.net.ipv4.conf.IFNAME.arp_filter", "T"),
        ];
        let changes = format!("{:?}", KNOWN.check(&given).unwrap());
        let set = |key: &str, value: &str| {
            let (key, value) = (key.to_owned(), value.to_owned());
            format!("{:?}", NetworkChange::SetOption(OptionValue { key, value }))
        };
        let expected = format!("[{}, {}]", set("on", "true"), set("txqlen", "7"));
        assert_eq!(changes, expected);
    }
}
