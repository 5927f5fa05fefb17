//! Making links, by a netlink message or through the device file of taps.

use std::os::fd::AsRawFd;

use nix::errno::Errno;
use types::{LinkName, Namespace};

use super::Netlink;
use crate::kinds::Tap;
use crate::{
    KernelError, LinkChange, LinkId, LinkKind, LinkSetting, Links, LinksRead, NewLink, NewVeth,
    kinds, sysctl,
};

impl Netlink {
    /// Makes a link in its namespace under its name.
    ///
    /// Kernels before 6.15 look the new name up in the namespace of the socket
    /// too, and answer EEXIST if a link of the parent's namespace has it. Then
    /// the link is made under a temporary name and renamed where it is.
    pub(super) fn create(&mut self, link: &NewLink) -> Result<u32, KernelError> {
        let namespace = link.namespace;
        if let LinkKind::Tap(tap) = &link.kind {
            return self.create_tap(link, tap);
        }
        match self.add_link(link, &link.name) {
            Ok(()) => return self.index_of_new(namespace, &link.name),
            Err(error) if error.errno() == Some(Errno::EEXIST) => {}
            Err(error) => return Err(error),
        }
        match self.link_by_name(namespace, &link.name) {
            Ok(_) => return Err(Errno::EEXIST.into()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        let temporary = link.name.temporary();
        self.add_link(link, &temporary)?;
        let index = self.index_of_new(namespace, &temporary)?;
        let made = LinkId { namespace, index };
        self.change_link(made, &LinkChange::Name(link.name.clone()))
            .map_err(KernelError::unfinished)?;
        Ok(index)
    }

    /// Makes two veth links that are peers. Returns the container's index and
    /// the host's.
    pub(super) fn create_peers(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError> {
        let container = self.netns(Namespace::Container)?.file().as_raw_fd();
        let links = self.handle(Namespace::Host)?.link();
        self.wait(links.add(kinds::veth(veth, container)).execute())?;
        Ok((
            self.index_of_new(Namespace::Container, &veth.container.name)?,
            self.index_of_new(Namespace::Host, &veth.host.name)?,
        ))
    }

    /// Has a new link on the host ignore router advertisements. They would come
    /// from a container, and no container is the host's router. The setting
    /// doesn't exist on a kernel without IPv6, or if the link's MTU is too
    /// small for it.
    pub(super) fn ignore_advertisements(
        &self,
        made: LinkId,
        name: &LinkName,
    ) -> Result<(), KernelError> {
        if made.namespace == Namespace::Container {
            return Ok(());
        }
        let netns = self.netns(made.namespace)?;
        match sysctl::set_link_setting(netns, made.namespace, name, LinkSetting::AcceptRa, "0") {
            Err(error) if error.is_not_found() => Ok(()),
            result => result.map_err(KernelError::unfinished),
        }
    }

    /// Has a new bridge on the host keep an MTU without IPv6. A bridge follows the MTU of
    /// its ports until its own is changed (`br_change_mtu`), and would get IPv6 with the
    /// settings of a new link.
    pub(super) fn keep_small_mtu(
        &mut self,
        made: LinkId,
        link: &NewLink,
    ) -> Result<(), KernelError> {
        let Some(mtu) = link.small_mtu_of_bridge() else {
            return Ok(());
        };
        // The kernel takes the same MTU for no change.
        for mtu in [mtu.saturating_add(1), mtu] {
            self.change_link(made, &LinkChange::Mtu(mtu))
                .map_err(KernelError::unfinished)?;
        }
        Ok(())
    }

    fn add_link(&self, link: &NewLink, name: &LinkName) -> Result<(), KernelError> {
        let through = link.kind.birthplace().unwrap_or(link.namespace);
        let netns = match through == link.namespace {
            true => None,
            false => Some(self.netns(link.namespace)?.file().as_raw_fd()),
        };
        let message = kinds::message(link, name, netns).ok_or(Errno::EOPNOTSUPP)?;
        let links = self.handle(through)?.link();
        self.wait(links.add(message).execute())
    }

    /// Makes a tap through its device file. A tap that can't become what was asked
    /// for is deleted.
    fn create_tap(&mut self, link: &NewLink, tap: &Tap) -> Result<u32, KernelError> {
        kinds::make_tap(self.netns(link.namespace)?, &link.name, tap)?;
        let index = self.index_of_new(link.namespace, &link.name)?;
        let made = LinkId {
            namespace: link.namespace,
            index,
        };
        let mac = link.mac.map(LinkChange::Mac);
        let mtu = link.mtu.filter(|mtu| *mtu > 0).map(LinkChange::Mtu);
        let mut changes = [mac, mtu].into_iter().flatten();
        let Err(error) = changes.try_for_each(|change| self.change_link(made, &change)) else {
            return Ok(index);
        };
        match self.delete_link(made) {
            Ok(()) => Err(error),
            Err(_) => Err(error.unfinished()),
        }
    }
}
