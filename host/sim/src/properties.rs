//! The properties of a link, as people read them in a topology.

use kernel::{HtbFlow, Neighbour, NeighbourTable};

use super::link::{Link, Origin};

/// Describes the properties of a link that have no field of their own.
pub(super) fn set_on(link: &Link) -> Vec<String> {
    let mut set = Vec::new();
    if let Some(port) = link.port {
        let on = [
            ("hairpin", port.hairpin),
            ("isolated", port.isolated),
            ("learning", port.learning),
        ];
        let on = on.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
        set.push(format!("port: {}", on.collect::<Vec<_>>().join(" ")));
    }
    if let Some(vlans) = &link.vlans {
        let vlans = vlans.iter().map(|vlans| {
            let (first, last) = (vlans.numbers.first(), vlans.numbers.last());
            let range = match first == last {
                true => first.to_string(),
                false => format!("{first}-{last}"),
            };
            let pvid = if vlans.pvid { " pvid" } else { "" };
            let untagged = if vlans.untagged { " untagged" } else { "" };
            format!("{range}{pvid}{untagged}")
        });
        set.push(format!("VLANs: {}", vlans.collect::<Vec<_>>().join(", ")));
    }
    set.extend(link.made_as.iter().flat_map(|kind| kind.properties()));
    set.extend(shaping(link));
    if link.is_queue_length_set {
        set.push(format!("txqlen {}", link.state.tx_queue_length));
    }
    if link.origin == Origin::Made || link.is_changed {
        let flags = [
            ("promiscuous", link.state.promiscuous),
            ("all multicast", link.state.all_multicast),
        ];
        let flags = flags.iter().filter(|(_, on)| *on);
        set.extend(flags.map(|(name, _)| (*name).to_owned()));
        set.extend(
            link.state
                .alias
                .iter()
                .map(|alias| format!("alias {alias}")),
        );
        let neighbours = link.neighbours.iter().flatten();
        set.extend(neighbours.filter(|it| it.permanent).map(|it| {
            match (it.table, it.mac.map(Neighbour::Permanent)) {
                (NeighbourTable::Entries, Some(Neighbour::Permanent(mac))) => {
                    format!("neighbour {} is {mac}", it.address)
                }
                _ => format!("answers for {}", it.address),
            }
        }));
    }
    if let Some(wireguard) = &link.wireguard {
        for peer in &wireguard.peers {
            set.push(format!("peer {}", peer.public_key.to_public_text()));
        }
    }
    for vf in link.vfs.iter().flatten() {
        set.push(format!("VF {}: MAC {}", vf.number, vf.mac));
    }
    set
}

/// Describes the limit of what a link sends, in the words of `tc(8)`.
fn shaping(link: &Link) -> Vec<String> {
    if link.queues.is_none_or(|queues| queues.root.is_none()) {
        return Vec::new();
    }
    let Some(shape) = link.shape else {
        return vec!["what it sends is shaped".to_owned()];
    };
    let bits = shape.rate().saturating_mul(8);
    let whole = format!("sends at rate {bits}bit burst {}b", shape.burst());
    let flows = link.flows.iter().map(|(packets, flow)| {
        let ends = [("src", packets.source()), ("dst", packets.destination())];
        let ends = ends
            .iter()
            .filter_map(|(end, network)| network.map(|network| format!("{end} {network}")));
        let limit = match flow {
            HtbFlow::Direct => "without limit",
            HtbFlow::Rest => "within it",
        };
        format!("{} {limit}", ends.collect::<Vec<_>>().join(" "))
    });
    [whole].into_iter().chain(flows).collect()
}
