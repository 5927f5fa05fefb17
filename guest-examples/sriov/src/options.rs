//! The driver's options. The host allows a VF the values of these options and no
//! others, so their names and their defaults are the host's, too.

use wasmvark_guest::links::{VfLinkState, VfVlan, VlanProtocol};
use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{choose, find, parse};

/// The values of `vlan_proto`. The first one is the default.
const PROTOCOLS: &[(&str, VlanProtocol)] = &[
    ("802.1q", VlanProtocol::Dot1q),
    ("802.1ad", VlanProtocol::Dot1ad),
];

/// The values of `link_state`.
const LINK_STATES: &[(&str, VfLinkState)] = &[
    ("auto", VfLinkState::Auto),
    ("enable", VfLinkState::Enable),
    ("disable", VfLinkState::Disable),
];

/// The wishes for a VF. What isn't given stays as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) vf: Option<u32>,
    /// The VLAN; `Some(None)` for frames without a tag.
    pub(crate) vlan: Option<Option<VfVlan>>,
    pub(crate) spoof_check: Option<bool>,
    pub(crate) trust: Option<bool>,
    pub(crate) link_state: Option<VfLinkState>,
    /// The assured and the highest rate in Mbit/s.
    pub(crate) rates: Option<(u32, u32)>,
}

impl Options {
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        let link_state = match find(options, "link_state") {
            None | Some("") => None,
            Some(_) => Some(choose(options, "link_state", LINK_STATES)?),
        };
        Ok(Self {
            vf: parse(options, "vf")?,
            vlan: vlan(options)?,
            spoof_check: parse(options, "spoof_check")?,
            trust: parse(options, "trust")?,
            link_state,
            rates: rates(options)?,
        })
    }
}

fn vlan(options: &[RequestOption]) -> Result<Option<Option<VfVlan>>, Error> {
    let qos = parse::<u8>(options, "vlan_qos")?;
    let protocol = choose(options, "vlan_proto", PROTOCOLS)?;
    let id = parse::<u16>(options, "vlan")?;
    let has_more = qos.is_some() || find(options, "vlan_proto").is_some_and(|it| !it.is_empty());
    if has_more && id.unwrap_or_default() == 0 {
        return Err(Error::Invalid(
            "vlan_qos and vlan_proto are for a VLAN: give -o vlan=NUMBER too".to_owned(),
        ));
    }
    Ok(id.map(|id| {
        (id > 0).then(|| VfVlan {
            id,
            qos: qos.unwrap_or_default(),
            protocol,
        })
    }))
}

fn rates(options: &[RequestOption]) -> Result<Option<(u32, u32)>, Error> {
    let min = parse(options, "min_tx_rate")?;
    let max = parse(options, "max_tx_rate")?;
    if min.is_none() && max.is_none() {
        return Ok(None);
    }
    let (min, max) = (min.unwrap_or_default(), max.unwrap_or_default());
    if max > 0 && min > max {
        return Err(Error::Invalid(format!(
            "min_tx_rate is {min}, and max_tx_rate is less: {max}"
        )));
    }
    Ok(Some((min, max)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Vec<RequestOption> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: wasmvark_guest::types::OptionOrigin::Network,
        };
        pairs.iter().map(option).collect()
    }

    fn parsed(pairs: &[(&str, &str)]) -> String {
        match Options::parse(&options(pairs)) {
            Ok(options) => format!("{options:?}"),
            Err(Error::Invalid(text)) => text,
            Err(error) => format!("not invalid: {error}"),
        }
    }

    #[test]
    fn without_options_the_vf_stays_as_it_is() {
        assert_eq!(
            parsed(&[("mtu", "1400")]),
            "Options { vf: None, vlan: None, spoof_check: None, trust: None, link_state: None, \
             rates: None }"
        );
    }

    #[test]
    fn every_option_is_parsed() {
        let all = [
            ("vf", " 3 "),
            ("vlan", "7"),
            ("vlan_qos", "5"),
            ("vlan_proto", "802.1ad"),
            ("spoof_check", "T"),
            ("trust", "0"),
            ("link_state", "enable"),
            ("max_tx_rate", "100"),
        ];
        assert_eq!(
            parsed(&all),
            "Options { vf: Some(3), vlan: Some(Some(VfVlan { id: 7, qos: 5, protocol: \
             VlanProtocol::Dot1ad })), spoof_check: Some(true), trust: Some(false), link_state: \
             Some(VfLinkState::Enable), rates: Some((0, 100)) }"
        );
        assert!(parsed(&[("vlan", "0")]).contains("vlan: Some(None)"));
    }

    #[test]
    fn mistakes_say_what_is_expected() {
        for (pairs, text) in [
            (&[("vf", "x")][..], "unable to parse \"vf\": \"x\" is not"),
            (
                &[("vlan", "7"), ("vlan_proto", "q")],
                "\"q\" is not one of 802.1q, 802.1ad",
            ),
            (&[("vlan", "0"), ("vlan_qos", "1")], "give -o vlan=NUMBER"),
            (&[("vlan_proto", "802.1q")], "give -o vlan=NUMBER"),
            (&[("spoof_check", "on")], "\"on\" is not true or false"),
            (&[("link_state", "up")], "unable to parse \"link_state\""),
            (
                &[("min_tx_rate", "200"), ("max_tx_rate", "100")],
                "max_tx_rate is less: 100",
            ),
        ] {
            let error = parsed(pairs);
            assert!(error.contains(text), "{error}");
        }
    }
}
