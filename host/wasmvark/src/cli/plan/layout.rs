//! The layout of a picture. Each namespace is a box. In a box, each link is above its
//! parent and its master.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sim::{EdgeKind, LinkView, NamespaceView, Topology};
use types::Namespace;
use unicode_width::UnicodeWidthStr;

use super::label;

/// The estimated width of a character, in pixels.
const CHARACTER: u32 = 8;
/// The height of a line, in pixels.
pub(super) const LINE: u32 = 18;
/// The gap around nodes and titles, in pixels.
const GAP: u32 = 24;
/// The gap between rows, in pixels. The labels of edges are in it.
const ROW_GAP: u32 = 56;
/// The gap between boxes, in pixels.
const BOX_GAP: u32 = 120;
/// The most nodes in a row.
const ROW_MAX: usize = 4;

/// A rectangle, in pixels from the left and the top.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Area {
    /// Returns the middle.
    pub(super) fn middle(self) -> (u32, u32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }
}

/// A placed link.
pub(super) struct Node<'a> {
    pub(super) link: &'a LinkView,
    pub(super) lines: Vec<String>,
    pub(super) area: Area,
}

/// A placed namespace.
pub(super) struct Frame<'a> {
    pub(super) namespace: &'a NamespaceView,
    pub(super) title: String,
    pub(super) area: Area,
    pub(super) nodes: Vec<Node<'a>>,
}

impl Frame<'_> {
    /// Returns the area of one of the namespace's links.
    pub(super) fn find(&self, link: &str) -> Option<Area> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|node| node.link.name == link)
            .map(|node| node.area)
    }
}

/// Places all nodes. Returns the boxes, and the width and height of the picture.
pub(super) fn place(topology: &Topology) -> (Vec<Frame<'_>>, u32, u32) {
    let mut frames = Vec::new();
    let (mut x, mut height) = (GAP, 0);
    for namespace in &topology.namespaces {
        let frame = frame(topology, namespace, x);
        x += frame.area.width + BOX_GAP;
        height = height.max(frame.area.height);
        frames.push(frame);
    }
    let width = x.saturating_sub(BOX_GAP) + GAP;
    (frames, width, height + 2 * GAP)
}

fn frame<'a>(topology: &'a Topology, namespace: &'a NamespaceView, x: u32) -> Frame<'a> {
    let ranks = ranks(topology, namespace.name);
    let title = label::title(namespace);
    let mut rows: BTreeMap<(bool, Reverse<u32>), Vec<&LinkView>> = BTreeMap::new();
    for link in &namespace.links {
        let rank = ranks.get(link.name.as_str()).copied();
        // Links without edges come last, so that no edge crosses them.
        let place = (rank.is_none(), Reverse(rank.unwrap_or_default()));
        rows.entry(place).or_default().push(link);
    }
    let longest = namespace.links.iter().flat_map(label::lines);
    let longest = longest.map(|line| text_width(&line)).max();
    let node_width = longest.unwrap_or_default() + GAP;
    let mut y = GAP + LINE + GAP;
    let mut width = text_width(&title);
    let mut nodes = Vec::new();
    for row in rows.values().flat_map(|rank| rank.chunks(ROW_MAX)) {
        let mut left = x + GAP;
        let mut row_height = 0;
        for link in row {
            let lines = label::lines(link);
            let height = count(lines.len()) * LINE + GAP / 2;
            row_height = row_height.max(height);
            let area = Area {
                x: left,
                y,
                width: node_width,
                height,
            };
            left += node_width + GAP;
            nodes.push(Node { link, lines, area });
        }
        width = width.max(left.saturating_sub(x + 2 * GAP));
        y += row_height + ROW_GAP;
    }
    let height = match nodes.is_empty() {
        true => y,
        false => y.saturating_sub(ROW_GAP) + GAP,
    };
    Frame {
        namespace,
        title,
        area: Area {
            x,
            y: GAP,
            width: width + 2 * GAP,
            height: height.saturating_sub(GAP),
        },
        nodes,
    }
}

/// Returns the ranks of the links that have edges. A link's rank is above those of its
/// parent and its master.
fn ranks(topology: &Topology, namespace: Namespace) -> BTreeMap<&str, u32> {
    let ends = topology
        .edges
        .iter()
        .flat_map(|edge| [&edge.from, &edge.to]);
    let own = ends.filter(|end| end.namespace == namespace);
    let mut ranks: BTreeMap<&str, u32> = own.map(|end| (end.link.as_str(), 0)).collect();
    let below: Vec<(&str, &str)> = topology
        .edges
        .iter()
        .filter(|edge| matches!(edge.kind, EdgeKind::Master | EdgeKind::Parent))
        .filter(|edge| edge.from.namespace == namespace && edge.to.namespace == namespace)
        .map(|edge| (edge.from.link.as_str(), edge.to.link.as_str()))
        .collect();
    // After as many rounds as the longest path has edges, the ranks are final. The
    // bound also ends a cycle.
    for _ in 0..below.len().min(16) {
        for (upper, lower) in &below {
            let lower = *ranks.entry(*lower).or_insert(0);
            let upper: &mut u32 = ranks.entry(*upper).or_insert(0);
            *upper = (*upper).max(lower + 1);
        }
    }
    ranks
}

/// Returns the estimated width of a text, in pixels.
pub(super) fn text_width(text: &str) -> u32 {
    count(text.width()) * CHARACTER
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::{Changes, Edge, End, Mark};

    fn link(name: &str) -> LinkView {
        LinkView {
            name: name.to_owned(),
            mark: Mark::Same,
            kind: None,
            mac: None,
            mac_assumed: false,
            mtu: 1500,
            up: true,
            addresses: Vec::new(),
            elsewhere: None,
            set: Vec::new(),
        }
    }

    /// Links without edges must not come between the two, however many there are.
    #[test]
    fn no_link_lies_between_two_that_are_tied() {
        let host = Namespace::Host;
        let end = |link: &str| End {
            namespace: host,
            link: link.to_owned(),
        };
        let names = ["lo", "a", "b", "c", "d", "br0", "port"];
        let topology = Topology {
            namespaces: vec![NamespaceView {
                name: host,
                new: false,
                links: names.map(link).into(),
                routes: Changes::default(),
                rules: Changes::default(),
                settings: Vec::new(),
            }],
            edges: vec![Edge {
                kind: EdgeKind::Master,
                from: end("port"),
                to: end("br0"),
            }],
            ..Topology::default()
        };
        let (frames, ..) = place(&topology);
        let top = |name: &str| frames[0].find(name).unwrap().y;
        assert!(top("port") < top("br0"));
        for other in ["lo", "a", "b", "c", "d"] {
            assert!(top(other) > top("br0"), "{other}");
        }
    }
}
