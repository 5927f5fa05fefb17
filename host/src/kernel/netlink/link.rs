//! Links over rtnetlink.

use std::os::fd::AsRawFd;

use netlink_packet_route::link::{InfoMacVlan, LinkAttribute, LinkFlags, LinkMessage, MacVlanMode};
use nix::errno::Errno;
use rtnetlink::{LinkGetRequest, LinkMacVlan, LinkMessageBuilder, LinkUnspec};

use super::Netlink;
use crate::kernel::{Kernel, KernelError, LinkId, LinkState, Macvlan, MacvlanMode};
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

    /// Makes a macvlan link in its namespace under its name.
    ///
    /// Kernels before 6.15 look the new name up in the namespace of the socket
    /// too, and answer EEXIST when the host has it. Then the link is made
    /// under a temporary name and renamed where it is.
    pub(super) fn make_macvlan(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
        parent: LinkId,
        options: &Macvlan,
    ) -> Result<u32, KernelError> {
        match self.add_macvlan(namespace, name, parent, options) {
            Ok(()) => return self.index_of_new(namespace, name),
            Err(error) if error.errno() == Some(Errno::EEXIST) => {}
            Err(error) => return Err(error),
        }
        match self.link_by_name(namespace, name) {
            Ok(_) => return Err(Errno::EEXIST.into()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        let temporary = name.temporary();
        self.add_macvlan(namespace, &temporary, parent, options)?;
        let index = self.index_of_new(namespace, &temporary)?;
        let link = LinkId { namespace, index };
        self.change_link(link, change(index).name(name.as_str()))
            .map_err(KernelError::unfinished)?;
        Ok(index)
    }

    fn add_macvlan(
        &self,
        namespace: Namespace,
        name: &LinkName,
        parent: LinkId,
        options: &Macvlan,
    ) -> Result<(), KernelError> {
        let mut link = LinkMacVlan::new(name.as_str(), parent.index, mode(options.mode));
        if let Some(mac) = options.mac {
            link = link.address(mac.bytes().to_vec());
        }
        if let Some(mtu) = options.mtu.filter(|mtu| *mtu > 0) {
            link = link.mtu(mtu);
        }
        if let Some(limit) = options.broadcast_limit {
            link = link.append_info_data(InfoMacVlan::BcCutoff(limit));
        }
        if let Some(length) = options.broadcast_queue_length {
            link = link.append_info_data(InfoMacVlan::BcQueueLen(length));
        }
        if parent.namespace != namespace {
            link = link.setns_by_fd(self.room(namespace)?.netns.file().as_raw_fd());
        }
        let links = self.room(parent.namespace)?.handle.link();
        self.wait(links.add(link.build()).execute())
    }
}

fn mode(mode: MacvlanMode) -> MacVlanMode {
    match mode {
        MacvlanMode::Private => MacVlanMode::Private,
        MacvlanMode::Vepa => MacVlanMode::Vepa,
        MacvlanMode::Bridge => MacVlanMode::Bridge,
        MacvlanMode::Passthru => MacVlanMode::Passthrough,
        MacvlanMode::Source => MacVlanMode::Source,
    }
}

/// A link as the kernel describes it.
fn state(message: &LinkMessage) -> Result<LinkState, KernelError> {
    let mut name = None;
    let mut mac = None;
    let mut mtu = 0;
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = text.parse::<LinkName>().ok(),
            LinkAttribute::Address(bytes) => mac = Mac::try_from(bytes.as_slice()).ok(),
            LinkAttribute::Mtu(bytes) => mtu = *bytes,
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
        up: message.header.flags.contains(LinkFlags::Up),
    })
}
