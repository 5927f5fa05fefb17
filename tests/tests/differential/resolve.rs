//! What an operation names, as one of the kernels knows it.

use kernel::kinds::{
    Bridge, Dummy, Ifb, Ipvlan, Macvlan, Macvtap, Tap, Vlan, Vrf, Vxlan, Wireguard,
};
use kernel::{LinkChange, LinkKind, NextHop, TableRoute};
use types::{Namespace, Route};

use crate::operation::{Change, Hop, Kind, Way};
use crate::side::Side;

impl Side {
    pub(crate) fn kind(&mut self, kind: &Kind) -> LinkKind {
        let macvlan = |parent, mode| Macvlan {
            parent,
            mode,
            broadcast_limit: None,
            broadcast_queue_length: None,
            sources: Vec::new(),
        };
        match kind {
            Kind::Bridge { vlan_filtering } => LinkKind::from(Bridge {
                vlan_filtering: *vlan_filtering,
            }),
            Kind::Dummy => LinkKind::from(Dummy),
            Kind::Ifb => LinkKind::from(Ifb),
            Kind::Ipvlan {
                parent,
                mode,
                isolation,
            } => LinkKind::Ipvlan(Ipvlan {
                parent: self.at(parent),
                mode: *mode,
                isolation: *isolation,
            }),
            Kind::Macvlan { parent, mode } => LinkKind::Macvlan(macvlan(self.at(parent), *mode)),
            Kind::Macvtap { parent, mode } => {
                LinkKind::from(Macvtap(macvlan(self.at(parent), *mode)))
            }
            Kind::Tap => LinkKind::Tap(Tap {
                owner: None,
                group: None,
                multi_queue: false,
            }),
            Kind::Vlan {
                parent,
                id,
                protocol,
            } => LinkKind::Vlan(Vlan {
                parent: self.at(parent),
                id: *id,
                protocol: *protocol,
            }),
            Kind::Vrf { table } => LinkKind::from(Vrf { table: *table }),
            Kind::Vxlan {
                parent,
                id,
                remote,
                port,
            } => LinkKind::Vxlan(Vxlan {
                parent: parent.as_ref().map(|parent| self.at(parent)),
                id: *id,
                remote: *remote,
                local: None,
                port: *port,
                learning: true,
                ttl: None,
            }),
            Kind::Wireguard => LinkKind::from(Wireguard),
        }
    }

    pub(crate) fn link_change(&mut self, namespace: Namespace, change: &Change) -> LinkChange {
        match change {
            Change::Name(name) => LinkChange::Name(name.clone()),
            Change::Mac(mac) => LinkChange::Mac(*mac),
            Change::Mtu(mtu) => LinkChange::Mtu(*mtu),
            Change::Master(master) => {
                LinkChange::Master(master.as_ref().map(|master| self.index(namespace, master)))
            }
            Change::Up(up) => LinkChange::Up(*up),
            Change::TxQueueLength(packets) => LinkChange::TxQueueLength(*packets),
            Change::Promiscuous(on) => LinkChange::Promiscuous(*on),
            Change::AllMulticast(on) => LinkChange::AllMulticast(*on),
            Change::Alias(alias) => LinkChange::Alias(alias.clone()),
        }
    }

    pub(crate) fn route(&mut self, way: &Way) -> TableRoute {
        let mut index = |hop: &Hop| {
            let link = hop.link.as_ref();
            link.map(|link| self.index(way.namespace, link))
        };
        let link = index(&way.hop);
        let next_hops = way.hops.iter().map(|hop| NextHop {
            gateway: hop.gateway,
            link: index(hop),
            hops: hop.hops,
            on_link: hop.on_link,
        });
        TableRoute {
            next_hops: next_hops.collect(),
            route: Route {
                destination: way.destination,
                gateway: way.hop.gateway,
                metric: way.metric,
                kind: way.kind,
            },
            table: way.table,
            scope: way.scope,
            source: way.source,
            link,
            on_link: way.hop.on_link,
        }
    }
}
