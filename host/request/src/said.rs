//! The user's word, separated from the changes of a driver.
//!
//! A driver can change the network's document in `create`, and `setup` gets the changed
//! document. So the host keeps the document that the user's `create` had. The parts of
//! a request that are in both documents are the user's word.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use types::text;
use types::{LinkName, Route};

use super::options::{self, PUBLISH_INTERFACE};
use super::{Network, Request, RequestError, routes, vf};
use crate::protocol::{self, Subnet};

/// The kept document of a user's `network create`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptNetwork {
    /// The network as the user asked for it.
    pub network: protocol::Network,
    /// The free name that the host chose for the network's bridge or VRF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<LinkName>,
}

/// The longest option that is kept, in bytes. The longest one that names an object is
/// a list of VLANs.
const OPTION_MAX: usize = 4096;
/// The longest description in [`Said::unsaid`], in bytes.
const UNSAID_MAX: usize = 256;

/// The options that name parents and VRFs. Their differences are described as those of
/// parents and VRFs.
const LINK_OPTIONS: [&str; 6] = ["parent", "hwaddr", "pci", "kernelpath", "vrf", "vrf_name"];

/// The option that names the host's end of a link.
const HOST_INTERFACE_NAME: &str = "host_interface_name";

/// The option that names the link that answers for the containers' IPv6 addresses.
pub(super) const NDP_PROXY: &str = "ndp_proxy";

/// Whether a value of an option is the user's, or its normal form. A name has no other
/// form: `1` and `01` are two links.
fn is_same(key: &str, users: &str, value: &str) -> bool {
    let is_name = LINK_OPTIONS.contains(&key)
        || [HOST_INTERFACE_NAME, NDP_PROXY, PUBLISH_INTERFACE].contains(&key)
        || options::names_secret(key);
    let address = |text: &str| text.parse::<IpAddr>().ok();
    match is_name {
        true => users == value,
        false if options::names_outbound(key) => {
            users == value || address(users).is_some_and(|users| address(value) == Some(users))
        }
        false => options::mean_the_same(users, value),
    }
}

impl KeptNetwork {
    /// Removes the options that are too long to name an object.
    pub fn shortened(mut self) -> Self {
        let fits = |text: &str| text.len() <= OPTION_MAX;
        let options = &mut self.network.options;
        options.retain(|key, value| fits(key) && fits(value));
        self
    }
}

/// The user's word in a request.
#[derive(Debug, Clone)]
pub struct Said {
    /// The request without the parts that aren't the user's word.
    pub request: Request,
    /// The name that the host chose for the network's bridge or VRF.
    pub chosen: Option<LinkName>,
    /// Whether the user and the network name different parents.
    pub parent_differs: bool,
    /// The parts of the network that aren't the user's word, described for people.
    pub unsaid: Vec<String>,
}

impl Request {
    /// Separates the user's word in the request, according to the kept network.
    ///
    /// Nothing is kept of a network that was made by hand or by an old version. All of
    /// it is the user's word except secrets, which are the operator's.
    ///
    /// The container's own options, ports and interface name are always the user's
    /// word, because they never pass a driver.
    ///
    /// # Errors
    ///
    /// The kept network can't be resolved, or has another driver.
    pub fn said(&self, kept: Option<&KeptNetwork>) -> Result<Said, RequestError> {
        let mut said = Said {
            request: self.clone(),
            chosen: None,
            parent_differs: false,
            unsaid: Vec::new(),
        };
        match kept {
            None => said.drop_secrets(),
            Some(kept) => {
                let user = Network::resolve(&kept.network)?;
                if user.driver != self.network.driver {
                    return Err(RequestError::OtherDriver {
                        network: user.name,
                        was: user.driver,
                        is: text::plain(&text::shortened(&self.network.driver, UNSAID_MAX)),
                    });
                }
                let routes = routes::all_routes(&kept.network.routes)?;
                said.keep_parent(&user, kept.chosen.as_ref());
                said.keep_names(&user);
                said.keep_subnets(&user);
                said.keep_default_routes(&user.clone().for_container(&self.options)?);
                said.keep_routes(&routes);
                said.keep_options(&user.options);
                said.keep_publish_interface(&user)?;
                said.keep_name_servers(&user.name_servers);
            }
        }
        for text in &mut said.unsaid {
            *text = text::shortened(text, UNSAID_MAX).into_owned();
        }
        Ok(said)
    }
}

