//! What this kernel has. What it lacks is left out of the sequences.

use kernel::kinds::{
    Bridge, Dummy, Ifb, Ipvlan, IpvlanIsolation, IpvlanMode, Macvlan, MacvlanMode, Macvtap, Tap,
    Vlan, VlanProtocol, Vrf, Vxlan, Wireguard,
};
use kernel::{Kernel, LinkId, LinkKind, NewLink, NewVeth, QueueHook, Shape, Tbf, VethEnd};
use types::Namespace;

use crate::machine::Machine;

/// Something that not every kernel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    Bridge,
    FilteringBridge,
    Dummy,
    Ifb,
    Ipvlan,
    Macvlan,
    Macvtap,
    Tap,
    Vlan,
    Vrf,
    Vxlan,
    Wireguard,
    Tbf,
    Htb,
    Redirect,
    /// A name that is taken is looked for where the link is made, before its parent
    /// is (since Linux 6.15). Others say of both mistakes the other one.
    NamesWhereMade,
}

const KINDS: [Feature; 12] = [
    Feature::Bridge,
    Feature::FilteringBridge,
    Feature::Dummy,
    Feature::Ifb,
    Feature::Ipvlan,
    Feature::Macvlan,
    Feature::Macvtap,
    Feature::Tap,
    Feature::Vlan,
    Feature::Vrf,
    Feature::Vxlan,
    Feature::Wireguard,
];

/// All that this kernel has.
#[derive(Debug, Clone)]
pub(crate) struct Features(Vec<Feature>);

impl Features {
    /// Finds out by trying each.
    pub(crate) fn find() -> Self {
        Machine::new().run(|kernel| {
            let parent = pair(kernel);
            let kinds = KINDS
                .into_iter()
                .filter(|kind| makes(kernel, *kind, parent));
            let mut found: Vec<Feature> = kinds.collect();
            found.extend(queues(kernel, parent));
            if looks_where_made(kernel) {
                found.push(Feature::NamesWhereMade);
            }
            Self(found)
        })
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.0.contains(&feature)
    }

    /// The kinds of links that it can make.
    pub(crate) fn kinds(&self) -> Vec<Feature> {
        let all = self.0.iter().copied();
        all.filter(|feature| KINDS.contains(feature)).collect()
    }
}

/// A link for others to lie on.
fn pair(kernel: &mut dyn Kernel) -> LinkId {
    let end = |name: &str| VethEnd {
        name: name.parse().unwrap(),
        mac: None,
    };
    let veth = NewVeth {
        container: end("probe"),
        host: end("probe"),
        mtu: None,
    };
    let (_, index) = kernel
        .create_veth(&veth)
        .expect("the kernel has pairs of veth links");
    LinkId {
        namespace: Namespace::Host,
        index,
    }
}

fn makes(kernel: &mut dyn Kernel, feature: Feature, parent: LinkId) -> bool {
    let macvlan = Macvlan {
        parent,
        mode: MacvlanMode::Bridge,
        broadcast_limit: None,
        broadcast_queue_length: None,
        sources: Vec::new(),
    };
    let kind = match feature {
        Feature::Bridge => LinkKind::from(Bridge {
            vlan_filtering: false,
        }),
        Feature::FilteringBridge => LinkKind::from(Bridge {
            vlan_filtering: true,
        }),
        Feature::Dummy => LinkKind::from(Dummy),
        Feature::Ifb => LinkKind::from(Ifb),
        Feature::Ipvlan => LinkKind::Ipvlan(Ipvlan {
            parent,
            mode: IpvlanMode::L2,
            isolation: IpvlanIsolation::Bridge,
        }),
        Feature::Macvlan => LinkKind::Macvlan(macvlan),
        Feature::Macvtap => LinkKind::from(Macvtap(macvlan)),
        Feature::Tap => LinkKind::Tap(Tap {
            owner: None,
            group: None,
            multi_queue: false,
        }),
        Feature::Vlan => LinkKind::Vlan(Vlan {
            parent,
            id: 7,
            protocol: VlanProtocol::Dot1q,
        }),
        Feature::Vrf => LinkKind::from(Vrf { table: 77 }),
        Feature::Vxlan => LinkKind::Vxlan(Vxlan {
            parent: None,
            id: 7,
            remote: None,
            local: None,
            port: 4789,
            learning: true,
            ttl: None,
        }),
        Feature::Wireguard => LinkKind::from(Wireguard),
        Feature::Tbf | Feature::Htb | Feature::Redirect | Feature::NamesWhereMade => {
            return false;
        }
    };
    let link = NewLink {
        namespace: Namespace::Host,
        name: "made".parse().unwrap(),
        mac: None,
        mtu: None,
        kind,
    };
    let Ok(index) = kernel.create_link(&link) else {
        return false;
    };
    let made = LinkId { index, ..parent };
    kernel.delete_link(made).expect("what was made goes");
    true
}

/// Asks for a link in the container with a name that one there has, on a parent
/// that isn't there.
fn looks_where_made(kernel: &mut dyn Kernel) -> bool {
    let macvlan = Macvlan {
        parent: LinkId {
            namespace: Namespace::Host,
            index: 7777,
        },
        mode: MacvlanMode::Bridge,
        broadcast_limit: None,
        broadcast_queue_length: None,
        sources: Vec::new(),
    };
    let link = NewLink {
        namespace: Namespace::Container,
        name: "lo".parse().unwrap(),
        mac: None,
        mtu: None,
        kind: LinkKind::Macvlan(macvlan),
    };
    let _ = kernel.change_link(
        LinkId {
            namespace: Namespace::Host,
            index: 1,
        },
        &kernel::LinkChange::Name("other".parse().unwrap()),
    );
    kernel
        .create_link(&link)
        .is_err_and(|error| error.is_taken())
}

fn queues(kernel: &mut dyn Kernel, link: LinkId) -> Vec<Feature> {
    let shape = Shape::new(8_000_000, 10_000).unwrap();
    let tbf = Tbf { shape, latency: 50 };
    let mut found = Vec::new();
    if kernel.set_tbf(link, &tbf).is_ok() {
        found.push(Feature::Tbf);
    }
    let _ = kernel.remove_queue(link, QueueHook::Root);
    if kernel.set_htb(link, shape).is_ok() {
        found.push(Feature::Htb);
    }
    let _ = kernel.remove_queue(link, QueueHook::Root);
    if kernel.redirect_ingress(link, link.index).is_ok() {
        found.push(Feature::Redirect);
    }
    found
}
