//! The steps of a hostile guest. Each is one call with its arguments.

use std::fmt::Write as _;

use ::types::LinkName;
use policy::Call;
use wasmtime::component::Resource;

use super::oracle::Event;
use super::pools::{Draw, Held};
use super::words::{INTERFACE, Words};
use crate::driver::wit::addresses::{self, AddressOptions};
use crate::driver::wit::bridge_ports::{self, VlanRange};
use crate::driver::wit::firewall::{self, Direction, Isolation, LinkTraffic, PortRange, Traffic};
use crate::driver::wit::links::{
    self, BridgeOptions, IpvlanIsolation, IpvlanMode, IpvlanOptions, MacvlanMode, MacvlanOptions,
    PlainOptions, TapOptions, VethOptions, VfLinkState, VfVlan, VlanOptions, VlanProtocol,
    VxlanOptions,
};
use crate::driver::wit::log::{self, Level};
use crate::driver::wit::neighbours;
use crate::driver::wit::routes::{self, NextHop, RouteOptions, RouteScope};
use crate::driver::wit::rules::{self, Rule, RuleMark};
use crate::driver::wit::sysctl::{self, ReversePath, RouterAdvertisements};
use crate::driver::wit::traffic::{self, HtbClass, HtbFlow, Shape, TbfOptions};
use crate::driver::wit::types::Namespace;
use crate::driver::wit::wireguard::{self, Endpoint, Peer};
use crate::driver::wit::{announce, dhcp, dns, offloads, state};
use crate::gate::{CallError, Gate, LinkHandle};

/// A WireGuard public key.
const KEY: &str = "YAnz5TF+lXXJte14tji3zlMNftqCFsxyBk7sJ5Yj7HQ=";

/// The calls that make masters.
const MASTERS: [Call; 2] = [Call::LinksCreateBridge, Call::LinksCreateVrf];
/// The calls that make ports for them.
const PORTS: [Call; 1] = [Call::LinksCreateVeth];

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The step's number. Handles refer to it.
    pub(super) number: u32,
    pub(super) call: Call,
    /// The seed of the arguments.
    pub(super) seed: u64,
}

/// The result of a step.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The step needs a handle and there is none.
    Skipped,
    Done,
    Failed(CallError),
}

/// A guest with its gate.
pub(super) struct Guest<'a> {
    pub(super) gate: &'a mut Gate,
    pub(super) words: &'a Words,
    held: Vec<Held>,
    /// The effects that aren't in the machine's state.
    pub(super) events: Vec<Event>,
    /// The arguments of the step in words, if they are wanted.
    said: Option<String>,
    /// The texts of the input that the steps are from.
    texts: Option<&'a [String]>,
}

/// Writes arguments down, if they are wanted.
macro_rules! say {
    ($guest:expr, $($text:tt)+) => {
        if let Some(said) = &mut $guest.said {
            let _ = write!(said, $($text)+);
        }
    };
}

/// The handles in the result of a call.
trait Handles {
    fn reps(&self) -> Vec<u32>;
}

impl Handles for Resource<LinkHandle> {
    fn reps(&self) -> Vec<u32> {
        vec![self.rep()]
    }
}

impl Handles for links::VethPair {
    fn reps(&self) -> Vec<u32> {
        vec![self.container.rep(), self.host.rep()]
    }
}

fn held<T: Handles>(result: Result<T, CallError>) -> Result<Vec<u32>, CallError> {
    result.map(|made| made.reps())
}

fn port_ranges(draw: &mut Draw<'_>) -> Vec<PortRange> {
    match draw.seldom() {
        true => vec![PortRange {
            first: draw.one(&[0, 22, 8080]),
            last: draw.one(&[22, 65535]),
        }],
        false => Vec::new(),
    }
}

fn plain<T>(result: Result<T, CallError>) -> Result<Vec<u32>, CallError> {
    result.map(|_| Vec::new())
}

impl<'a> Guest<'a> {
    pub(super) fn new(gate: &'a mut Gate, words: &'a Words, in_words: bool) -> Self {
        Self {
            gate,
            words,
            held: Vec::new(),
            events: Vec::new(),
            said: in_words.then(String::new),
            texts: None,
        }
    }

    /// Draws arguments from an input, if there is one.
    pub(super) fn with_texts(self, texts: Option<&'a [String]>) -> Self {
        Self { texts, ..self }
    }