impl Said {
    fn drop_secrets(&mut self) {
        let unsaid = &mut self.unsaid;
        self.request.network.options.retain(|key, value| {
            let is_secret = options::names_secret(key);
            if is_secret {
                unsaid.push(format!("the secret {value:?}"));
            }
            !is_secret
        });
    }

    fn keep_parent(&mut self, user: &Network, chosen: Option<&LinkName>) {
        let network = &mut self.request.network;
        let own = super::parent::property(&self.request.options)
            .ok()
            .flatten();
        if network.parent == user.parent {
            return;
        }
        let name = network.parent_name().cloned();
        if user.parent.is_none() && name.is_some() && name.as_ref() == chosen {
            self.chosen = name;
        } else {
            self.parent_differs = true;
            let words = match (name, network.parent_property()) {
                (Some(name), _) => format!("the interface {name}"),
                (None, Some(property)) => format!("the interface with {property}"),
                (None, None) => "no interface, where the user named one".to_owned(),
            };
            self.unsaid.push(words);
        }
        network.parent = None;
        self.request.parent_property = own;
    }

    fn keep_names(&mut self, user: &Network) {
        let network = &mut self.request.network;
        let pairs = [
            (&mut network.vrf, &user.vrf),
            (&mut network.container_vrf, &user.container_vrf),
        ];
        for (current, said) in pairs {
            if current == said {
                continue;
            }
            if let Some(name) = current.take() {
                self.unsaid.push(format!("the VRF {name}"));
            }
        }
    }

    fn keep_subnets(&mut self, user: &Network) {
        let network = &mut self.request.network;
        let mut unsaid = Vec::new();
        network.subnets.retain_mut(|current| {
            let subnet = current.subnet;
            let mut subnets = user.subnets.iter();
            let Some(said) = subnets.find(|said| said.subnet == subnet) else {
                unsaid.push(format!("the subnet {subnet}"));
                return false;
            };
            if let Some(gateway) = current.gateway
                && !is_gateway_of(gateway, said)
            {
                unsaid.push(format!("the gateway {gateway} of {subnet}"));
                current.gateway = None;
            }
            true
        });
        let gateways: Vec<IpAddr> = network.gateways().iter().map(IpNet::addr).collect();
        let subnets: Vec<IpNet> = network
            .subnets
            .iter()
            .map(|subnet| subnet.subnet.trunc())
            .collect();
        self.unsaid.extend(unsaid);
        let request = &mut self.request;
        request
            .addresses
            .retain(|address| subnets.contains(&address.trunc()));
        request
            .default_routes
            .retain(|route| route.gateway.is_some_and(|via| gateways.contains(&via)));
    }

    /// Keeps the default routes with the user's metric, if the user wants any.
    fn keep_default_routes(&mut self, user: &Network) {
        let has_any = routes::has_defaults(user);
        let unsaid = &mut self.unsaid;
        self.request.default_routes.retain(|route| {
            let is_users = has_any && route.metric == user.metric;
            if !is_users {
                unsaid.push(format!("the default route {route}"));
            }
            is_users
        });
    }

    fn keep_routes(&mut self, users: &[Route]) {
        let unsaid = &mut self.unsaid;
        self.request.routes.retain(|route| {
            let is_users = users.contains(route);
            if !is_users {
                unsaid.push(format!("the route {route}"));
            }
            is_users
        });
    }

    fn keep_options(&mut self, users: &BTreeMap<String, String>) {
        let unsaid = &mut self.unsaid;
        self.request.network.options.retain(|key, value| {
            let users = users.get(key);
            let is_users = users.is_some_and(|users| is_same(key, users, value));
            if is_users || LINK_OPTIONS.contains(&key.as_str()) {
                return is_users;
            }
            unsaid.push(match key {
                key if options::names_secret(key) => format!("the secret {value:?}"),
                key if options::names_outbound(key) => format!("the address {value:?}"),
                key => format!("the option {key:?}"),
            });
            false
        });
        // Without the number, any VF would be the user's word.
        if let Some(number) = users.get(vf::VF) {
            let options = &mut self.request.network.options;
            options.insert(vf::VF.to_owned(), number.clone());
        }
    }

    /// Keeps the user's link for published ports. Without it they would be open to all.
    fn keep_publish_interface(&mut self, user: &Network) -> Result<(), RequestError> {
        let request = &mut self.request;
        let own = options::publish_interface(&request.options)?;
        request.network.publish_interface = user.publish_interface.clone();
        request.publish_interface = own.or_else(|| user.publish_interface.clone());
        Ok(())
    }

