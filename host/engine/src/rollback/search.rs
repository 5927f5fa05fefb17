//! The search for a moved link.
//!
//! The container may have changed the link's name, MAC address or index, or moved or
//! deleted the link, and made another one that looks the same. So the link is
//! identified by a property that the container can't change ([`Proof`]). If there is
//! none, or the journal is of an older version, the link is identified by its looks:
//! index, name and MAC address.

use journal::SavedLink;
use kernel::{
    FarLink, IdentifiedLink, Kernel, KernelError, LinkId, LinkIdentity, LinkState, Proof,
    SavedPeer, Whereabouts,
};
use types::{LinkName, Namespace};

/// A link that was moved into the container.
pub(super) struct Moved<'a> {
    /// Its state on the host before the move.
    pub(super) saved: &'a SavedLink,
    /// The names that the run gave it in the container.
    pub(super) names: Vec<&'a LinkName>,
    /// Its index in the container, if the move was confirmed.
    pub(super) index: Option<u32>,
    /// Whether it was moved into the network namespace that this run has as the
    /// container's.
    pub(super) same_container: bool,
    /// Whether the driver had made it before the move.
    pub(super) own: bool,
    /// Whether the network namespace that it was moved into is known to be gone.
    pub(super) is_namespace_gone: &'a dyn Fn() -> bool,
}

/// The result of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The link is here.
    Link(LinkId),
    /// The link doesn't exist any more.
    Gone,
    /// The link isn't in the run's namespaces and may be in another one. The text says
    /// why no link here is it.
    Missing(String),
}

