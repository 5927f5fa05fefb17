//! Links over rtnetlink.

use std::os::fd::AsRawFd;

use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use nix::errno::Errno;
use rtnetlink::{LinkGetRequest, LinkMessageBuilder, LinkUnspec};

use super::{Netlink, kinds};
use crate::kernel::{Kernel, KernelError, LinkId, LinkState, NewLink, NewVeth};
use crate::net::{LinkName, Mac, Namespace};

/// A change of the link with this index.
pub(super) fn change(index: u32) -> LinkMessageBuilder<LinkUnspec> {
    LinkUnspec::new_with_index(index)
}

impl Netlink {
    /// The one link that a question is about.
    #[cfg_attr(feature = "fault-injection", track_caller)]
    pub(super) fn one_link(&self, question: LinkGetRequest) -> Result<LinkState, KernelError> {
        let answers = self.collect(question.execute())?;
        let link = answers.first().ok_or(Errno::ENODEV)?;
        state(link)
    }

    /// Applies a change to a link.
    pub(super) fn change_link(
        &self,
        link: LinkId,
        change: LinkMessageBuilder<LinkUnspec>,
    ) -> Result<(), KernelError> {
        let links = self.room(link.namespace)?.handle.link();
        self.wait(links.change(change.build()).execute())
    }

    /// The index of a link that was made or moved just now.
    pub(super) fn index_of_new(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<u32, KernelError> {
        match self.link_by_name(namespace, name) {
            Ok(state) => Ok(state.index),
            Err(error) => Err(error.unfinished()),
        }
    }

    /// Makes a link in its namespace under its name.
    ///
    /// Kernels before 6.15 look the new name up in the namespace of the socket
    /// too, and answer EEXIST when the parent's has it. Then the link is made
    /// under a temporary name and renamed where it is.
    pub(super) fn make_link(&mut self, link: &NewLink) -> Result<u32, KernelError> {
        let namespace = link.namespace;
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
        self.change_link(made, change(index).name(link.name.as_str()))
            .map_err(KernelError::unfinished)?;
        Ok(index)
    }

    /// A link with a parent is made through the parent's namespace.
    fn add_link(&self, link: &NewLink, name: &LinkName) -> Result<(), KernelError> {
        let parent = link.kind.parent();
        let through = parent.map_or(link.namespace, |parent| parent.namespace);
        let netns = match through == link.namespace {
            true => None,
            false => Some(self.room(link.namespace)?.netns.file().as_raw_fd()),
        };
        let links = self.room(through)?.handle.link();
        let message = kinds::message(link, name, netns);
        self.wait(links.add(message).execute())
    }

    /// Makes both ends of a pair of veth links; returns the container's index
    /// and the host's.
    pub(super) fn make_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError> {
        let container = self.room(Namespace::Container)?.netns.file().as_raw_fd();
        let links = self.room(Namespace::Host)?.handle.link();
        self.wait(links.add(kinds::veth(veth, container)).execute())?;
        Ok((
            self.index_of_new(Namespace::Container, &veth.container.name)?,
            self.index_of_new(Namespace::Host, &veth.host.name)?,
        ))
    }
}

/// A link as the kernel describes it.
fn state(message: &LinkMessage) -> Result<LinkState, KernelError> {
    let mut name = None;
    let mut mac = None;
    let mut mtu = 0;
    let mut master = None;
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = text.parse::<LinkName>().ok(),
            LinkAttribute::Address(bytes) => mac = Mac::try_from(bytes.as_slice()).ok(),
            LinkAttribute::Mtu(bytes) => mtu = *bytes,
            LinkAttribute::Controller(index) => master = Some(*index),
            _ => {}
        }
    }
    let index = message.header.index;
    Ok(LinkState {
        name: name.ok_or_else(|| {
            KernelError::Netlink(format!("link {index} has a name that isn't plain"))
        })?,
        index,
        mac,
        mtu,
        master,
        up: message.header.flags.contains(LinkFlags::Up),
    })
}
