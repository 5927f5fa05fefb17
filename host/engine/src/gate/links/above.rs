//! The links that lie on another link.
//!
//! The kernel changes them with their parent, and doesn't change them back. So a
//! foreign parent isn't changed if foreign links on it would lose something.

use kernel::{IPV6_MIN_MTU, KernelError, LinkChange, LinkId, LinkInfo, ParentUse, QueueHook};
use nix::errno::Errno;
use types::{Mac, Namespace};

use super::LinkHandle;
use crate::gate::Gate;
use crate::guard::Permitted;

/// A link that lies on another one.
pub(super) struct Above {
    /// The link.
    pub(super) link: LinkHandle,
    /// The link's properties.
    pub(super) info: LinkInfo,
}

impl Above {
    fn is_vlan(&self) -> bool {
        self.info.kind.as_deref() == Some("vlan")
    }

    /// Whether the link is of a kind whose links on one parent have one mode.
    pub(super) fn is_ipvlan(&self) -> bool {
        matches!(self.info.kind.as_deref(), Some("ipvlan" | "ipvtap"))
    }

    /// Returns the error for a new link of another mode. The kernel would give the mode
    /// to this link too, and not take it back.
    pub(super) fn mode_conflict(&self, parent: &LinkHandle) -> KernelError {
        let (other, parent) = (&self.link.name, &parent.name);
        let mode = match self.info.parent_use {
            Some(ParentUse::Ipvlan(mode, isolation)) => {
                format!("the mode {} {}", mode.name(), isolation.name())
            }
            _ => "another mode".to_owned(),
        };
        busy(format!(
            "{other} lies on {parent} too and has {mode}: all ipvlan links of a parent have one \
             mode, so use that one, or change that of {other} first"
        ))
    }

    /// Whether the link loses its own MTU for good if its parent's is changed from
    /// `before` to `mtu`. The kernel lowers a greater MTU, and gives ipvlan links the
    /// parent's.
    fn loses_mtu(&self, before: u32, mtu: u32) -> bool {
        let own = self.info.state.mtu;
        own > mtu || (self.is_ipvlan() && own != before)
    }
}

impl Gate {
    /// Returns the links that lie on a link, if they are on the host or in the
    /// container.
    pub(super) fn links_on(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
    ) -> Result<Vec<Above>, KernelError> {
        let kernel = self.rollback.guard.open(permit);
        let mut found = Vec::new();
        for namespace in [Namespace::Host, Namespace::Container] {
            let is_elsewhere = namespace != link.id.namespace;
            let links = match kernel.tied_links(namespace) {
                // In a teardown, the container may be gone.
                Err(KernelError::NoNamespace(_)) => continue,
                links => links?,
            };
            let above = links.into_iter().filter(|other| {
                other.tie.is_some_and(|tie| {
                    tie.index == link.id.index && tie.elsewhere == is_elsewhere && !tie.is_pair
                })
            });
            found.extend(above.map(|other| Above {
                link: LinkHandle {
                    id: LinkId {
                        namespace,
                        index: other.info.state.index,
                    },
                    name: other.info.state.name.clone(),
                },
                info: other.info,
            }));
        }
        Ok(found)
    }

    /// Returns the first foreign link on a link that loses something.
    fn other_on(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        loses: impl Fn(&Above) -> bool,
    ) -> Result<Option<Above>, KernelError> {
        let above = self.links_on(permit, link)?;
        let mut others = above.into_iter().filter(loses);
        Ok(others.find(|other| !self.owns(&other.link)))
    }

    /// Refuses to move a foreign link to the container if something would be lost that
    /// can't be put back.
    pub(super) fn check_move(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
    ) -> Result<(), KernelError> {
        if self.owns(link) {
            return Ok(());
        }
        let name = &link.name;
        if let Some(other) = self.other_on(permit, link, |_| true)? {
            let other = other.link.name;
            return Err(busy(format!(
                "{other} lies on it: it would go down with {name} and lose its routes; give the \
                 container a macvlan or a veth link instead, or take {other} away first"
            )));
        }
        let queues = self.rollback.guard.open(permit).queues(link.id)?;
        for (hook, place, remove) in [
            (QueueHook::Root, "at its root", "root"),
            (QueueHook::Ingress, "where it receives", "ingress"),
        ] {
            if queues.has(hook) && self.queue_entry(link, hook).is_none() {
                return Err(busy(format!(
                    "somebody has set a queueing discipline {place}, which the kernel drops when \
                     {name} moves: look at it with `tc qdisc show dev {name}`, and remove it first \
                     (`tc qdisc del dev {name} {remove}`)"
                )));
            }
        }
        Ok(())
    }