impl Moved<'_> {
    fn identity(&self) -> LinkIdentity {
        self.saved.identity.clone().unwrap_or_default()
    }

    /// Returns the property that identifies the link.
    fn proof(&self) -> Proof {
        match (self.identity().proof(), &self.saved.peer) {
            (Proof::Peer(_), None) => Proof::Nothing,
            (proof, _) => proof,
        }
    }

    /// Finds the link in the container or on the host.
    pub(super) fn find(&self, kernel: &mut dyn Kernel) -> Result<Found, KernelError> {
        let found = match (self.proof(), &self.saved.peer) {
            (Proof::Peer(_), Some(peer)) => self.by_peer(kernel, peer)?,
            (Proof::Device, _) => self.by_device(kernel)?,
            _ => self.by_looks(kernel)?,
        };
        match found {
            // The driver's own link needs no return.
            Found::Missing(_) if self.own => Ok(Found::Gone),
            found => Ok(found),
        }
    }

    /// Whether a link of the host is the moved one. The container may have swapped it
    /// during the move. Without an identity the answer is yes.
    pub(super) fn is_same_link(
        &self,
        kernel: &mut dyn Kernel,
        link: LinkId,
    ) -> Result<bool, KernelError> {
        match (self.proof(), &self.saved.peer) {
            (Proof::Peer(_), Some(peer)) => {
                let far = self.peer_link(kernel, peer)?;
                let tie = far.and_then(|far| far.identity.tie);
                Ok(tie.is_some_and(|tie| here(tie) == Some(link)))
            }
            _ if self.saved.identity.is_none() => Ok(true),
            _ => Ok(self.identity().is_same(&kernel.identified(link)?.identity)),
        }
    }

    fn by_device(&self, kernel: &mut dyn Kernel) -> Result<Found, KernelError> {
        let identity = self.identity();
        let mut same = Vec::new();
        for namespace in [Namespace::Container, Namespace::Host] {
            let links = links_of(kernel, namespace)?.into_iter();
            let links = links.filter(|link| identity.is_same(&link.identity));
            same.extend(links.map(|link| (namespace, link.state)));
        }
        match same.as_slice() {
            [(namespace, state)] => Ok(Found::Link(LinkId {
                namespace: *namespace,
                index: state.index,
            })),
            [] => self.absent(kernel),
            several => {
                let names = several
                    .iter()
                    .map(|(namespace, state)| format!("{namespace}:{}", state.name));
                let names = names.collect::<Vec<_>>().join(", ");
                let text = format!("{names} are on the same device, so it can't be identified");
                Ok(Found::Missing(text))
            }
        }
    }

    fn by_peer(&self, kernel: &mut dyn Kernel, peer: &SavedPeer) -> Result<Found, KernelError> {
        let Some(far) = self.peer_link(kernel, peer)? else {
            // The kernel deletes both ends at once, but somebody may have moved the
            // peer.
            return Ok(match self.impostor(kernel)? {
                Some(link) => Found::Missing(format!(
                    "its peer, {}, isn't where it was, so {link} can't be identified as the link",
                    peer.name
                )),
                None => Found::Gone,
            });
        };
        let Some(tie) = far.identity.tie else {
            return self.absent(kernel);
        };
        if let Some(link) = here(tie) {
            return Ok(Found::Link(link));
        }
        match tie.place {
            // The number of a namespace that is being deleted isn't found any more.
            Whereabouts::Elsewhere(number @ 0..) if found(kernel.far_link(tie))?.is_some() => {
                Ok(Found::Missing(format!(
                    "its other end, {}, says that it's link {} of the network namespace with the \
                     number {number} (`ip netns list-id`){}",
                    peer.name,
                    tie.index,
                    self.impostor_in_words(kernel)?,
                )))
            }
            _ => self.absent(kernel),
        }
    }

    /// Returns the peer, if it's still where it was. If the number of its namespace was
    /// reused, its index belongs to another link.
    fn peer_link(
        &self,
        kernel: &mut dyn Kernel,
        peer: &SavedPeer,
    ) -> Result<Option<IdentifiedLink>, KernelError> {
        // A peer that isn't found is looked for once more, because the link counts as
        // gone without it.
        let far = match found(kernel.far_link(peer.at))? {
            None => found(kernel.far_link(peer.at))?,
            far => far,
        };
        let kind = self.identity().kind;
        Ok(far.filter(|far| {
            let on_host = peer.at.place == Whereabouts::Host;
            let same_mac = far.state.mac == peer.mac;
            far.identity.kind == kind && (same_mac || (on_host && far.state.name == peer.name))
        }))
    }

    /// Finds the link by its looks, and by its parent if it has one. The parent isn't
    /// enough, because the container may make links on the same one.
    fn by_looks(&self, kernel: &mut dyn Kernel) -> Result<Found, KernelError> {
        let identity = self.saved.identity.as_ref();
        let fits = |link: &IdentifiedLink| {
            identity.is_none_or(|identity| identity.is_same(&link.identity))
        };
        if self.same_container {
            let mut links = links_of(kernel, Namespace::Container)?;
            links.retain(fits);
            let states: Vec<LinkState> = links.into_iter().map(|link| link.state).collect();
            let found = find_moved(&states, &self.saved.link, &self.names, self.index);
            if let Some(state) = found {
                return Ok(Found::Link(LinkId {
                    namespace: Namespace::Container,
                    index: state.index,
                }));
            }
        }
        let mut links = links_of(kernel, Namespace::Host)?;
        links.retain(fits);
        let states: Vec<LinkState> = links.into_iter().map(|link| link.state).collect();
        match find_same(&states, &self.saved.link, &self.names) {
            Some(state) => Ok(Found::Link(LinkId {
                namespace: Namespace::Host,
                index: state.index,
            })),
            None => self.absent(kernel),
        }
    }

    /// Returns the result for a link that isn't here. The kernel deletes virtual links
    /// with their namespace, and moves hardware back to the host.
    fn absent(&self, kernel: &mut dyn Kernel) -> Result<Found, KernelError> {
        let goes = match &self.saved.identity {
            Some(identity) => identity.goes_with_its_namespace(),
            None => self.saved.link.permanent_mac.is_none(),
        };
        if goes && !self.same_container && (self.is_namespace_gone)() {
            return Ok(Found::Gone);
        }
        let impostor = self.impostor_in_words(kernel)?;
        Ok(Found::Missing(format!(
            "neither the host nor the container has it{impostor}"
        )))
    }

    /// Returns the link that has the moved one's index or name in the container.
    fn impostor(&self, kernel: &mut dyn Kernel) -> Result<Option<String>, KernelError> {
        if !self.same_container {
            return Ok(None);
        }
        let links = links_of(kernel, Namespace::Container)?;
        let mut links = links.iter();
        let link = links.find(|link| {
            let state = &link.state;
            Some(state.index) == self.index || self.names.contains(&&state.name)
        });
        Ok(link.map(|link| format!("container:{}", link.state.name)))
    }

    fn impostor_in_words(&self, kernel: &mut dyn Kernel) -> Result<String, KernelError> {
        let impostor = self.impostor(kernel)?;
        Ok(impostor.map_or_else(String::new, |link| {
            format!("; {link} is in its place, and is another link")
        }))
    }
}

