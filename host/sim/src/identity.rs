//! Identities of links.

use kernel::{
    FarLink, IdentifiedLink, IdentitiesRead, KernelError, LinkId, LinkIdentity, LinkKind,
    Whereabouts,
};
use types::Namespace;

use super::Simulation;
use super::link::{Link, Number, Other};
use super::machine::Machine;

impl IdentitiesRead for Simulation {
    fn identified(&mut self, link: LinkId) -> Result<IdentifiedLink, KernelError> {
        self.in_time()?.identified(link)
    }

    fn identified_links(
        &mut self,
        namespace: Namespace,
    ) -> Result<Vec<IdentifiedLink>, KernelError> {
        let machine = &mut *self.in_time()?;
        let links = machine.links_of(namespace).into_iter();
        let places: Vec<LinkId> = links.map(|link| link.at).collect();
        places
            .into_iter()
            .map(|at| machine.identified(at))
            .collect()
    }

    fn far_link(&mut self, far: FarLink) -> Result<IdentifiedLink, KernelError> {
        let machine = &mut *self.in_time()?;
        let namespace = match far.place {
            Whereabouts::Host => Namespace::Host,
            Whereabouts::Container => Namespace::Container,
            Whereabouts::Elsewhere(_) | Whereabouts::Unknown => {
                let mut found = machine.reader.far_link(far)?;
                if let Some(tie) = found.identity.tie {
                    let links = machine.links.iter();
                    let mut tied = links.filter(|(_, link)| link.real().map(of) == Some(tie));
                    if let Some((number, _)) = tied.next() {
                        machine.far_ends.insert(*number, far);
                    }
                    found.identity.tie = Some(machine.as_it_is_here(tie));
                }
                return Ok(found);
            }
        };
        let index = far.index;
        machine.identified(LinkId { namespace, index })
    }
}

impl Machine {
    /// Returns a link with its identity.
    pub(super) fn identified(&mut self, at: LinkId) -> Result<IdentifiedLink, KernelError> {
        let (number, link) = self.find(at)?;
        let link = link.clone();
        // The real kernel reports the identity of hardware, and of parents and
        // peers in other namespaces.
        let real = match link.real() {
            Some(real) => Some(self.reader.identified(real)?),
            None => None,
        };
        let real_names = real.as_ref().map(|real| real.alternative_names.clone());
        let identity = real.map(|real| real.identity).unwrap_or_default();
        Ok(IdentifiedLink {
            state: self.state(&link),
            has_plain_name: true,
            identity: LinkIdentity {
                kind: link.kind.clone(),
                tie: self.far(number, &link, identity.tie),
                vlan: match &link.made_as {
                    Some(LinkKind::Vlan(vlan)) => Some(vlan.id),
                    _ => identity.vlan,
                },
                ..identity
            },
            alternative_names: link.alternative_names.or(real_names).unwrap_or_default(),
        })
    }

    fn far(&self, number: Number, link: &Link, real: Option<FarLink>) -> Option<FarLink> {
        let index = match link.pair.or(link.told_lower())? {
            Other::Link(other) => return Some(of(self.links.get(&other)?.at)),
            Other::Elsewhere(index) => index,
        };
        let told = match (real, &link.made_as) {
            (Some(real), _) => real.place,
            // The one that its own packets travel in.
            (None, Some(_)) => Whereabouts::Host,
            (None, None) => Whereabouts::Unknown,
        };
        let asked = self.far_ends.get(&number).filter(|far| far.index == index);
        let place = match (told, asked) {
            (Whereabouts::Unknown, Some(asked)) => asked.place,
            (told, _) => told,
        };
        Some(FarLink { index, place })
    }

    /// Returns the present place of a link of the real kernel.
    fn as_it_is_here(&self, far: FarLink) -> FarLink {
        let mut links = self.links.values();
        let link = links.find(|link| link.real().map(of) == Some(far));
        link.map_or(far, |link| of(link.at))
    }
}

fn of(at: LinkId) -> FarLink {
    FarLink {
        place: match at.namespace {
            Namespace::Host => Whereabouts::Host,
            Namespace::Container => Whereabouts::Container,
        },
        index: at.index,
    }
}
