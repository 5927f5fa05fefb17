//! The interface `firewall`.

use std::net::IpAddr;

use ipnet::IpNet;
use wasmtime::component::Resource;

use super::perform::{CallError, Plan, invalid};
use super::{Gate, LinkHandle};
use crate::driver::wit::firewall::{
    Direction, Host, Isolation as WitIsolation, Traffic as WitTraffic,
};
use crate::driver::wit::types::{Port as WitPort, Protocol as WitProtocol};
use crate::grant::{Call, Object, Permit};
use crate::journal::Change;
use crate::kernel::{
    FirewallEntry, FirewallOwner, FirewallRule, Isolation, KernelError, Policy, Ports, Publication,
    Traffic, Translation,
};
use crate::net::{Namespace, Port, PortRange, Protocol};

impl Host for Gate {
    fn masquerade(&mut self, source: String, except: Vec<String>) -> Result<(), CallError> {
        let call = Call::FirewallMasquerade;
        let translation = translation(call, &source, &except, None)?;
        let objects = [Object::Source(translation.source)];
        let rule = FirewallRule::Translate(translation);
        self.add_to_firewall(call, &objects, vec![self.shared_entry(rule)])
    }

    fn source_address(
        &mut self,
        source: String,
        except: Vec<String>,
        address: String,
    ) -> Result<(), CallError> {
        let call = Call::FirewallSourceAddress;
        let address = self::address(call, &address)?;
        let translation = translation(call, &source, &except, Some(address))?;
        if IpNet::from(address).max_prefix_len() != translation.source.max_prefix_len() {
            let text = format!("{source} and {address} are of two families");
            return Err(invalid(call, &text));
        }
        let objects = [
            Object::Source(translation.source),
            Object::Outbound(address),
        ];
        let rule = FirewallRule::Translate(translation);
        self.add_to_firewall(call, &objects, vec![self.shared_entry(rule)])
    }

    fn publish(
        &mut self,
        link: Resource<LinkHandle>,
        ports: Vec<WitPort>,
        address: String,
    ) -> Result<(), CallError> {
        let call = Call::FirewallPublish;
        let link = self.host_link(call, &link)?;
        let address = self::address(call, &address)?;
        let ports = ports_for(call, ports, address)?;
        let mut objects = vec![
            self.object(&link),
            Object::Address {
                namespace: Namespace::Container,
                address: address.into(),
                own: false,
            },
        ];
        objects.extend(ports.iter().map(Object::Ports));
        let wanted = match ports.is_empty() {
            true => Vec::new(),
            false => {
                let behind = FirewallRule::PublishBehind {
                    link: link.name.clone(),
                };
                let publication = Publication {
                    ports: ports.clone(),
                    address,
                };
                vec![
                    self.shared_entry(behind),
                    self.own_entry(FirewallRule::Publish(publication)),
                ]
            }
        };
        self.add_to_firewall(call, &objects, wanted)
    }

    fn isolate(
        &mut self,
        link: Resource<LinkHandle>,
        isolation: WitIsolation,
    ) -> Result<(), CallError> {
        let call = Call::FirewallIsolate;
        let link = self.host_link(call, &link)?;
        let rule = FirewallRule::Isolate {
            link: link.name.clone(),
            isolation: isolation.into(),
        };
        let objects = [self.object(&link)];
        self.add_to_firewall(call, &objects, vec![self.shared_entry(rule)])
    }

    fn accept(&mut self, traffic: WitTraffic) -> Result<(), CallError> {
        self.filter(Call::FirewallAccept, traffic, Policy::Accept)
    }

    fn drop(&mut self, traffic: WitTraffic) -> Result<(), CallError> {
        self.filter(Call::FirewallDrop, traffic, Policy::Drop)
    }
}

/// Checks what a call says of connections.
fn traffic(call: Call, traffic: WitTraffic) -> Result<Traffic, CallError> {
    let address = address(call, &traffic.address)?;
    let peer = traffic.peer.map(|peer| network(call, &peer)).transpose()?;
    if let Some(peer) = peer
        && peer.addr().is_ipv4() != address.is_ipv4()
    {
        let text = format!("{address} and {peer} are of two families");
        return Err(invalid(call, &text));
    }
    let mut ranges = traffic.ports.iter().map(|range| (range.first, range.last));
    if let Some((first, last)) = ranges.clone().find(|(first, last)| last < first) {
        let text = format!("{first}-{last} are no ports: the last is below the first");
        return Err(invalid(call, &text));
    }
    let ports = match traffic.protocol {
        Some(protocol) => Some(Ports {
            protocol: protocol.into(),
            ranges: ranges.collect(),
        }),
        None if ranges.next().is_some() => {
            return Err(invalid(call, &"ports need a protocol: tcp, udp or sctp"));
        }
        None => None,
    };
    Ok(Traffic {
        incoming: traffic.direction == Direction::Incoming,
        address,
        peer,
        ports,
    })
}

impl From<WitIsolation> for Isolation {
    fn from(isolation: WitIsolation) -> Self {
        match isolation {
            WitIsolation::Never => Self::Never,
            WitIsolation::Normal => Self::Normal,
            WitIsolation::Strict => Self::Strict,
        }
    }
}

