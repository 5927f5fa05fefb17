//! What a request's options say of the container's VF. An option that can't be parsed
//! says nothing. The driver reports the mistake.

use types::{VLAN_MAX, VfChange, VfLinkState, VfVlan, VfWish, WishedVf};

use super::{Request, options};

/// The option that names a VF by its number.
pub(super) const VF: &str = "vf";

impl Request {
    /// Returns what the request says of the container's VF.
    pub fn vf(&self) -> VfWish {
        let changes = [
            self.mac.map(VfChange::Mac),
            self.vf_vlan().map(VfChange::Vlan),
            self.truth("spoof_check").map(VfChange::SpoofCheck),
            self.truth("trust").map(VfChange::Trust),
            self.vf_link_state().map(VfChange::LinkState),
            self.vf_rate(),
        ];
        VfWish {
            number: self.vf_number(),
            changes: changes.into_iter().flatten().collect(),
        }
    }

    fn vf_number(&self) -> WishedVf {
        match self.option(VF) {
            None => WishedVf::Any,
            Some(text) => match text.trim().parse() {
                Ok(number) => WishedVf::Number(number),
                Err(_) => WishedVf::None,
            },
        }
    }

    /// Returns the VLAN of the VF's frames. The number 0 is for none.
    fn vf_vlan(&self) -> Option<VfVlan> {
        let id = self.number("vlan")?;
        let id = u16::try_from(id).ok().filter(|id| *id <= VLAN_MAX)?;
        if id == 0 {
            return Some(VfVlan::default());
        }
        let qos = match self.option("vlan_qos") {
            None => 0,
            Some(_) => u8::try_from(self.number("vlan_qos")?).ok()?,
        };
        let provider = match self.option("vlan_proto") {
            None | Some("802.1q") => false,
            Some("802.1ad") => true,
            Some(_) => return None,
        };
        let is_valid = qos <= VfVlan::QOS_MAX;
        is_valid.then_some(VfVlan { id, qos, provider })
    }

    fn vf_link_state(&self) -> Option<VfLinkState> {
        match self.option("link_state")? {
            "auto" => Some(VfLinkState::Auto),
            "enable" => Some(VfLinkState::Enable),
            "disable" => Some(VfLinkState::Disable),
            _ => None,
        }
    }

    /// Returns both rates, because the kernel sets them together. One that no option
    /// gives is 0, for none.
    fn vf_rate(&self) -> Option<VfChange> {
        let keys = ["min_tx_rate", "max_tx_rate"];
        if keys.iter().all(|key| self.option(key).is_none()) {
            return None;
        }
        let [min, max] = keys.map(|key| match self.option(key) {
            None => Some(0),
            Some(_) => self.number(key),
        });
        Some(VfChange::Rate {
            min: min?,
            max: max?,
        })
    }

    fn number(&self, key: &str) -> Option<u32> {
        self.option(key)?.trim().parse().ok()
    }

    fn truth(&self, key: &str) -> Option<bool> {
        options::truth(self.option(key)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(network: &str, own: &str) -> VfWish {
        let json = format!(
            r#"{{"container_id":"c","container_name":"n","network":{{"name":"n","id":"i",
            "driver":"d","subnets":[],"options":{network}}},
            "network_options":{{"interface_name":"eth0","static_ips":[],
            "static_mac":"02:00:00:00:00:07","options":{own}}}}}"#
        );
        let document = serde_json::from_str(&json).unwrap();
        Request::resolve(&document).unwrap().vf()
    }

    #[test]
    fn without_options_any_vf_gets_the_mac_address_only() {
        let wish = wish("{}", "{}");
        assert!(wish.allows(0) && wish.allows(255));
        let mac = "02:00:00:00:00:07".parse().unwrap();
        assert_eq!(wish.changes, [VfChange::Mac(mac)]);
    }

    #[test]
    fn options_say_exactly_what_is_changed() {
        let network = r#"{"vf":"3","vlan":"7","vlan_qos":"5","vlan_proto":"802.1ad","trust":"0",
            "spoof_check":"T","link_state":"enable","max_tx_rate":"100"}"#;
        let all = wish(network, "{}");
        assert!(all.allows(3) && !all.allows(2));
        let vlan = VfVlan {
            id: 7,
            qos: 5,
            provider: true,
        };
        assert_eq!(
            all.changes[1..],
            [
                VfChange::Vlan(vlan),
                VfChange::SpoofCheck(true),
                VfChange::Trust(false),
                VfChange::LinkState(VfLinkState::Enable),
                VfChange::Rate { min: 0, max: 100 },
            ]
        );
        // A container's own options go before the network's.
        let own = wish(network, r#"{"vf":"4","vlan":"0"}"#);
        assert!(own.allows(4) && !own.allows(3));
        assert_eq!(own.changes[1], VfChange::Vlan(VfVlan::default()));
    }

    #[test]
    fn what_can_not_be_parsed_says_nothing() {
        let wish = wish(
            r#"{"vf":"x","vlan":"4095","spoof_check":"off","link_state":"up","min_tx_rate":"fast"}"#,
            "{}",
        );
        assert!(!wish.allows(0));
        assert_eq!(wish.changes.len(), 1);
        for options in [
            r#"{"vlan":"7","vlan_qos":"8"}"#,
            r#"{"vlan":"7","vlan_qos":"x"}"#,
            r#"{"vlan":"7","vlan_proto":"dot1q"}"#,
        ] {
            assert_eq!(self::wish(options, "{}").changes.len(), 1, "{options}");
        }
    }
}
