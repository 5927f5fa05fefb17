//! When links have IPv4 and IPv6, and what these begin and end with.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;
use kernel::{IPV6_MIN_MTU, KernelError, NewAddress};
use nix::errno::Errno;
use types::{Namespace, SettingKey};

use super::link::{Address, IPV4_MIN_MTU, Link, Number};
use super::machine::{LOCALHOST, Machine};
use super::settings::DISABLE_IPV6;

impl Machine {
    /// The addresses that the loopback link gets whenever it's set up
    /// (`inetdev_event`, `init_loopback`).
    pub(super) fn address_loopback(&mut self, number: Number) {
        let is_loopback = self.links.get(&number).is_some_and(Link::is_loopback);
        let Ok(v4) = IpNet::new(LOCALHOST, 8) else {
            return;
        };
        if !is_loopback {
            return;
        }
        let is_large = |link: &Link| link.state.mtu >= IPV4_MIN_MTU;
        let own4 = match self.links.get(&number).is_some_and(is_large) {
            true => self.new_address4(number, own(v4), true),
            false => Ok(None),
        };
        if let Ok(Some(address)) = own4 {
            self.edit(number, |link| {
                link.addresses.push(address);
                link.has_own_settings = true;
            });
            if let Some(at) = self.links.get(&number).map(|link| link.at) {
                self.room(at.namespace).has_local_table = true;
            }
        }
        self.address_loopback6(number);
    }

