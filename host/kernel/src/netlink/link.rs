//! Links over rtnetlink.

use std::os::fd::AsRawFd;

use netlink_packet_route::link::{
    InfoBridge, InfoData, LinkAttribute, LinkFlags, LinkInfo as LinkInfoAttribute, LinkMessage,
};
use nix::errno::Errno;
use rtnetlink::{LinkGetRequest, LinkMessageBuilder, LinkUnspec};
use types::{LinkName, Mac, Namespace};

use super::{Netlink, kinds};
use crate::{
    Kernel, KernelError, LinkChange, LinkId, LinkInfo, LinkKind, LinkSetting, LinkState, NewLink,
    NewVeth, Reader, Tap, sysctl, tap,
};

/// The message for a change of the link with this index.
pub(super) fn message(index: u32, change: &LinkChange) -> LinkMessageBuilder<LinkUnspec> {
    let message = LinkUnspec::new_with_index(index);
    match change {
        LinkChange::Name(name) => message.name(name.as_str()),
        LinkChange::Mac(mac) => message.address(mac.bytes().to_vec()),
        LinkChange::Mtu(mtu) => message.mtu(*mtu),
        LinkChange::Master(master) => message.controller(master.unwrap_or(0)),
        LinkChange::Up(true) => message.up(),
        LinkChange::Up(false) => message.down(),
        LinkChange::TxQueueLength(packets) => message.txqueuelen(*packets),
        LinkChange::Promiscuous(on) => message.promiscuous(*on),
        LinkChange::AllMulticast(on) => message.allmulticast(*on),
        LinkChange::Alias(alias) => message.alias(alias.as_deref().unwrap_or_default()),
    }
}

impl Netlink {
    /// The one link that a question is about.
    #[track_caller]
    pub(super) fn one_link(&self, question: LinkGetRequest) -> Result<LinkMessage, KernelError> {
        let answers = self.collect(question.execute())?;
        Ok(answers.into_iter().next().ok_or(Errno::ENODEV)?)
    }

    /// Applies a change to a link.
    pub(super) fn send_change(
        &self,
        link: LinkId,
        change: LinkMessageBuilder<LinkUnspec>,
    ) -> Result<(), KernelError> {
        let links = self.room(link.namespace)?.handle.link();
        self.wait(links.change(change.build()).execute())
    }