    pub(super) fn has_handles(&self) -> bool {
        !self.held.is_empty()
    }

    /// Returns the arguments of the last step, in words.
    pub(super) fn take_words(&mut self) -> String {
        self.said.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn take(&mut self, step: Step) -> Outcome {
        let before = std::mem::take(&mut self.held);
        let mut draw = Draw::new(step.seed, self.words, &before);
        if let Some(texts) = self.texts {
            draw = draw.of_input(step.seed, texts);
        }
        let result = self.call(step.call, &mut draw);
        self.held = before;
        match result {
            None => Outcome::Skipped,
            Some(Err(error)) => Outcome::Failed(error),
            Some(Ok(reps)) => {
                let held = (0..).zip(reps);
                let held = held.map(|(part, rep)| Held {
                    step: step.number,
                    part,
                    call: step.call,
                    rep,
                });
                self.held.extend(held);
                Outcome::Done
            }
        }
    }

    fn note_event(&mut self, result: &Result<(), CallError>, event: Event) {
        if result.is_ok() {
            self.events.push(event);
        }
    }

    fn link(&mut self, draw: &mut Draw<'_>) -> Option<Resource<LinkHandle>> {
        self.link_got_by(draw, &[])
    }

    /// Draws a handle. Most are handles that these calls got.
    fn link_got_by(&mut self, draw: &mut Draw<'_>, calls: &[Call]) -> Option<Resource<LinkHandle>> {
        let (link, step) = draw.link_got_by(calls)?;
        say!(self, "what {step} got; ");
        Some(link)
    }

    /// Makes the call. Returns the handles in its result, or `None` if the call needs a
    /// handle and there is none.
    fn call(&mut self, call: Call, draw: &mut Draw<'_>) -> Option<Result<Vec<u32>, CallError>> {
        let name = call.name();
        Some(match name.split_once('.').unwrap_or_default().0 {
            "links" => return self.call_links(call, draw),
            "addresses" if call == Call::AddressesAllocateSubnet => {
                let version = draw.version();
                plain(addresses::Host::allocate_subnet(
                    self.gate,
                    version,
                    draw.on(),
                ))
            }
            "bridge-ports" => return self.call_ports(call, draw),
            "addresses" | "neighbours" | "announce" => return self.call_addresses(call, draw),
            "routes" => self.call_routes(call, draw),
            "rules" => self.call_rules(call, draw),
            "sysctl" => return self.call_sysctl(call, draw),
            "traffic" | "offloads" => return self.call_traffic(call, draw),
            "wireguard" => return self.call_wireguard(call, draw),
            "firewall" => return self.call_firewall(call, draw),
            "dns" => return self.call_dns(draw),
            "dhcp" => return self.call_dhcp(draw),
            _ => return self.call_others(call, draw),
        })
    }

    fn call_links(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        use links::Host;
        let result = match call {
            Call::LinksGet => {
                let namespace = draw.namespace();
                let name = draw.name_in(namespace);
                say!(self, "{namespace:?} {name}");
                held(Host::get(self.gate, namespace, name))
            }
            Call::LinksGetDefault => held(Host::get_default(self.gate)),
            Call::LinksDefaultMtu => {
                let vrf = match draw.on() {
                    true => Some(self.link_got_by(draw, &MASTERS)?),
                    false => None,
                };
                plain(Host::default_mtu(self.gate, vrf))
            }
            Call::LinksGetByIndex => {
                let (namespace, index) = (draw.namespace(), draw.below(24));
                say!(self, "{namespace:?} {index}");
                held(Host::get_by_index(self.gate, namespace, index))
            }
            Call::LinksGetByMac => {
                let mac = draw.mac();
                say!(self, "{mac}");
                held(Host::get_by_mac(self.gate, mac))
            }
            Call::LinksGetByPci => {
                let number = draw.below(10);
                let address = draw.or_text(format!("0000:00:0{number}.0"));
                say!(self, "{address}");
                held(Host::get_by_pci(self.gate, address))
            }
            Call::LinksGetByPath => {
                let number = draw.below(10);
                let path = format!("/sys/devices/pci0000:00/0000:00:0{number}.0");
                let path = draw.or_text(path);
                say!(self, "{path}");
                held(Host::get_by_path(self.gate, path))
            }
            Call::LinksNames => plain(Host::names(self.gate, draw.namespace())),
            Call::LinksInfo => {
                let link = self.link(draw)?;
                plain(Host::info(self.gate, link))
            }
            Call::LinksPorts => {
                let link = self.link(draw)?;
                plain(Host::ports(self.gate, link))
            }
            Call::LinksWaitCarrier => {
                let link = self.link(draw)?;
                plain(Host::wait_carrier(self.gate, link, 0))
            }
            Call::LinksUseVf => {
                let (card, number) = (self.link(draw)?, draw.below(3));
                say!(self, "{number}");
                held(Host::use_vf(self.gate, card, number))
            }
            Call::LinksCreateMacvlan | Call::LinksCreateMacvtap => {
                let (place, name) = (draw.place(), draw.new_name());
                let parent = self.link(draw)?;
                let options = MacvlanOptions {
                    mode: draw.one(&[
                        MacvlanMode::Bridge,
                        MacvlanMode::Bridge,
                        MacvlanMode::Passthru,
                        MacvlanMode::Private,
                        MacvlanMode::Vepa,
                        MacvlanMode::Source,
                    ]),
                    mac: draw.mac_maybe(),
                    mtu: draw.mtu_maybe(),
                    broadcast_limit: draw.seldom().then_some(-1),
                    broadcast_queue_length: draw.seldom().then_some(u32::MAX),
                };
                say!(self, "{place:?} {name:?} {options:?}");
                held(match call {
                    Call::LinksCreateMacvlan => {
                        Host::create_macvlan(self.gate, place, name, parent, options)
                    }
                    _ => Host::create_macvtap(self.gate, place, name, parent, options),
                })
            }
            Call::LinksCreateIpvlan => {
                let (place, name) = (draw.place(), draw.new_name());
                let parent = self.link(draw)?;
                let options = IpvlanOptions {
                    mode: draw.one(&[IpvlanMode::L2, IpvlanMode::L3, IpvlanMode::L3s]),
                    isolation: draw.one(&[
                        IpvlanIsolation::Bridge,
                        IpvlanIsolation::Private,
                        IpvlanIsolation::Vepa,
                    ]),
                    mtu: draw.mtu_maybe(),
                };
                say!(self, "{place:?} {name:?} {options:?}");
                held(Host::create_ipvlan(self.gate, place, name, parent, options))
            }
            Call::LinksCreateVlan => {
                let (place, name) = (draw.place(), draw.new_name());
                let parent = self.link(draw)?;
                let options = VlanOptions {
                    id: draw.vlan(),
                    protocol: draw.one(&[VlanProtocol::Dot1q, VlanProtocol::Dot1ad]),
                    mac: draw.mac_maybe(),
                    mtu: draw.mtu_maybe(),
                };
                say!(self, "{place:?} {name:?} {options:?}");
                held(Host::create_vlan(self.gate, place, name, parent, options))
            }
            Call::LinksCreateVxlan => {
                let (place, name) = (draw.place(), draw.new_name());
                let parent = match draw.on() {
                    true => Some(self.link(draw)?),
                    false => None,
                };
                let options = VxlanOptions {
                    id: draw.one(&[0, 42, 43, 0x00ff_ffff, u32::MAX]),
                    remote: draw.ip_maybe(),
                    local: draw.ip_maybe(),
                    port: draw.seldom().then_some(4789),
                    learning: draw.on(),
                    ttl: draw.seldom().then_some(0),
                    mac: draw.mac_maybe(),
                    mtu: draw.mtu_maybe(),
                };
                say!(self, "{place:?} {name:?} {options:?}");
                held(Host::create_vxlan(self.gate, place, name, parent, options))
            }
            Call::LinksCreateBridge => {
                let (place, name) = (draw.place(), draw.new_name());
                let options = BridgeOptions {
                    mac: draw.mac_maybe(),
                    mtu: draw.mtu_maybe(),
                    vlan_filtering: draw.on(),
                };
                say!(self, "{place:?} {name:?} {options:?}");
                held(Host::create_bridge(self.gate, place, name, options))
            }
            Call::LinksUseBridge => {
                let filters = draw.on();
                say!(self, "{filters}");
                Host::use_bridge(self.gate, filters)
                    .map(|used| used.iter().map(Resource::rep).collect())
            }
            Call::LinksCreateVeth => {
                let options = VethOptions {
                    name: draw.new_name(),
                    host_name: draw.new_name(),
                    mac: draw.mac_maybe(),
                    host_mac: draw.mac_maybe(),
                    mtu: draw.mtu_maybe(),
                };
                say!(self, "{options:?}");
                held(Host::create_veth(self.gate, options))
            }
            Call::LinksCreateVrf => {
                let (place, name, table) = (draw.place(), draw.new_name(), draw.table());
                say!(self, "{place:?} {name:?} {table}");
                held(Host::create_vrf(self.gate, place, name, table))
            }
            Call::LinksCreateDummy | Call::LinksCreateIfb => {
                let (place, name) = (draw.place(), draw.new_name());
                let options = PlainOptions {
                    mac: draw.mac_maybe(),
                    mtu: draw.mtu_maybe(),
                };
                say!(self, "{place:?} {name:?} {options:?}");
                held(match call {
                    Call::LinksCreateDummy => Host::create_dummy(self.gate, place, name, options),
                    _ => Host::create_ifb(self.gate, place, name, options),
                })
            }
            Call::LinksCreateTap => {
                let (place, name) = (draw.place(), draw.new_name());
                let options = TapOptions {
                    owner: draw.seldom().then_some(1000),
                    group: draw.seldom().then_some(u32::MAX),
                    multi_queue: draw.on(),
                    mac: draw.mac_maybe(),
                    mtu: draw.mtu_maybe(),
                };
                say!(self, "{place:?} {name:?} {options:?}");
                held(Host::create_tap(self.gate, place, name, options))
            }
            Call::LinksCreateWireguard => {
                let (place, name, mtu) = (draw.place(), draw.new_name(), draw.mtu_maybe());
                say!(self, "{place:?} {name:?} {mtu:?}");
                held(Host::create_wireguard(self.gate, place, name, mtu))
            }
            _ => return self.change_link(call, draw),
        };
        Some(result)
    }

    fn change_link(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        use links::Host;
        let link = match call {
            Call::LinksSetMaster => self.link_got_by(draw, &PORTS)?,
            _ => self.link(draw)?,
        };
        Some(plain(match call {
            Call::LinksDelete => Host::delete(self.gate, link),
            Call::LinksMoveToContainer => {
                let name = match draw.often() {
                    true => INTERFACE.to_owned(),
                    false => draw.new_name().unwrap_or_default(),
                };
                say!(self, "{name}");
                Host::move_to_container(self.gate, link, name)
            }
            Call::LinksRename => {
                let name = draw.new_name().unwrap_or_else(|| "x0".to_owned());
                say!(self, "{name}");
                Host::rename(self.gate, link, name)
            }
            Call::LinksSetMac => {
                let mac = draw.mac();
                say!(self, "{mac}");
                Host::set_mac(self.gate, link, mac)
            }
            Call::LinksSetMtu => {
                let mtu = draw.mtu();
                say!(self, "{mtu}");
                Host::set_mtu(self.gate, link, mtu)
            }
            Call::LinksSetUp => Host::set_up(self.gate, link),
            Call::LinksSetDown => Host::set_down(self.gate, link),
            Call::LinksSetTxQueueLength => Host::set_tx_queue_length(self.gate, link, draw.mtu()),
            Call::LinksSetPromiscuous => Host::set_promiscuous(self.gate, link, draw.often()),
            Call::LinksSetAllMulticast => Host::set_all_multicast(self.gate, link, draw.often()),
            Call::LinksSetAlias => Host::set_alias(self.gate, link, "alias".to_owned()),
            Call::LinksSetMaster => {
                let master = match draw.often() {
                    true => Some(self.link_got_by(draw, &MASTERS)?),
                    false => None,
                };
                Host::set_master(self.gate, link, master)
            }
            Call::LinksVfs => return Some(plain(Host::vfs(self.gate, link))),
            Call::LinksSetVfMac => {
                Host::set_vf_mac(self.gate, link, draw.below(3), draw.mac_maybe())
            }
            Call::LinksSetVfVlan => {
                let vlan = draw.often().then(|| VfVlan {
                    id: draw.vlan(),
                    qos: draw.one(&[0, 7, 8]),
                    protocol: VlanProtocol::Dot1q,
                });
                say!(self, "{vlan:?}");
                Host::set_vf_vlan(self.gate, link, draw.below(3), vlan)
            }
            Call::LinksSetVfSpoofCheck => {
                Host::set_vf_spoof_check(self.gate, link, draw.below(3), draw.on())
            }
            Call::LinksSetVfTrust => Host::set_vf_trust(self.gate, link, draw.below(3), draw.on()),
            Call::LinksSetVfLinkState => {
                let state = draw.one(&[VfLinkState::Enable, VfLinkState::Disable]);
                Host::set_vf_link_state(self.gate, link, draw.below(3), state)
            }
            Call::LinksSetVfRate => {
                Host::set_vf_rate(self.gate, link, draw.below(3), 10, draw.mtu())
            }
            _ => return None,
        }))
    }

    fn call_ports(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        use bridge_ports::Host;
        let link = self.link_got_by(draw, &PORTS)?;
        let numbers = [0, 1, 2, 7, 100, 4094, 4095];
        Some(plain(match call {
            Call::BridgePortsSetHairpin => Host::set_hairpin(self.gate, link, draw.often()),
            Call::BridgePortsSetIsolated => Host::set_isolated(self.gate, link, draw.often()),
            Call::BridgePortsSetLearning => Host::set_learning(self.gate, link, draw.on()),
            Call::BridgePortsVlans => return Some(plain(Host::vlans(self.gate, link))),
            Call::BridgePortsAddVlans => {
                let range = VlanRange {
                    first: draw.one(&numbers),
                    last: draw.one(&numbers),
                    pvid: draw.on(),
                    untagged: draw.on(),
                };
                say!(self, "{range:?}");
                Host::add_vlans(self.gate, link, range)
            }
            Call::BridgePortsRemoveVlans => {
                let (first, last) = (draw.one(&numbers), draw.one(&numbers));
                say!(self, "{first} {last}");
                Host::remove_vlans(self.gate, link, first, last)
            }
            _ => return None,
        }))
    }

    fn call_addresses(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        let link = self.link(draw)?;
        let address = draw.address();
        let ip = address
            .split_once('/')
            .map_or(&*address, |(ip, _)| ip)
            .to_owned();
        let gate = &mut *self.gate;
        Some(plain(match call {
            Call::AddressesAdd => {
                let options = draw.on().then(|| AddressOptions {
                    no_dad: draw.on(),
                    no_prefix_route: draw.on(),
                });
                say!(self, "{address} {options:?}");
                addresses::Host::add(gate, link, address, options)
            }
            Call::AddressesRemove => {
                say!(self, "{address}");
                addresses::Host::remove(gate, link, address)
            }
            Call::AddressesList => return Some(plain(addresses::Host::list(gate, link))),
            Call::AddressesWaitDad => addresses::Host::wait_dad(gate, link, 0),
            Call::NeighboursAdd => {
                let mac = draw.mac();
                say!(self, "{ip} {mac}");
                neighbours::Host::add(gate, link, ip, mac)
            }
            Call::NeighboursRemove => {
                say!(self, "{ip}");
                neighbours::Host::remove(gate, link, ip)
            }
            Call::NeighboursAddProxy => {
                say!(self, "{ip}");
                neighbours::Host::add_proxy(gate, link, ip)
            }
            Call::NeighboursRemoveProxy => {
                say!(self, "{ip}");
                neighbours::Host::remove_proxy(gate, link, ip)
            }
            Call::NeighboursList => return Some(plain(neighbours::Host::list(gate, link))),
            Call::AnnounceGratuitousArp | Call::AnnounceNeighbourAdvertisement => {
                say!(self, "{ip}");
                let result = match call {
                    Call::AnnounceGratuitousArp => {
                        announce::Host::gratuitous_arp(gate, link, ip.clone())
                    }
                    _ => announce::Host::neighbour_advertisement(gate, link, ip.clone()),
                };
                self.note_event(&result, Event::Announced(ip));
                result
            }
            _ => return None,
        }))
    }

    fn call_routes(&mut self, call: Call, draw: &mut Draw<'_>) -> Result<Vec<u32>, CallError> {
        let namespace = draw.namespace();
        let route = draw.route();
        let options = draw.often().then(|| RouteOptions {
            table: draw.table_maybe(),
            scope: draw
                .seldom()
                .then(|| draw.one(&[RouteScope::Global, RouteScope::Link, RouteScope::Host])),
            source: draw.ip_maybe(),
            link: draw.often().then(|| self.link_name(namespace, draw)),
            on_link: draw.on(),
            next_hops: match draw.seldom() {
                true => (0..2)
                    .map(|_| NextHop {
                        gateway: draw.on().then(|| draw.gateway()),
                        link: draw.often().then(|| self.link_name(namespace, draw)),
                        weight: draw.one(&[0, 1, 256, 257]),
                        on_link: draw.on(),
                    })
                    .collect(),
                false => Vec::new(),
            },
        });
        say!(self, "{namespace:?} {route:?} {options:?}");
        let gate = &mut *self.gate;
        plain(match call {
            Call::RoutesAdd => routes::Host::add(gate, namespace, route, options),
            Call::RoutesReplace => routes::Host::replace(gate, namespace, route, options),
            Call::RoutesRemove => routes::Host::remove(gate, namespace, route, options),
            _ => return plain(routes::Host::list(gate, namespace, Some(draw.table()))),
        })
    }

    /// Draws the name of a link that the guest has a handle to, or of one that may
    /// exist.
    fn link_name(&self, namespace: Namespace, draw: &mut Draw<'_>) -> String {
        let own = draw.often().then(|| draw.link()).flatten();
        let own = own.and_then(|(link, _)| self.gate.links.get(&link).ok().cloned());
        match own {
            Some(link) => link.name.to_string(),
            None => draw.name_in(namespace),
        }
    }

    fn call_rules(&mut self, call: Call, draw: &mut Draw<'_>) -> Result<Vec<u32>, CallError> {
        let namespace = draw.namespace();
        let rule = Rule {
            version: draw.seldom().then(|| draw.version()),
            source: draw.network_maybe(),
            destination: draw.seldom().then(|| draw.network()),
            incoming_link: draw.seldom().then(|| self.link_name(namespace, draw)),
            outgoing_link: draw.seldom().then(|| self.link_name(namespace, draw)),
            mark: draw.seldom().then(|| RuleMark {
                value: draw.one(&[0, 1, u32::MAX]),
                mask: draw.one(&[0, 1, u32::MAX]),
            }),
            priority: draw.one(&[0, 1, 1000, 32766, u32::MAX]),
            table: draw.table(),
        };
        say!(self, "{namespace:?} {rule:?}");
        let gate = &mut *self.gate;
        plain(match call {
            Call::RulesAdd => rules::Host::add(gate, namespace, rule),
            Call::RulesRemove => rules::Host::remove(gate, namespace, rule),
            _ => return plain(rules::Host::list(gate, namespace)),
        })
    }

    fn call_sysctl(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        use sysctl::Host;
        match call {
            Call::SysctlEnableIpForward => {
                let (namespace, version) = (draw.namespace(), draw.version());
                say!(self, "{namespace:?} {version:?}");
                return Some(plain(Host::enable_ip_forward(
                    self.gate, namespace, version,
                )));
            }
            Call::SysctlSet => {
                let namespace = draw.namespace();
                let key = match draw.seldom() {
                    true => draw.key(namespace),
                    false => self.key_of(namespace, draw),
                };
                let value = draw.value();
                say!(self, "{namespace:?} {key} {value}");
                return Some(plain(Host::set(self.gate, namespace, key, value)));
            }
            _ => {}
        }
        let link = self.link(draw)?;
        let on = draw.often();
        let gate = &mut *self.gate;
        say!(self, "{on}");
        Some(plain(match call {
            Call::SysctlSetAutoconf => Host::set_autoconf(gate, link, on),
            Call::SysctlSetArpNotify => Host::set_arp_notify(gate, link, on),
            Call::SysctlSetNdiscNotify => Host::set_ndisc_notify(gate, link, on),
            Call::SysctlSetRpFilter => {
                let mode = draw.one(&[ReversePath::Off, ReversePath::Strict, ReversePath::Loose]);
                Host::set_rp_filter(gate, link, mode)
            }
            Call::SysctlSetRouteLocalnet => Host::set_route_localnet(gate, link, on),
            Call::SysctlSetForwarding => Host::set_forwarding(gate, link, draw.version(), on),
            Call::SysctlSetAcceptRa => {
                let accept = draw.one(&[RouterAdvertisements::None, RouterAdvertisements::All]);
                Host::set_accept_ra(gate, link, accept)
            }
            Call::SysctlSetAcceptDad => Host::set_accept_dad(gate, link, !on),
            Call::SysctlSetDisableIpv6 => Host::set_disable_ipv6(gate, link, on),
            Call::SysctlSetArpIgnore => Host::set_arp_ignore(gate, link, on),
            Call::SysctlSetKeepAddrOnDown => Host::set_keep_addr_on_down(gate, link, on),
            Call::SysctlSetProxyArp => Host::set_proxy_arp(gate, link, on),
            Call::SysctlSetProxyNdp => Host::set_proxy_ndp(gate, link, on),
            _ => return None,
        }))
    }

    /// Draws a setting, often of a link that the guest has a handle to.
    fn key_of(&self, namespace: Namespace, draw: &mut Draw<'_>) -> String {
        let key = draw.key(namespace);
        let name = self.link_name(namespace, draw).replace('.', "/");
        let parts: Vec<&str> = key.split('.').collect();
        match parts.as_slice() {
            ["net", family, "conf", _, rest] => format!("net.{family}.conf.{name}.{rest}"),
            _ => key,
        }
    }

    fn call_traffic(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        use traffic::Host;
        let link = self.link(draw)?;
        let shape = Shape {
            // Most are possible, so that some classes get through.
            rate: draw.one(&[0, 8, 1_000_000, 2_000_000, 1_000_000, u64::MAX]),
            burst: draw.one(&[0, 1, 10_000, 20_000, 10_000, u32::MAX]),
        };
        Some(plain(match call {
            Call::TrafficSetTbf => {
                let options = TbfOptions {
                    shape,
                    latency: draw.one(&[0, 50, u32::MAX]),
                };
                say!(self, "{options:?}");
                Host::set_tbf(self.gate, link, options)
            }
            Call::TrafficSetHtb => Host::set_htb(self.gate, link, shape),
            Call::TrafficAddHtbClass => {
                let class = HtbClass {
                    assured: shape,
                    ceiling: draw.seldom().then_some(shape),
                    source: draw.network_maybe(),
                    destination: draw.network_maybe(),
                };
                say!(self, "{class:?}");
                Host::add_htb_class(self.gate, link, class)
            }
            Call::TrafficAddHtbFilter => {
                let (source, destination) = (draw.network_maybe(), draw.network_maybe());
                let flow = draw.one(&[HtbFlow::Direct, HtbFlow::Rest]);
                say!(self, "{source:?} {destination:?} {flow:?}");
                Host::add_htb_filter(self.gate, link, source, destination, flow)
            }
            Call::TrafficRedirectIngress => {
                let to = self.link(draw)?;
                Host::redirect_ingress(self.gate, link, to)
            }
            Call::TrafficClear => Host::clear(self.gate, link),
            Call::OffloadsSet => {
                let feature = draw.one(&["rx-gro", "tx-checksum-ip-generic", "nonsense"]);
                let feature = draw.or_text(feature.to_owned());
                say!(self, "{feature}");
                offloads::Host::set(self.gate, link, feature, draw.on())
            }
            Call::OffloadsList => return Some(plain(offloads::Host::list(self.gate, link))),
            _ => return None,
        }))
    }

    fn call_wireguard(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        use wireguard::Host;
        let link = self.link(draw)?;
        let key = draw.one(&[KEY, KEY, "nonsense"]).to_owned();
        Some(plain(match call {
            Call::WireguardSetPrivateKey => {
                let secret = draw.secret();
                say!(self, "{secret}");
                let result = Host::set_private_key(self.gate, link, secret.clone());
                self.note_event(&result, Event::Secret(secret));
                result
            }
            Call::WireguardSetListenPort => {
                Host::set_listen_port(self.gate, link, draw.one(&[0, 53, 51820]))
            }
            Call::WireguardSetPeer => {
                let peer = Peer {
                    public_key: key,
                    preshared_key: draw.seldom().then(|| draw.secret()),
                    endpoint: draw.on().then(|| Endpoint {
                        address: draw.ip(),
                        port: 51820,
                    }),
                    allowed_ips: draw.networks(),
                    keepalive: draw.seldom().then_some(u16::MAX),
                };
                say!(self, "{peer:?}");
                let secret = peer.preshared_key.clone();
                let result = Host::set_peer(self.gate, link, peer);
                if let Some(secret) = secret {
                    self.note_event(&result, Event::Secret(secret));
                }
                result
            }
            Call::WireguardRemovePeer => Host::remove_peer(self.gate, link, key),
            _ => return Some(plain(Host::info(self.gate, link))),
        }))
    }

    fn call_firewall(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        use firewall::Host;
        Some(plain(match call {
            Call::FirewallMasquerade => {
                let (source, except) = (draw.network(), draw.networks());
                say!(self, "{source} {except:?}");
                Host::masquerade(self.gate, source, except)
            }
            Call::FirewallTrust => {
                let source = draw.network();
                say!(self, "{source}");
                let result = Host::trust(self.gate, source.clone());
                if let Ok(source) = source.parse() {
                    self.note_event(&result, Event::Trusted(source));
                }
                result
            }
            Call::FirewallSourceAddress => {
                let (source, except, address) = (draw.network(), draw.networks(), draw.ip());
                say!(self, "{source} {except:?} {address}");
                Host::source_address(self.gate, source, except, address)
            }
            Call::FirewallPublish => {
                let link = self.link(draw)?;
                let count = draw.one(&[0, 1, 1, 2]);
                let ports: Vec<_> = (0..count).map(|_| draw.port()).collect();
                let address = draw.ip();
                say!(self, "{ports:?} {address}");
                Host::publish(self.gate, link, ports, address)
            }
            Call::FirewallIsolate => {
                let link = self.link(draw)?;
                let isolation = draw.one(&[Isolation::Never, Isolation::Normal, Isolation::Strict]);
                Host::isolate(self.gate, link, isolation)
            }
            Call::FirewallInternal => {
                let link = self.link(draw)?;
                Host::internal(self.gate, link, draw.on())
            }
            Call::FirewallSpoofCheck => {
                let link = self.link(draw)?;
                let mac = draw.mac();
                say!(self, "{mac}");
                Host::spoof_check(self.gate, link, mac)
            }
            Call::FirewallAcceptInContainer | Call::FirewallDropInContainer => {
                let link = self.link(draw)?;
                let traffic = LinkTraffic {
                    direction: draw.one(&[Direction::Incoming, Direction::Outgoing]),
                    peer: draw.network_maybe(),
                    protocol: draw.on().then(|| draw.protocol()),
                    ports: port_ranges(draw),
                };
                say!(self, "{traffic:?}");
                match call {
                    Call::FirewallAcceptInContainer => {
                        Host::accept_in_container(self.gate, link, traffic)
                    }
                    _ => Host::drop_in_container(self.gate, link, traffic),
                }
            }
            _ => {
                let traffic = Traffic {
                    direction: draw.one(&[Direction::Incoming, Direction::Outgoing]),
                    address: draw.ip(),
                    peer: draw.network_maybe(),
                    protocol: draw.on().then(|| draw.protocol()),
                    ports: port_ranges(draw),
                };
                say!(self, "{traffic:?}");
                match call {
                    Call::FirewallAccept => Host::accept(self.gate, traffic),
                    _ => Host::drop(self.gate, traffic),
                }
            }
        }))
    }

    fn call_dns(&mut self, draw: &mut Draw<'_>) -> Option<Result<Vec<u32>, CallError>> {
        let link = self.link(draw)?;
        let name = self.name_of(&link);
        let result = dns::Host::register(self.gate, link);
        let served = self.gate.name_servers().to_vec();
        self.note_event(&result, Event::Served(name, served));
        Some(plain(result))
    }

    fn call_dhcp(&mut self, draw: &mut Draw<'_>) -> Option<Result<Vec<u32>, CallError>> {
        let (link, parent) = (self.link(draw)?, self.link(draw)?);
        let name = self.name_of(&parent);
        let result = dhcp::Host::lease(self.gate, link, parent).map(drop);
        self.note_event(&result, Event::Leased(name));
        Some(plain(result))
    }

    /// Returns the present name of a handle's link.
    fn name_of(&mut self, link: &Resource<LinkHandle>) -> LinkName {
        let link = self.gate.links.get(link).unwrap().clone();
        let kernel = self.gate.rollback.guard.for_host();
        let state = kernel.link_by_id(link.id);
        state.map_or(link.name, |state| state.name)
    }

    fn call_others(
        &mut self,
        call: Call,
        draw: &mut Draw<'_>,
    ) -> Option<Result<Vec<u32>, CallError>> {
        let key = draw.one(&["a", "b", "../c", ""]).to_owned();
        let key = draw.or_text(key);
        say!(self, "{key}");
        Some(match call {
            Call::StateGet => plain(state::Host::get(self.gate, key)),
            Call::StateSet => plain(state::Host::set(self.gate, key, vec![1, 2, 3])),
            Call::StateRemove => plain(state::Host::remove(self.gate, key)),
            Call::StateKeys => plain(state::Host::keys(self.gate)),
            Call::LogWrite => plain(log::Host::write(self.gate, Level::Debug, "m".to_owned())),
            _ => return None,
        })
    }
}