    pub(super) fn address_loopback6(&mut self, number: Number) {
        let is_loopback = self.links.get(&number).is_some_and(Link::is_loopback);
        if !is_loopback {
            return;
        }
        // `addrconf_notify`: if it's too small for IPv6 it has no addresses.
        let is_too_small = self
            .links
            .get(&number)
            .is_some_and(|link| link.state.mtu < IPV6_MIN_MTU);
        if is_too_small {
            self.end_family(number, false);
            return;
        }
        let v6 = IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST));
        let has_it = self.links.get(&number).is_some_and(|link| {
            let mut own = link.addresses.iter();
            own.any(|own| own.new.address.addr() == v6.addr())
        });
        if !has_it && self.may_have_ipv6(number).unwrap_or(false) {
            // It gets no route to its network.
            let new = NewAddress {
                no_prefix_route: true,
                ..own(v6)
            };
            self.edit(number, |link| {
                link.addresses.push(Address {
                    new,
                    link_scope: false,
                    tentative: false,
                    dad_failed: false,
                    is_secondary: false,
                    is_host: true,
                    has_network: false,
                });
            });
        }
    }

    /// Whether a link's IPv6 addresses stay when it's set down
    /// (`addrconf_ifdown`).
    pub(super) fn keeps_addresses(&mut self, number: Number) -> bool {
        let Some(at) = self.links.get(&number).map(|link| link.at) else {
            return false;
        };
        let key = "net.ipv6.conf.all.keep_addr_on_down".parse::<SettingKey>();
        let all = key
            .ok()
            .and_then(|key| self.setting(at.namespace, &key).ok());
        let own = self.read_of_link(number, "ipv6/keep_addr_on_down").ok();
        // What isn't above zero leaves it to the link.
        let is_on = |value: Option<String>| {
            let number = value.and_then(|value| value.parse::<i32>().ok());
            number.unwrap_or_default()
        };
        match is_on(all) {
            0 => is_on(own) > 0,
            all => all > 0,
        }
    }

    /// Begins or ends what a link has by its size, after it was another
    /// (`inetdev_event`, `addrconf_notify`): with a family its addresses go, and
    /// its settings are new ones should it grow again.
    pub(super) fn fit_families(&mut self, number: Number, before: u32) {
        let Some(link) = self.links.get(&number) else {
            return;
        };
        let (now, is_loopback) = (link.state.mtu, link.is_loopback());
        for (is_v4, least) in [(true, IPV4_MIN_MTU), (false, IPV6_MIN_MTU)] {
            let family = if is_v4 { "ipv4/" } else { "ipv6/" };
            let keeps_settings = is_loopback && !is_v4;
            if now < least {
                self.end_family(number, is_v4);
            } else if before < least && !keeps_settings {
                let is_new = !is_v4 || self.links.get(&number).is_some_and(|it| !it.has_ipv4);
                self.edit(number, |link| link.has_ipv4 |= is_v4);
                if is_new {
                    self.begin_settings(number, &[family]);
                }
            }
        }
    }

    fn end_family(&mut self, number: Number, is_v4: bool) {
        let Some(link) = self.links.get(&number) else {
            return;
        };
        let (at, keeps_settings) = (link.at, link.is_loopback() && !is_v4);
        self.edit(number, |link| {
            link.addresses
                .retain(|own| own.new.address.addr().is_ipv4() != is_v4);
            if !keeps_settings {
                let family = if is_v4 { "ipv4/" } else { "ipv6/" };
                link.settings.retain(|key, _| !key.starts_with(family));
                link.set_settings.retain(|key| !key.starts_with(family));
                link.has_own_settings &= !is_v4;
                link.has_ipv4 &= !is_v4;
            }
        });
        match is_v4 {
            true => self.forget_routes4(at, true),
            false => self.forget_routes6(at, !keeps_settings),
        }
        self.forget_neighbours(number, |it| it.address.is_ipv4() == is_v4);
        self.forget_lost_sources(at.namespace);
    }

    /// Ends IPv6 on a link, or lets it begin again (`dev_disable_change`).
    pub(super) fn turn_ipv6(&mut self, number: Number, was_off: bool, is_off: bool) {
        let Some(link) = self.links.get(&number) else {
            return;
        };
        let (at, is_up) = (link.at, link.state.up);
        if was_off == is_off {
            return;
        }
        if is_off {
            self.edit(number, |link| {
                link.addresses
                    .retain(|own| own.new.address.addr().is_ipv4());
            });
            self.forget_routes6(at, false);
            self.forget_neighbours(number, |it| it.address.is_ipv6());
            self.forget_lost_sources(at.namespace);
        } else if is_up {
            self.address_loopback6(number);
        }
    }

    /// Gives a new link the settings that new links begin with by now.
    pub(super) fn begin_settings(&mut self, number: Number, families: &[&str]) {
        let Some(at) = self.links.get(&number).map(|link| link.at) else {
            return;
        };
        let settings = self.room_ref(at.namespace).settings.iter();
        let begun = settings.filter_map(|(path, value)| {
            let (family, rest) = path.strip_prefix("/proc/sys/net/")?.split_once('/')?;
            let key = rest.strip_prefix("conf/default/")?;
            Some((format!("{family}/{key}"), value.clone()))
        });
        let set = self.room_ref(at.namespace).set_defaults.clone();
        let begun = begun.filter(|(key, _)| families.iter().any(|it| key.starts_with(it)));
        let begun: Vec<(String, String)> = begun.collect();
        self.edit(number, |link| {
            link.settings.extend(begun);
            // `inetdev_init` copies that, too.
            if families.contains(&"ipv4/") {
                link.set_settings.extend(set);
            }
        });
    }

    /// Notes that a setting of new links was written. `devinet_conf_proc` does so
    /// whether or not it takes the value.
    pub(super) fn mark_default(&mut self, namespace: Namespace, path: &str) {
        let key = path.strip_prefix("/proc/sys/net/ipv4/conf/default/");
        if let Some(key) = key.filter(|key| *key != "forwarding") {
            self.room(namespace)
                .set_defaults
                .insert(format!("ipv4/{key}"));
        }
    }

    /// Does what the kernel does with a setting of all links, or of new ones
    /// (`devinet_sysctl_forward`, `devinet_copy_dflt_conf`,
    /// `addrconf_fixup_forwarding`, `addrconf_disable_ipv6`).
    pub(super) fn spread_setting(
        &mut self,
        namespace: Namespace,
        path: &str,
        value: &str,
    ) -> Result<(), KernelError> {
        let below = path.strip_prefix("/proc/sys/net/").unwrap_or_default();
        match below {
            "ipv4/ip_forward" | "ipv4/conf/all/forwarding" => {
                for key in ["net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"] {
                    self.keep(namespace, key, value)?;
                }
                self.keep(namespace, "net.ipv4.conf.default.forwarding", value)?;
                self.set_on_all(namespace, "ipv4/forwarding", value)
            }
            "ipv6/conf/all/forwarding" => {
                self.keep(namespace, "net.ipv6.conf.default.forwarding", value)?;
                self.set_on_all(namespace, "ipv6/forwarding", value)
            }
            "ipv6/conf/all/disable_ipv6" => {
                self.keep(namespace, "net.ipv6.conf.default.disable_ipv6", value)?;
                self.set_on_all(namespace, DISABLE_IPV6, value)
            }
            below => match below.strip_prefix("ipv4/conf/default/") {
                Some("forwarding") | None => Ok(()),
                Some(key) => self.set_on_new(namespace, &format!("ipv4/{key}"), value),
            },
        }
    }

    fn keep(&mut self, namespace: Namespace, key: &str, value: &str) -> Result<(), KernelError> {
        let key = key.parse().map_err(|_| Errno::ENOENT)?;
        self.keep_setting(namespace, &key, value)
    }

    fn set_on_all(
        &mut self,
        namespace: Namespace,
        key: &str,
        value: &str,
    ) -> Result<(), KernelError> {
        for number in self.numbers_of(namespace) {
            let was_changed = self.links.get(&number).is_some_and(|link| link.is_changed);
            match self.write_of_link(number, key, value) {
                // It's too small for the family.
                Err(error) if error.is_not_found() => {}
                result => result?,
            }
            if let Some(link) = self.links.get_mut(&number) {
                link.is_changed = was_changed;
            }
        }
        Ok(())
    }

    /// Sets what nobody has set on a link by itself.
    fn set_on_new(
        &mut self,
        namespace: Namespace,
        key: &str,
        value: &str,
    ) -> Result<(), KernelError> {
        for number in self.numbers_of(namespace) {
            let follows = self.links.get(&number).is_some_and(|link| {
                !link.has_own_settings && !link.set_settings.contains(key) && link.has_ipv4()
            });
            if follows {
                self.write_of_link(number, key, value)?;
                self.edit(number, |link| {
                    link.set_settings.remove(key);
                });
            }
        }
        Ok(())
    }

    fn numbers_of(&self, namespace: Namespace) -> Vec<Number> {
        let links = self.links.iter();
        let own = links.filter(|(_, link)| link.at.namespace == namespace);
        own.map(|(number, _)| *number).collect()
    }
}

/// An address of the kernel's own.
fn own(address: IpNet) -> NewAddress {
    NewAddress {
        address,
        no_dad: true,
        no_prefix_route: false,
    }
}