    /// Refuses a change of a link if a foreign link on it, or the link itself, would
    /// lose something that can't be put back.
    pub(super) fn check_change(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        change: &LinkChange,
    ) -> Result<(), KernelError> {
        match change {
            LinkChange::Mtu(mtu) if self.owns(link) => {
                self.check_ipv6_stays_off(permit, link, *mtu)
            }
            _ if self.owns(link) => Ok(()),
            LinkChange::Mtu(mtu) => self.check_mtu(permit, link, *mtu),
            LinkChange::Mac(_) => self.check_has_mac(permit, link),
            LinkChange::Up(false) => self.check_down(permit, link),
            _ => Ok(()),
        }
    }

    /// Refuses an MTU that gives a link of the host IPv6 back. The kernel would reset
    /// the link's IPv6 settings, such as `accept_ra`, to those of a new link. So would it
    /// with the bridge of a port that had IPv6 taken away.
    fn check_ipv6_stays_off(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        mtu: u32,
    ) -> Result<(), KernelError> {
        if link.id.namespace == Namespace::Container {
            return Ok(());
        }
        let state = self.rollback.guard.open(permit).link_by_id(link.id)?;
        let before = state.mtu;
        match (before < IPV6_MIN_MTU, mtu < IPV6_MIN_MTU) {
            (false, true) if state.master.is_some() => Err(busy(format!(
                "{} is a port: with an MTU below {IPV6_MIN_MTU}, its bridge would lose its IPv6 \
                 settings",
                link.name
            ))),
            (true, true) | (false, _) => Ok(()),
            (true, false) => Err(busy(format!(
                "{} has an MTU of {before}: with {IPV6_MIN_MTU} or more it would get IPv6 and the \
                 settings of a new link, so make it with that MTU",
                link.name
            ))),
        }
    }

    /// Refuses a MAC address for a link without one, as `lo`. The kernel wouldn't take
    /// the new one away again.
    fn check_has_mac(&mut self, permit: &Permitted, link: &LinkHandle) -> Result<(), KernelError> {
        let before = self.rollback.guard.open(permit).link_by_id(link.id)?.mac;
        match before.filter(|mac| *mac != Mac::NONE) {
            Some(_) => Ok(()),
            None => Err(busy(format!(
                "{} has no MAC address, and would keep the new one for good",
                link.name
            ))),
        }
    }

    /// Refuses to set a link down if foreign VLANs lie on it, because they would go
    /// down with it.
    fn check_down(&mut self, permit: &Permitted, link: &LinkHandle) -> Result<(), KernelError> {
        match self.other_on(permit, link, Above::is_vlan)? {
            None => Ok(()),
            Some(other) => Err(busy(format!(
                "{} lies on it: it would go down with {} and lose its routes",
                other.link.name, link.name
            ))),
        }
    }

    fn check_mtu(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        mtu: u32,
    ) -> Result<(), KernelError> {
        let name = &link.name;
        let before = self.rollback.guard.open(permit).link_by_id(link.id)?.mtu;
        if mtu < IPV6_MIN_MTU && before >= IPV6_MIN_MTU {
            return Err(busy(format!(
                "IPv6 needs an MTU of {IPV6_MIN_MTU}: with {mtu}, {name} would lose its IPv6 \
                 addresses, routes and settings"
            )));
        }
        let loses = |above: &Above| above.loses_mtu(before, mtu);
        match self.other_on(permit, link, loses)? {
            None => Ok(()),
            Some(other) => Err(busy(format!(
                "{} lies on it and has an MTU of {}, which the kernel would change to {mtu} and \
                 not back: give it that MTU first, or leave {name} its own",
                other.link.name, other.info.state.mtu
            ))),
        }
    }
}

/// Returns the error for a change that no grant can allow. So it isn't a denial.
fn busy(text: String) -> KernelError {
    let errno = Errno::EBUSY;
    KernelError::Refused { errno, text }
}