    /// Moves a link to a namespace under a name, and with an index if any.
    pub(super) fn send_move(
        &self,
        link: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<(), KernelError> {
        let target = self.room(to)?.netns.file().as_raw_fd();
        let mut change = message(link.index, &LinkChange::Name(name.clone())).setns_by_fd(target);
        // The kernel has the index as a number with a sign.
        if let Some(index) = index.and_then(|index| i32::try_from(index).ok()) {
            change = change.append_extra_attribute(LinkAttribute::NewIfIndex(index));
        }
        self.send_change(link, change)
    }

    /// Whether some link has an index.
    pub(super) fn has_index(
        &mut self,
        namespace: Namespace,
        index: Option<u32>,
    ) -> Result<bool, KernelError> {
        let Some(index) = index else {
            return Ok(false);
        };
        match self.link_by_id(LinkId { namespace, index }) {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
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
        if let LinkKind::Tap(tap) = &link.kind {
            return self.make_tap(link, tap);
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

    /// Has a new link of the host's take no router advertisements: what is at its
    /// other end is a container, and no container is the host's router. A kernel
    /// without IPv6, and a link too small for it, take none.
    pub(super) fn ignore_advertisements(
        &self,
        made: LinkId,
        name: &LinkName,
    ) -> Result<(), KernelError> {
        if made.namespace == Namespace::Container {
            return Ok(());
        }
        let netns = &self.room(made.namespace)?.netns;
        match sysctl::set_link_setting(netns, name, LinkSetting::AcceptRa, "0") {
            Err(error) if error.is_not_found() => Ok(()),
            result => result.map_err(KernelError::unfinished),
        }
    }

    fn add_link(&self, link: &NewLink, name: &LinkName) -> Result<(), KernelError> {
        let through = link.kind.birthplace().unwrap_or(link.namespace);
        let netns = match through == link.namespace {
            true => None,
            false => Some(self.room(link.namespace)?.netns.file().as_raw_fd()),
        };
        let message = kinds::message(link, name, netns).ok_or(Errno::EOPNOTSUPP)?;
        let links = self.room(through)?.handle.link();
        self.wait(links.add(message).execute())
    }

    /// Taps are made through their device file.
    fn make_tap(&mut self, link: &NewLink, tap: &Tap) -> Result<u32, KernelError> {
        tap::make(&self.room(link.namespace)?.netns, &link.name, tap)?;
        let index = self.index_of_new(link.namespace, &link.name)?;
        let made = LinkId {
            namespace: link.namespace,
            index,
        };
        let mac = link.mac.map(LinkChange::Mac);
        let mtu = link.mtu.filter(|mtu| *mtu > 0).map(LinkChange::Mtu);
        for change in [mac, mtu].into_iter().flatten() {
            self.change_link(made, &change)
                .map_err(KernelError::unfinished)?;
        }
        Ok(index)
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

/// What can be changed of a link, as the kernel describes it.
pub(super) fn state(message: &LinkMessage) -> Result<LinkState, KernelError> {
    let index = message.header.index;
    let name = name(message)
        .ok_or_else(|| KernelError::Netlink(format!("link {index} has a name that isn't plain")))?;
    Ok(state_with(message, name))
}

/// The name of a link, if it's a plain one.
pub(super) fn name(message: &LinkMessage) -> Option<LinkName> {
    let mut attributes = message.attributes.iter();
    attributes.find_map(|attribute| match attribute {
        LinkAttribute::IfName(text) => text.parse::<LinkName>().ok(),
        _ => None,
    })
}

/// The same under a name of the caller's.
pub(super) fn state_with(message: &LinkMessage, name: LinkName) -> LinkState {
    let index = message.header.index;
    let flags = message.header.flags;
    let mut state = LinkState {
        name,
        index,
        mac: None,
        mtu: 0,
        master: None,
        up: flags.contains(LinkFlags::Up),
        tx_queue_length: 0,
        promiscuous: flags.contains(LinkFlags::Promisc),
        all_multicast: flags.contains(LinkFlags::Allmulti),
        alias: None,
        permanent_mac: None,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Address(bytes) => state.mac = Mac::try_from(bytes.as_slice()).ok(),
            LinkAttribute::Mtu(bytes) => state.mtu = *bytes,
            LinkAttribute::Controller(index) => state.master = Some(*index),
            LinkAttribute::TxQueueLen(packets) => state.tx_queue_length = *packets,
            LinkAttribute::PermAddress(bytes) => {
                state.permanent_mac = Mac::try_from(bytes.as_slice()).ok();
            }
            LinkAttribute::IfAlias(text) => state.alias = Some(text.clone()),
            _ => {}
        }
    }
    state
}

/// What is said of its kind (IFLA_LINKINFO).
pub(super) fn infos(message: &LinkMessage) -> impl Iterator<Item = &LinkInfoAttribute> {
    let attributes = message.attributes.iter();
    let infos = attributes.filter_map(|attribute| match attribute {
        LinkAttribute::LinkInfo(infos) => Some(infos),
        _ => None,
    });
    infos.flatten()
}

/// All that there is to know of a link.
pub(super) fn info(message: &LinkMessage) -> Result<LinkInfo, KernelError> {
    Ok(info_with(message, state(message)?))
}

/// The same with a state that was read before.
pub(super) fn info_with(message: &LinkMessage, state: LinkState) -> LinkInfo {
    let flags = message.header.flags;
    let mut link = LinkInfo {
        state,
        kind: None,
        carrier: flags.contains(LinkFlags::LowerUp | LinkFlags::Running),
        vlan_filtering: None,
        parent_use: None,
    };
    for info in infos(message) {
        match info {
            LinkInfoAttribute::Kind(kind) => link.kind = Some(kind.to_string()),
            LinkInfoAttribute::Data(InfoData::Bridge(data)) => {
                link.vlan_filtering = vlan_filtering(data);
            }
            LinkInfoAttribute::Data(data) => link.parent_use = kinds::parent_use(data),
            _ => {}
        }
    }
    link
}

fn vlan_filtering(bridge: &[InfoBridge]) -> Option<bool> {
    bridge.iter().find_map(|info| match info {
        InfoBridge::VlanFiltering(on) => Some(*on),
        _ => None,
    })
}
