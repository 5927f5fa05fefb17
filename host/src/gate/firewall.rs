//! The interface `firewall`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Gate;
use super::perform::{CallError, Plan, invalid};
use crate::driver::wit::firewall::Host;
use crate::grant::{Call, Object, Permit};
use crate::journal::Change;
use crate::kernel::{FirewallEntry, FirewallOwner, FirewallRule, KernelError, Translation};
use crate::net::Namespace;

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
        let address: IpAddr = address
            .parse()
            .map_err(|_| invalid(call, &format!("{address:?} is no IP address")))?;
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
        let owner = FirewallOwner {
            driver: self.authority.grant.driver(),
            network: &self.authority.request.network,
            container: None,
        };
        Wanted {
            entry: FirewallEntry::new(owner, rule),
            shared: true,
        }
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

fn network(call: Call, text: &str) -> Result<IpNet, CallError> {
    let network: IpNet = text
        .parse()
        .map_err(|_| invalid(call, &format!("{text:?} is no network: ADDRESS/LENGTH")))?;
    Ok(network.trunc())
}
