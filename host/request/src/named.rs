//! Further objects that a request's options name: VLANs, VNIs, settings and modes. An
//! option that can't be parsed names nothing. The driver reports the mistake.

use std::net::IpAddr;

use types::{Mac, NumberRange, SettingKey};

use super::Request;

/// The options that name VLANs. `trunk` is a list of ranges.
const VLANS: [&str; 3] = ["vlan", "native_vlan", "trunk"];
/// The option that names the host's addresses on a link beside the containers'.
const HOST_ADDRESS: &str = "host_address";
/// The option that names MAC addresses whose frames a macvlan link of the mode `source`
/// gets (`macaddr` of `ip-link(8)`).
const MACADDR: &str = "macaddr";
/// The most MAC addresses that the option can name.
const MACADDR_MAX: usize = 128;
/// The option that names a VNI.
const VNI: &str = "id";
/// The prefix of an option for a kernel setting.
const SETTING: &str = "sysctl.";
/// The placeholder for the container's interface in a setting.
const INTERFACE: &str = "IFNAME";

impl Request {
    /// Returns the container's own option, or else the network's. An empty one counts as
    /// absent.
    pub fn option(&self, key: &str) -> Option<&str> {
        let own = self.options.get(key);
        let value = own.or_else(|| self.network.options.get(key))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns the VLANs that the options name.
    pub fn vlans(&self) -> Vec<NumberRange> {
        let lists = VLANS.iter().filter_map(|key| self.option(key));
        let ranges = lists.flat_map(|list| list.split(','));
        ranges.filter_map(NumberRange::parse).collect()
    }

    /// Returns the addresses that the host gets on a link beside the containers': the
    /// network's option `host_address`, with spaces between them.
    pub fn host_addresses(&self) -> Vec<IpAddr> {
        let text = self.network.options.get(HOST_ADDRESS).map(String::as_str);
        let words = text.unwrap_or_default().split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    }

    /// Returns the MAC addresses whose frames a macvlan link of the mode `source` gets:
    /// the option `macaddr`, with commas between them. If one can't be parsed, there are
    /// none.
    pub fn macvlan_sources(&self) -> Vec<Mac> {
        let text = self.option(MACADDR).unwrap_or_default();
        let parsed: Result<Vec<Mac>, _> = text.split(',').map(|word| word.trim().parse()).collect();
        let mut sources = parsed.unwrap_or_default();
        sources.sort_unstable_by_key(|mac| mac.bytes());
        sources.dedup();
        match sources.len() > MACADDR_MAX {
            true => Vec::new(),
            false => sources,
        }
    }

    /// Returns the VNIs that the options name.
    pub fn vnis(&self) -> Vec<u32> {
        let number = self.option(VNI).and_then(|text| text.trim().parse().ok());
        number.into_iter().collect()
    }

    /// Returns the kernel settings of the container that the options name.
    pub fn settings(&self) -> Vec<SettingKey> {
        // A dot in a name is written `/`, because dots separate parts (`sysctl(8)`).
        let interface = self.interface_name.as_str().replace('.', "/");
        let options = self.network.options.keys().chain(self.options.keys());
        let keys = options.filter_map(|key| key.strip_prefix(SETTING));
        let with_name = |key: &str| {
            let parts = key.split('.').map(|part| match part {
                INTERFACE => interface.as_str(),
                part => part,
            });
            parts.collect::<Vec<_>>().join(".").parse().ok()
        };
        keys.filter_map(with_name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(network: &str, own: &str) -> Request {
        let json = format!(
            r#"{{"container_id":"c","container_name":"n","network":{{"name":"n","id":"i",
            "driver":"d","subnets":[],"options":{network}}},
            "network_options":{{"interface_name":"eth0.7","static_ips":[],"options":{own}}}}}"#
        );
        Request::resolve(&serde_json::from_str(&json).unwrap()).unwrap()
    }

    fn vlans(options: &str) -> Vec<String> {
        let vlans = request(options, "{}").vlans().into_iter();
        vlans.map(|vlan| vlan.to_string()).collect()
    }

    #[test]
    fn vlans_are_named_by_options() {
        assert!(vlans("{}").is_empty());
        assert_eq!(vlans(r#"{"vlan":"7"}"#), ["7"]);
        let trunk = r#"{"trunk":"10, 20-29,x","native_vlan":"5"}"#;
        assert_eq!(vlans(trunk), ["5", "10", "20-29"]);
        assert!(vlans(r#"{"vlan":"x","trunk":""}"#).is_empty());
    }

    #[test]
    fn a_containers_own_option_goes_before_the_networks() {
        let request = request(r#"{"id":"7","mode":"l3"}"#, r#"{"id":"8","mode":""}"#);
        assert_eq!(request.vnis(), [8]);
        assert_eq!(request.option("mode"), None);
        let spaces = self::request(r#"{"id":" 7 "}"#, "{}");
        assert_eq!(spaces.vnis(), [7]);
    }

    #[test]
    fn settings_are_those_of_the_interface() {
        let options = r#"{"sysctl.net.ipv4.conf.IFNAME.proxy_arp":"1","sysctl.kernel.x":"1"}"#;
        let settings = request(options, "{}").settings();
        assert_eq!(settings.len(), 1);
        assert_eq!(settings[0].to_string(), "net.ipv4.conf.eth0/7.proxy_arp");
    }
}