/// The ports for an address of one family: those for host addresses of the other
/// are passed over, as netavark does.
fn ports_for(
    call: Call,
    ports: Vec<WitPort>,
    address: IpAddr,
) -> Result<Vec<PortRange>, CallError> {
    let ports = ports.into_iter().map(|port| {
        let host_address = port.host_address.map(|text| self::address(call, &text));
        Ok(Port {
            host_address: host_address.transpose()?,
            host_port: port.host_port,
            container_port: port.container_port,
            protocol: port.protocol.into(),
        })
    });
    let mut ports = ports.collect::<Result<Vec<Port>, CallError>>()?;
    ports.retain(|port| {
        let at = port.host_address;
        at.is_none_or(|at| at.is_ipv4() == address.is_ipv4())
    });
    Ok(PortRange::fold(&ports))
}

impl From<WitProtocol> for Protocol {
    fn from(protocol: WitProtocol) -> Self {
        match protocol {
            WitProtocol::Tcp => Self::Tcp,
            WitProtocol::Udp => Self::Udp,
            WitProtocol::Sctp => Self::Sctp,
        }
    }
}

/// An entry, and whether it's for all containers of the network.
struct Wanted {
    entry: FirewallEntry,
    shared: bool,
}

impl Wanted {
    fn change(&self) -> Change {
        Change::AddFirewall {
            entry: self.entry.clone(),
        }
    }
}

impl Gate {
    /// The entry for a rule of the whole network.
    fn shared_entry(&self, rule: FirewallRule) -> Wanted {
        Wanted {
            entry: FirewallEntry::new(self.firewall_owner(None), rule),
            shared: true,
        }
    }

    /// The entry for a rule of this container.
    fn own_entry(&self, rule: FirewallRule) -> Wanted {
        let container = Some(self.authority.request.container.as_str());
        Wanted {
            entry: FirewallEntry::new(self.firewall_owner(container), rule),
            shared: false,
        }
    }

    fn firewall_owner<'a>(&'a self, container: Option<&'a str>) -> FirewallOwner<'a> {
        FirewallOwner {
            driver: self.authority.grant.driver(),
            network: &self.authority.request.network,
            container,
        }
    }

    fn filter(&mut self, call: Call, traffic: WitTraffic, policy: Policy) -> Result<(), CallError> {
        let traffic = self::traffic(call, traffic)?;
        let objects = [Object::Address {
            namespace: Namespace::Container,
            address: traffic.address.into(),
            own: false,
        }];
        let rule = FirewallRule::Filter { traffic, policy };
        self.add_to_firewall(call, &objects, vec![self.own_entry(rule)])
    }

    /// A link of the host, which is all that its firewall knows.
    fn host_link(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
    ) -> Result<LinkHandle, CallError> {
        let link = self.link(link)?;
        if link.id.namespace == Namespace::Host {
            return Ok(link);
        }
        let text = format!("{} isn't in the host's namespace", link.name);
        Err(invalid(call, &text))
    }

    /// Adds entries, all or none. Of those that are shared, what other
    /// containers have made already is only noted.
    fn add_to_firewall(
        &mut self,
        call: Call,
        objects: &[Object<'_>],
        mut wanted: Vec<Wanted>,
    ) -> Result<(), CallError> {
        let permit = self.decide(call, objects)?;
        wanted.retain(|wanted| !(wanted.shared && self.has_noted(wanted)));
        let result = match self.missing(&permit, &wanted) {
            Err(error) => Err(error),
            Ok(missing) => {
                let plans = wanted.iter().map(|wanted| match wanted.shared {
                    true => Plan::shared(wanted.change()),
                    false => Plan::of([wanted.change()]),
                });
                let plan = plans.fold(Plan::nothing(), Plan::and);
                self.perform(
                    &permit,
                    |_| Ok(plan),
                    |kernel| kernel.add_firewall(&missing),
                )?
            }
        };
        self.settle(call, objects, result)
    }

    /// Whether this container's journal has an entry already.
    fn has_noted(&self, wanted: &Wanted) -> bool {
        let change = wanted.change();
        self.journal.as_ref().is_some_and(|journal| {
            let mut entries = journal.entries_of(Namespace::Host);
            entries.any(|entry| entry.shared && entry.change == change)
        })
    }

    /// The entries that aren't there yet.
    fn missing(
        &mut self,
        permit: &Permit,
        wanted: &[Wanted],
    ) -> Result<Vec<FirewallEntry>, KernelError> {
        let kernel = self.guard.open(permit);
        let mut missing = Vec::new();
        for Wanted { entry, shared } in wanted {
            if !shared || !kernel.has_firewall(entry)? {
                missing.push(entry.clone());
            }
        }
        Ok(missing)
    }
}

fn translation(
    call: Call,
    source: &str,
    except: &[String],
    address: Option<IpAddr>,
) -> Result<Translation, CallError> {
    let except = except.iter().map(|network| self::network(call, network));
    Ok(Translation {
        source: network(call, source)?,
        except: except.collect::<Result<_, _>>()?,
        address,
    })
}

fn address(call: Call, text: &str) -> Result<IpAddr, CallError> {
    text.parse()
        .map_err(|_| invalid(call, &format!("{text:?} is no IP address")))
}

fn network(call: Call, text: &str) -> Result<IpNet, CallError> {
    let network: IpNet = text
        .parse()
        .map_err(|_| invalid(call, &format!("{text:?} is no network: ADDRESS/LENGTH")))?;
    Ok(network.trunc())
}
