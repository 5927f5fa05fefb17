//! The effects of a link's change on its children, its parent and its master.
//! The kernel causes all of them by itself.

use kernel::{KernelError, NeighbourTable, ParentUse};
use types::Mac;

use super::link::{Link, Number, Other};
use super::machine::Machine;

/// The MTU of a bridge without ports, in bytes (ETH_DATA_LEN).
const ETHERNET_MTU: u32 = 1500;

impl Machine {
    /// Returns the number of children that make a link promiscuous: those that
    /// have taken it over and are up (`macvlan_open`).
    pub(super) fn promiscuity(&self, number: Number) -> usize {
        let above = self.links.values().filter(|link| link.lies_on(number));
        above
            .filter(|link| link.state.up && takes_all(link))
            .count()
    }

    /// Sets the MAC address of a link. A link that has taken over its parent
    /// passes the address on to it (`macvlan_set_mac_address`). Ipvlan links
    /// take that of their parent (`ipvlan_device_event`).
    pub(super) fn set_mac(&mut self, number: Number, mac: Mac) {
        self.write_mac(number, mac);
        let below = self.links.get(&number).filter(|link| takes_all(link));
        let below = below.and_then(|link| link.lower);
        if let Some(Other::Link(below)) = below {
            self.write_mac(below, mac);
        }
        for above in self.above(number, &["ipvlan"]) {
            self.write_mac(above, mac);
        }
        // `vlan_dev_inherit_address`
        for above in self.above(number, &["vlan"]) {
            if self.links.get(&above).is_some_and(|link| !link.is_mac_set) {
                self.write_mac(above, mac);
                self.edit(above, |link| link.is_mac_set = false);
            }
        }
        for above in self.above(number, &["macvlan", "macvtap"]) {
            if self.links.get(&above).is_some_and(takes_all) {
                self.write_mac(above, mac);
            }
        }
        let master = self.links.get(&number).and_then(|link| link.master);
        self.follow_ports_of(master);
    }

    fn write_mac(&mut self, number: Number, mac: Mac) {
        self.edit(number, |link| {
            // `br_stp_change_bridge_id`
            link.looks_at_ports |= link.state.mac != Some(mac);
            link.state.mac = Some(mac);
            link.is_mac_assumed = false;
            link.is_mac_set = true;
            link.follows.1 = false;
        });
        self.forget_entries(number);
    }

    /// With a MAC address a link's neighbours go, whoever set them
    /// (`neigh_changeaddr`); it goes on answering for others.
    fn forget_entries(&mut self, number: Number) {
        self.forget_neighbours(number, |it| it.table == NeighbourTable::Entries);
    }

    /// Gives a parent its MAC address back, after the link that had taken it
    /// over is gone (`macvlan_port_destroy`).
    pub(super) fn give_back_mac(&mut self, gone: &Link) {
        let (Some(Other::Link(below)), Some(mac)) = (gone.lower, gone.mac_below) else {
            return;
        };
        let now = self.links.get(&below).and_then(|link| link.state.mac);
        if now != Some(mac) {
            self.write_mac(below, mac);
        }
    }

    /// Lowers the MTU of children to that of their parent
    /// (`macvlan_device_event`, `vlan_device_event`). Ipvlan links always have
    /// the same MTU (`ipvlan_adjust_mtu`).
    pub(super) fn lower_mtu_above(&mut self, number: Number) {
        let Some(mtu) = self.links.get(&number).map(|link| link.state.mtu) else {
            return;
        };
        for above in self.above(number, &["macvlan", "macvtap", "vlan", "ipvlan"]) {
            let is_other = |link: &Link| match link.kind() {
                "ipvlan" => link.state.mtu != mtu,
                _ => link.state.mtu > mtu,
            };
            // `dev_set_mtu`; `ipvlan_adjust_mtu` doesn't ask.
            let is_ipvlan = self
                .links
                .get(&above)
                .is_some_and(|link| link.kind() == "ipvlan");
            let may = is_ipvlan || self.check_mtu(above, mtu).is_ok();
            if may && self.links.get(&above).is_some_and(is_other) {
                let before = self.links.get(&above).map_or(mtu, |link| link.state.mtu);
                self.edit(above, |link| link.state.mtu = mtu);
                self.fit_families(above, before);
                self.lower_mtu_above(above);
            }
        }
    }

    /// Sets VLANs down with their parent (`vlan_device_event`).
    pub(super) fn set_down_above(&mut self, number: Number) {
        for above in self.above(number, &["vlan"]) {
            self.set_down(above);
        }
    }

    /// Sets all VLANs up with their parent, even if they were down before.
    pub(super) fn set_up_above(&mut self, number: Number) -> Result<(), KernelError> {
        let mut above = self.above(number, &["vlan"]).into_iter();
        above.try_for_each(|above| self.set_up(above))
    }

    /// Gives a bridge the lowest MTU of its ports (`br_mtu_auto_adjust`) and
    /// their lowest MAC address (`br_stp_recalculate_bridge_id`), unless
    /// somebody has set these. The kernel doesn't report that. A bridge that
    /// had the values of its ports in the beginning is assumed to follow them.
    pub(super) fn follow_ports_of(&mut self, bridge: Option<Number>) {
        let Some((bridge, link)) =
            bridge.and_then(|number| Some((number, self.links.get(&number)?)))
        else {
            return;
        };
        if link.kind() != "bridge" {
            return;
        }
        let ports = self.links.values();
        let ports = ports.filter(|port| port.master == Some(bridge));
        let mtu = ports.clone().map(|port| port.state.mtu).min();
        let mac = ports
            .filter_map(|port| port.state.mac)
            .min_by_key(|mac| mac.bytes());
        let (follows_mtu, follows_mac) = link.follows;
        let mtu = mtu.unwrap_or(ETHERNET_MTU);
        if follows_mtu && link.state.mtu != mtu {
            let before = link.state.mtu;
            self.edit(bridge, |link| link.state.mtu = mtu);
            self.fit_families(bridge, before);
        }
        let link = self.links.get(&bridge);
        // Without ports it has none (`br_mac_zero`).
        if let Some(mac) = mac
            .or(Some(Mac::NONE))
            .filter(|mac| follows_mac && link.is_some_and(|link| link.state.mac != Some(*mac)))
        {
            self.edit(bridge, |link| {
                link.state.mac = Some(mac);
                link.looks_at_ports = true;
            });
            self.forget_entries(bridge);
        }
    }

    /// Finds the bridges that follow their ports, after all links are read.
    pub(super) fn find_followers(&mut self) {
        let ports: Vec<(Number, u32, Option<Mac>)> = self
            .links
            .values()
            .filter_map(|port| Some((port.master?, port.state.mtu, port.state.mac)))
            .collect();
        for (number, link) in &mut self.links {
            let own = ports.iter().filter(|(master, ..)| master == number);
            let mtu = own.clone().map(|(_, mtu, _)| *mtu).min();
            let mac = own
                .filter_map(|(.., mac)| *mac)
                .min_by_key(|mac| mac.bytes());
            link.follows = (
                mtu.is_some_and(|mtu| mtu == link.state.mtu),
                mac.is_some() && mac == link.state.mac,
            );
        }
    }

    /// Returns the children of some kinds.
    fn above(&self, number: Number, kinds: &[&str]) -> Vec<Number> {
        let links = self.links.iter();
        links
            .filter(|(_, link)| link.lies_on(number) && kinds.contains(&link.kind()))
            .map(|(above, _)| *above)
            .collect()
    }
}

pub(super) fn takes_all(link: &Link) -> bool {
    link.parent_use == Some(ParentUse::Whole)
}
