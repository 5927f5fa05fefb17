//! What lies on a link. The kernel changes it with that one, and doesn't change
//! it back, so a link that others lie on is left alone where they would lose
//! something.

use kernel::{IPV6_MIN_MTU, KernelError, LinkChange, LinkId, LinkInfo, ParentUse, QueueHook};
use nix::errno::Errno;
use types::Namespace;

use super::LinkHandle;
use crate::gate::Gate;
use crate::guard::Permitted;

/// A link that lies on another one.
pub(super) struct Above {
    /// The link.
    pub(super) link: LinkHandle,
    /// What it is.
    pub(super) info: LinkInfo,
}

impl Above {
    fn is_vlan(&self) -> bool {
        self.info.kind.as_deref() == Some("vlan")
    }

    /// Whether it's of a kind whose links are all alike on one parent.
    pub(super) fn is_ipvlan(&self) -> bool {
        matches!(self.info.kind.as_deref(), Some("ipvlan" | "ipvtap"))
    }

    /// The error for another mode that it would get too, and keep.
    pub(super) fn keeps_its_mode(&self, parent: &LinkHandle) -> KernelError {
        let (other, parent) = (&self.link.name, &parent.name);
        let mode = match self.info.parent_use {
            Some(ParentUse::Ipvlan(mode, isolation)) => {
                format!("the mode {} {}", mode.name(), isolation.name())
            }
            _ => "another mode".to_owned(),
        };
        busy(format!(
            "{other} lies on {parent} too and has {mode}: all ipvlan links of a parent have one, \
             so use that one, or change that of {other} first"
        ))
    }

    /// Whether it loses its own MTU for good when the link below it gets another
    /// one for a while. ipvlan links get the same.
    fn loses_mtu(&self, before: u32, mtu: u32) -> bool {
        let own = self.info.state.mtu;
        own > mtu || (self.is_ipvlan() && own != before)
    }
}

impl Gate {
    /// The links that lie on this one, as far as they are on the host or in the
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
                // A teardown's container may be gone.
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

    /// The first of them that isn't the driver's and loses something.
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

    /// A link of somebody else's may go to the container and come back if nothing
    /// is lost on the way that nobody can give back.
    pub(super) fn may_go_away(
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

    /// A change of a link of somebody else's takes nothing from what lies on it,
    /// and nothing from the link that can't be put back.
    pub(super) fn may_change(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        change: &LinkChange,
    ) -> Result<(), KernelError> {
        match change {
            LinkChange::Mtu(mtu) if self.owns(link) => self.may_get_ipv6(permit, link, *mtu),
            _ if self.owns(link) => Ok(()),
            LinkChange::Mtu(mtu) => self.may_have_mtu(permit, link, *mtu),
            LinkChange::Up(false) => self.may_go_down(permit, link),
            _ => Ok(()),
        }
    }

    /// A link of the host's that gets IPv6 back gets settings with it that nobody
    /// has seen: `accept_ra` as new links have it.
    fn may_get_ipv6(
        &mut self,
        permit: &Permitted,
        link: &LinkHandle,
        mtu: u32,
    ) -> Result<(), KernelError> {
        if link.id.namespace == Namespace::Container || mtu < IPV6_MIN_MTU {
            return Ok(());
        }
        let before = self.rollback.guard.open(permit).link_by_id(link.id)?.mtu;
        match before < IPV6_MIN_MTU {
            false => Ok(()),
            true => Err(busy(format!(
                "{} has an MTU of {before}, and gets IPv6 with {IPV6_MIN_MTU} or more, and the \
                 settings of a new link: make it with the MTU that it is to have",
                link.name
            ))),
        }
    }

    /// VLANs go down with what they lie on.
    fn may_go_down(&mut self, permit: &Permitted, link: &LinkHandle) -> Result<(), KernelError> {
        match self.other_on(permit, link, Above::is_vlan)? {
            None => Ok(()),
            Some(other) => Err(busy(format!(
                "{} lies on it: it would go down with {} and lose its routes",
                other.link.name, link.name
            ))),
        }
    }

    fn may_have_mtu(
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

/// No grant allows it, so the error isn't a denial.
fn busy(text: String) -> KernelError {
    let errno = Errno::EBUSY;
    KernelError::Refused { errno, text }
}
