//! Links over rtnetlink.

use std::os::fd::AsRawFd;

use futures_util::TryStreamExt;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use nix::errno::Errno;
use rtnetlink::{LinkGetRequest, LinkMessageBuilder, LinkUnspec};
use types::{LinkName, Namespace};

use super::{Netlink, link, place, route};
use crate::{
    IdentitiesRead, InventoryRead, KernelError, LinkChange, LinkId, LinkInfo, LinkState, Links,
    LinksRead, NewLink, NewVeth, PlacedLink, Survey, SurveyedLink,
};

impl LinksRead for Netlink {
    fn link_by_name(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<LinkState, KernelError> {
        let get = self.ask_links(namespace)?;
        link::state(&self.one_link(get.match_name(name.as_str()))?)
    }

    fn link_by_id(&mut self, link: LinkId) -> Result<LinkState, KernelError> {
        let get = self.ask_links(link.namespace)?;
        link::state(&self.one_link(get.match_index(link.index))?)
    }

    fn link_info(&mut self, link: LinkId) -> Result<LinkInfo, KernelError> {
        let get = self.ask_links(link.namespace)?;
        link::info(&self.one_link(get.match_index(link.index))?)
    }

    fn links(
        &mut self,
        namespace: Namespace,
        master: Option<u32>,
    ) -> Result<Vec<LinkState>, KernelError> {
        let mut get = self.ask_links(namespace)?;
        // Kernels before 4.6 answer with all links.
        let of_master = master.map(LinkAttribute::Controller);
        get.message_mut().attributes.extend(of_master);
        // A message is many times as large as what it says here.
        let states = get.execute().map_ok(|message| link::state(&message).ok());
        let states = self.collect(states)?.into_iter();
        let mut states: Vec<LinkState> = states.flatten().collect();
        states.retain(|state| master.is_none() || state.master == master);
        Ok(states)
    }

    fn placed_links(&mut self, namespace: Namespace) -> Result<Vec<PlacedLink>, KernelError> {
        let get = self.ask_links(namespace)?;
        let links = get.execute().map_ok(|message| place::of(&message));
        Ok(self.collect(links)?.into_iter().flatten().collect())
    }
}

impl InventoryRead for Netlink {
    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError> {
        let links = self.tied_links(namespace)?;
        let handle = self.handle(namespace)?.clone();
        let mut routes = Vec::new();
        for question in route::all_routes_questions() {
            let answers = self.collect(handle.route().get(question).execute())?;
            routes.extend(answers.iter().flat_map(route::by_next_hop));
        }
        Ok(Survey {
            links,
            routes: routes.iter().filter_map(route::found).collect(),
        })
    }

    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError> {
        let get = self.ask_links(namespace)?;
        let links = get.execute().map_ok(|message| place::survey(&message));
        Ok(self.collect(links)?.into_iter().flatten().collect())
    }
}

impl Links for Netlink {
    fn create_link(&mut self, link: &NewLink) -> Result<u32, KernelError> {
        let index = self.create(link)?;
        let namespace = link.namespace;
        let made = LinkId { namespace, index };
        self.ignore_advertisements(made, &link.name)?;
        self.keep_small_mtu(made, link)?;
        Ok(index)
    }

    fn create_veth(&mut self, veth: &NewVeth) -> Result<(u32, u32), KernelError> {
        let (container, host) = self.create_peers(veth)?;
        let end = LinkId {
            namespace: Namespace::Host,
            index: host,
        };
        self.ignore_advertisements(end, &veth.host.name)?;
        Ok((container, host))
    }

    fn move_link(
        &mut self,
        link: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<u32, KernelError> {
        match self.link_by_name(to, name) {
            Ok(_) => return Err(Errno::EEXIST.into()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        match self.send_move(link, to, name, index) {
            Err(error) if error.errno() == Some(Errno::EBUSY) && self.has_index(to, index)? => {
                self.send_move(link, to, name, None)?;
            }
            result => result?,
        }
        self.index_of_new(to, name)
    }

    fn delete_link(&mut self, link: LinkId) -> Result<(), KernelError> {
        let state = self.link_by_id(link)?;
        // A promiscuous link of some kinds has its parent receive frames for
        // others too, and doesn't stop that when it's deleted
        // (`vlan_dev_change_rx_flags`, `ipvlan_change_rx_flags`).
        let quiet = [
            state.promiscuous.then_some(LinkChange::Promiscuous(false)),
            state
                .all_multicast
                .then_some(LinkChange::AllMulticast(false)),
        ];
        for change in quiet.iter().flatten() {
            self.change_link(link, change)?;
        }
        let links = self.handle(link.namespace)?.link();
        self.wait(links.del(link.index).execute())
    }

    fn change_link(&mut self, link: LinkId, change: &LinkChange) -> Result<(), KernelError> {
        self.send_change(link, link::message(link.index, change))
    }

    fn set_alternative_names(&mut self, link: LinkId, names: &[String]) -> Result<(), KernelError> {
        let existing = self.identified(link)?.alternative_names;
        let links = self.handle(link.namespace)?.link();
        for name in existing.iter().filter(|name| !names.contains(name)) {
            let removal = links.property_del(link.index).alt_ifname(&[name]);
            match self.wait(removal.execute()) {
                Err(error) if error.is_not_found() => {}
                result => result?,
            }
        }
        for name in names.iter().filter(|name| !existing.contains(name)) {
            let addition = links.property_add(link.index).alt_ifname(&[name]);
            match self.wait(addition.execute()) {
                Err(error) if error.is_taken() => {}
                result => result?,
            }
        }
        Ok(())
    }
}

impl Netlink {
    /// Begins a question about links. Their counters, which are half of an answer, stay
    /// away.
    pub(super) fn ask_links(&self, namespace: Namespace) -> Result<LinkGetRequest, KernelError> {
        let get = self.handle(namespace)?.link().get();
        Ok(get.set_filter_mask(AddressFamily::Unspec, vec![LinkExtentMask::SkipStats]))
    }

    /// Returns the one link that a question is about.
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
        let links = self.handle(link.namespace)?.link();
        self.wait(links.change(change.build()).execute())
    }

    /// Moves a link to a namespace under a name, and with an index if one is
    /// given.
    pub(super) fn send_move(
        &self,
        link: LinkId,
        to: Namespace,
        name: &LinkName,
        index: Option<u32>,
    ) -> Result<(), KernelError> {
        let target = self.netns(to)?.file().as_raw_fd();
        let mut change =
            link::message(link.index, &LinkChange::Name(name.clone())).setns_by_fd(target);
        // The kernel takes the index as a signed number.
        if let Some(index) = index.and_then(|index| i32::try_from(index).ok()) {
            change = change.append_extra_attribute(LinkAttribute::NewIfIndex(index));
        }
        self.send_change(link, change)
    }

    /// Whether a link has this index.
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

    /// Returns the index of a link that was made or moved just now.
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
}