/// Returns the link, if it's in a namespace of this run.
fn here(link: FarLink) -> Option<LinkId> {
    let namespace = match link.place {
        Whereabouts::Host => Namespace::Host,
        Whereabouts::Container => Namespace::Container,
        Whereabouts::Elsewhere(_) | Whereabouts::Unknown => return None,
    };
    let index = link.index;
    Some(LinkId { namespace, index })
}

/// Returns the links of a namespace, or none if this run doesn't have the namespace.
fn links_of(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
) -> Result<Vec<IdentifiedLink>, KernelError> {
    match kernel.identified_links(namespace) {
        Err(KernelError::NoNamespace(_)) => Ok(Vec::new()),
        links => links,
    }
}

/// Finds a link of the container that looks like the moved one: by its index, or by its
/// name and MAC address if the move was never confirmed.
fn find_moved<'a>(
    links: &'a [LinkState],
    before: &LinkState,
    names: &[&LinkName],
    index: Option<u32>,
) -> Option<&'a LinkState> {
    let has_mac = |link: &LinkState| link.mac == before.mac;
    let has_name = |link: &LinkState| names.contains(&&link.name);
    let mut links = links.iter();
    match index {
        Some(index) => links.find(|link| link.index == index && (has_name(link) || has_mac(link))),
        None => links.find(|link| has_mac(link) && (has_name(link) || link.name == before.name)),
    }
}

/// Finds a link of the host that looks like the moved one.
///
/// Hardware is identified by its permanent MAC address. VLANs on it have the same one,
/// so a name or an index that fits comes first. Other links are identified by two of
/// name, index and MAC address. `names` are further names that the link may have.
pub(super) fn find_same<'a>(
    links: &'a [LinkState],
    before: &LinkState,
    names: &[&LinkName],
) -> Option<&'a LinkState> {
    let has_name = |link: &LinkState| link.name == before.name || names.contains(&&link.name);
    let has_index = |link: &LinkState| link.index == before.index;
    let has_mac = |link: &LinkState| link.mac == before.mac;
    if let Some(mac) = before.permanent_mac {
        let mut same = links.iter().filter(|link| link.permanent_mac == Some(mac));
        let close = same.clone().find(|link| has_index(link) || has_name(link));
        return close.or(match (same.next(), same.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        });
    }
    links.iter().find(|link| {
        let facts = [has_name(link), has_index(link), has_mac(link)];
        facts.into_iter().filter(|fact| *fact).count() >= 2
    })
}

/// Returns `None` if the kernel has no such object.
pub(super) fn found<T>(result: Result<T, KernelError>) -> Result<Option<T>, KernelError> {
    match result {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "02:00:00:00:00:01";
    const OTHER: &str = "02:00:00:00:00:02";

    fn link(name: &str, index: u32, mac: &str) -> LinkState {
        LinkState {
            mac: Some(mac.parse().unwrap()),
            up: true,
            ..LinkState::new(name.parse().unwrap(), index)
        }
    }

    fn moved(links: &[LinkState], index: Option<u32>) -> Option<u32> {
        let name: LinkName = "eth0".parse().unwrap();
        let before = link("p0", 2, MAC);
        find_moved(links, &before, &[&name], index).map(|link| link.index)
    }

    #[test]
    fn a_confirmed_move_is_known_by_its_index() {
        assert_eq!(moved(&[link("eth0", 5, OTHER)], Some(5)), Some(5));
        assert_eq!(moved(&[link("lan0", 5, MAC)], Some(5)), Some(5));
        assert_eq!(moved(&[link("lan0", 5, OTHER)], Some(5)), None);
        assert_eq!(moved(&[link("eth0", 6, MAC)], Some(5)), None);
    }

    #[test]
    fn an_unconfirmed_move_is_known_by_name_and_address() {
        assert_eq!(moved(&[link("eth0", 5, MAC)], None), Some(5));
        assert_eq!(moved(&[link("p0", 5, MAC)], None), Some(5));
        assert_eq!(moved(&[link("eth0", 5, OTHER)], None), None);
        assert_eq!(moved(&[link("lan0", 5, MAC)], None), None);
    }

    #[test]
    fn a_link_of_the_host_has_two_of_three() {
        let name: LinkName = "eth0".parse().unwrap();
        let before = link("p0", 2, MAC);
        let same = |found: LinkState| find_same(&[found], &before, &[&name]).is_some();
        assert!(same(link("eth0", 9, MAC)) && same(link("p0", 2, OTHER)));
        assert!(!same(link("p0", 9, OTHER)) && !same(link("x0", 9, MAC)));
    }
}