    fn keep_name_servers(&mut self, users: &[IpAddr]) {
        let unsaid = &mut self.unsaid;
        self.request.network.name_servers.retain(|server| {
            let is_users = users.contains(server);
            if !is_users {
                unsaid.push(format!("the name server {server}"));
            }
            is_users
        });
    }
}

/// Whether a gateway is that of the user's subnet. If the user gives none, netavark and
/// Podman choose the subnet's first address after `create`.
fn is_gateway_of(gateway: IpAddr, subnet: &Subnet) -> bool {
    match subnet.gateway {
        Some(said) => said == gateway,
        None => first_address(subnet.subnet) == gateway,
    }
}

/// Returns the address after the network address, as Podman's `FirstIPInSubnet`.
pub fn first_address(subnet: IpNet) -> IpAddr {
    let step = u8::from(subnet.prefix_len() < subnet.max_prefix_len());
    match subnet.network() {
        IpAddr::V4(address) => {
            Ipv4Addr::from_bits(address.to_bits().wrapping_add(step.into())).into()
        }
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits().wrapping_add(step.into())).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const WORDS: &str = r#"{"name":"lan","id":"i","driver":"d","network_interface":"eth1",
        "subnets":[{"subnet":"10.0.0.0/24"},{"subnet":"fd00::/64","gateway":"fd00::9"}],
        "routes":[{"destination":"10.9.0.0/16","gateway":"10.0.0.1"}],
        "options":{"vrf":"blue","key_secret":"mine","outbound_addr4":"192.0.2.1","mode":"a"},
        "network_dns_servers":["192.0.2.53"]}"#;

    fn kept(chosen: Option<&str>, change: impl FnOnce(&mut Value)) -> KeptNetwork {
        let mut words: Value = serde_json::from_str(WORDS).unwrap();
        change(&mut words);
        KeptNetwork {
            network: serde_json::from_value(words).unwrap(),
            chosen: chosen.map(|name| name.parse().unwrap()),
        }
    }

    /// The request that Podman and netavark send for that network, with the gateway that
    /// they choose and a container's addresses.
    fn request(change: impl FnOnce(&mut Value)) -> Request {
        let mut network: Value = serde_json::from_str(WORDS).unwrap();
        network["subnets"][0]["gateway"] = json!("10.0.0.1");
        let mut document = json!({"container_id": "c", "network": network,
            "network_options": {"interface_name": "eth0", "static_ips": ["10.0.0.2", "fd00::2"]}});
        change(&mut document);
        Request::resolve(&serde_json::from_value(document).unwrap()).unwrap()
    }

    fn said_of(kept: &KeptNetwork, change: impl FnOnce(&mut Value)) -> Said {
        request(change).said(Some(kept)).unwrap()
    }

    #[test]
    fn what_the_user_said_stays_whole() {
        let whole = request(|_| {});
        let said = whole.said(Some(&kept(None, |_| {}))).unwrap();
        assert_eq!(said.unsaid, [""; 0]);
        assert_eq!(format!("{:?}", said.request), format!("{whole:?}"));
        assert!(!said.parent_differs && said.chosen.is_none());
        assert_eq!(said.request.default_routes.len(), 2);
    }

    #[test]
    fn ports_stay_at_the_users_interface() {
        let users = |name: &str| kept(None, |it| it["options"]["publish_interface"] = json!(name));
        let of = |said: Said| said.request.publish_interface.map(|link| link.to_string());
        let eth1 = Some("eth1".to_owned());
        assert_eq!(of(said_of(&users("eth1"), |_| {})), eth1);
        let changed = |it: &mut Value| {
            it["network"]["options"]["publish_interface"] = json!("eth2");
        };
        assert_eq!(of(said_of(&users("eth1"), changed)), eth1);
        assert_eq!(of(said_of(&kept(None, |_| {}), changed)), None);
        let own = |it: &mut Value| {
            it["network_options"]["options"] = json!({"publish_interface": "eth3"});
        };
        assert_eq!(of(said_of(&users("eth1"), own)), Some("eth3".to_owned()));
    }

    #[test]
    fn another_parent_is_nobodys_word() {
        let kept = kept(None, |_| {});
        let said = said_of(&kept, |it| {
            it["network"]["network_interface"] = json!("mgmt0");
        });
        assert_eq!(said.unsaid, ["the interface mgmt0"]);
        assert!(said.parent_differs && said.request.network.parent.is_none());
        let said = said_of(&kept, |it| {
            it["network"]["network_interface"] = Value::Null;
            it["network"]["options"]["hwaddr"] = json!("02:00:00:00:00:01");
        });
        assert!(said.parent_differs && said.request.parent_property.is_none());
        // The option `parent` with the same name is the same parent.
        let said = said_of(&kept, |it| {
            it["network"]["network_interface"] = Value::Null;
            it["network"]["options"]["parent"] = json!("eth1");
        });
        assert!(!said.parent_differs && said.unsaid.is_empty());
    }

    #[test]
    fn a_removed_parent_is_not_left_open() {
        let kept = kept(None, |_| {});
        let said = said_of(&kept, |it| it["network"]["network_interface"] = Value::Null);
        assert_eq!(said.unsaid, ["no interface, where the user named one"]);
        assert!(said.parent_differs);
    }

    #[test]
    fn a_name_that_the_host_chose_is_no_parent() {
        let open = |it: &mut Value| it["network_interface"] = Value::Null;
        let chose = |it: &mut Value| it["network"]["network_interface"] = json!("wv-i");
        let said = said_of(&kept(Some("wv-i"), open), chose);
        assert_eq!(said.chosen.map(String::from), Some("wv-i".to_owned()));
        assert!(!said.parent_differs && said.request.network.parent.is_none());
        let other = said_of(&kept(Some("wv-j"), open), chose);
        assert!(other.parent_differs && other.chosen.is_none());
    }

    #[test]
    fn default_routes_that_the_user_did_not_want_are_nobodys_word() {
        type Made = fn(&mut Value);
        let made: [(Made, Made); 4] = [
            (|it| it["internal"] = json!(true), |_| {}),
            (
                |it| it["options"]["no_default_route"] = json!("true"),
                |_| {},
            ),
            (|it| it["ipam_options"] = json!({"driver": "none"}), |_| {}),
            (|_| {}, |it| it["options"]["metric"] = json!("7")),
        ];
        for (users, drivers) in made {
            let kept = kept(None, users);
            let said = said_of(&kept, |it| drivers(&mut it["network"]));
            assert!(said.request.default_routes.is_empty(), "{kept:?}");
            assert!(said.unsaid.iter().any(|it| it.contains("0.0.0.0/0")));
        }
        // The container's own option is the user's word.
        let no_route = |it: &mut Value| it["options"]["no_default_route"] = json!("true");
        let said = said_of(&kept(None, no_route), |it| {
            no_route(&mut it["network"]);
            it["network_options"]["options"] = json!({"no_default_route": "false"});
        });
        assert_eq!(said.request.default_routes.len(), 2);
    }

    #[test]
    fn a_vf_whose_number_is_removed_is_the_users() {
        let kept = kept(None, |it| it["options"]["vf"] = json!("3"));
        for change in [json!("4"), Value::Null] {
            let said = said_of(&kept, |it| {
                let options = it["network"]["options"].as_object_mut().unwrap();
                options.remove("vf");
                if !change.is_null() {
                    options.insert("vf".to_owned(), change.clone());
                }
            });
            let vf = said.request.vf();
            assert!(vf.allows(3) && !vf.allows(4) && !vf.allows(0));
        }
        let own = said_of(&kept, |it| {
            it["network_options"]["options"] = json!({"vf": "5"});
        });
        assert!(own.request.vf().allows(5));
    }

    #[test]
    fn a_network_is_its_drivers() {
        let request = request(|it| it["network"]["driver"] = json!("other"));
        let error = request.said(Some(&kept(None, |_| {}))).unwrap_err();
        assert!(error.to_string().contains("wasmvark adopt lan"), "{error}");
    }

    #[test]
    fn what_differs_in_subnets_goes_with_all_that_rests_on_it() {
        let kept = kept(None, |_| {});
        let said = said_of(&kept, |it| {
            it["network"]["subnets"][1]["gateway"] = json!("fd00::1");
            let subnets = it["network"]["subnets"].as_array_mut().unwrap();
            subnets.push(json!({"subnet": "203.0.113.0/24", "gateway": "203.0.113.1"}));
            let ips = it["network_options"]["static_ips"].as_array_mut().unwrap();
            ips.push(json!("203.0.113.2"));
        });
        assert_eq!(
            said.unsaid,
            [
                "the gateway fd00::1 of fd00::/64",
                "the subnet 203.0.113.0/24"
            ]
        );
        let addresses: Vec<_> = said
            .request
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(addresses, ["10.0.0.2/24", "fd00::2/64"]);
        let gateways = said.request.network.gateways();
        assert_eq!(gateways, ["10.0.0.1/24".parse::<IpNet>().unwrap()]);
        assert_eq!(said.request.default_routes.len(), 1);
    }

    #[test]
    fn only_the_first_address_is_a_gateway_that_was_left_open() {
        let said = said_of(&kept(None, |_| {}), |it| {
            it["network"]["subnets"][0]["gateway"] = json!("10.0.0.7");
        });
        assert_eq!(said.unsaid, ["the gateway 10.0.0.7 of 10.0.0.0/24"]);
    }

    #[test]
    fn the_first_address_is_behind_the_networks_own() {
        for (subnet, first) in [
            ("10.0.0.0/24", "10.0.0.1"),
            ("10.0.0.7/24", "10.0.0.1"),
            ("10.0.0.8/31", "10.0.0.9"),
            ("10.0.0.8/32", "10.0.0.8"),
            ("fd00::/64", "fd00::1"),
            ("fd00::8/128", "fd00::8"),
        ] {
            let address = first_address(subnet.parse().unwrap());
            assert_eq!(address.to_string(), first, "{subnet}");
        }
    }

    #[test]
    fn routes_options_and_name_servers_are_told_apart_one_by_one() {
        let said = said_of(&kept(None, |_| {}), |it| {
            let network = &mut it["network"];
            network["routes"] = json!([
                {"destination": "10.9.0.0/16", "gateway": "10.0.0.1"},
                {"destination": "10.8.0.0/16", "gateway": "10.0.0.1"}]);
            network["options"] = json!({"vrf": "red", "key_secret": "theirs", "mode": "b",
                "outbound_addr4": "192.0.2.9"});
            network["network_dns_servers"] = json!(["192.0.2.53", "198.51.100.66"]);
        });
        assert_eq!(
            said.unsaid,
            [
                "the VRF red",
                "the route 10.8.0.0/16 via 10.0.0.1",
                "the secret \"theirs\"",
                "the option \"mode\"",
                "the address \"192.0.2.9\"",
                "the name server 198.51.100.66"
            ]
        );
        assert!(said.request.secrets().is_empty() && said.request.outbound().is_empty());
        assert!(said.request.network.options.is_empty());
        assert_eq!(said.request.routes.len(), 1);
    }

    #[test]
    fn the_normal_form_of_a_users_value_is_the_users() {
        let kept = kept(None, |it| it["options"]["vlan"] = json!(" 7"));
        let said = said_of(&kept, |it| it["network"]["options"]["vlan"] = json!("7"));
        assert!(said.unsaid.is_empty());
        assert_eq!(said.request.vlans().len(), 1);
        let said = said_of(&kept, |it| it["network"]["options"]["vlan"] = json!("8"));
        assert_eq!(said.unsaid, ["the option \"vlan\""]);
    }

    #[test]
    fn an_address_has_a_normal_form() {
        let kept = kept(None, |it| {
            it["options"]["outbound_addr6"] = json!("2001:DB8:0::1");
        });
        let outbound = |value: &str| {
            let said = said_of(&kept, |it| {
                it["network"]["options"]["outbound_addr6"] = json!(value);
            });
            said.request.outbound().len()
        };
        assert_eq!(outbound("2001:db8::1"), outbound("2001:db8::2") + 1);
    }

    #[test]
    fn names_have_no_other_form() {
        for key in ["host_interface_name", "peer_secret", "vrf"] {
            let kept = kept(None, |it| it["options"][key] = json!("1"));
            for other in ["01", "true"] {
                let said = said_of(&kept, |it| it["network"]["options"][key] = json!(other));
                assert!(said.request.option(key).is_none(), "{key}={other}");
            }
            let said = said_of(&kept, |it| it["network"]["options"][key] = json!("1"));
            assert_eq!(said.request.option(key), Some("1"), "{key}");
        }
    }

    #[test]
    fn what_a_container_has_of_its_own_is_always_said() {
        let said = said_of(&kept(None, |_| {}), |it| {
            it["network_options"]["options"] = json!({"key_secret": "own"});
        });
        assert_eq!(said.request.secrets(), ["mine", "own"]);
    }

    #[test]
    fn without_anything_kept_all_but_secrets_is_said() {
        let said = request(|_| {}).said(None).unwrap();
        assert_eq!(said.unsaid, ["the secret \"mine\""]);
        assert!(said.request.secrets().is_empty());
        assert!(said.request.network.parent.is_some() && said.request.outbound().len() == 1);
    }
}
