//! A picture as SVG, which needs no other program.

use sim::{Edge, Topology};

use super::super::output;
use super::label;
use super::layout::{self, Area, Frame, LINE, Node};

/// Returns the picture of a topology.
pub(super) fn of(topology: &Topology) -> String {
    let (frames, width, height) = layout::place(topology);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for frame in &frames {
        text.push_str(&namespace(frame));
    }
    for edge in &topology.edges {
        text.push_str(&tie(&frames, edge).unwrap_or_default());
    }
    text.push_str("</svg>\n");
    text
}

fn namespace(frame: &Frame<'_>) -> String {
    let Area {
        x,
        y,
        width,
        height,
    } = frame.area;
    let (left, top) = (x + LINE, y + LINE + LINE / 2);
    let mut text = format!(
        "<g class=\"namespace\" id=\"{}\">\n<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" \
         height=\"{height}\" rx=\"8\" fill=\"#f4f4f4\" stroke=\"#444444\"/>\n\
         <text x=\"{left}\" y=\"{top}\" font-weight=\"bold\">{}</text>\n",
        frame.namespace.name,
        output::xml(&frame.title)
    );
    for placed in &frame.nodes {
        text.push_str(&node(placed));
    }
    text.push_str("</g>\n");
    text
}

fn node(node: &Node<'_>) -> String {
    let Area {
        x,
        y,
        width,
        height,
    } = node.area;
    let fill = label::colour(node.link.mark);
    let mut text = format!(
        "<g class=\"link\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" \
         height=\"{height}\" rx=\"4\" fill=\"{fill}\" stroke=\"#444444\"/>",
        output::xml(&node.link.name)
    );
    let middle = x + width / 2;
    let mut below = y;
    for (number, line) in node.lines.iter().enumerate() {
        below += LINE;
        let weight = match number {
            0 => " font-weight=\"bold\"",
            _ => "",
        };
        text.push_str(&format!(
            "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\"{weight}>{}</text>",
            output::xml(line)
        ));
    }
    text.push_str("</g>\n");
    text
}

/// Draws a line between two nodes, with the edge's label in the middle.
fn tie(frames: &[Frame<'_>], edge: &Edge) -> Option<String> {
    let find = |end: &sim::End| {
        let mut frames = frames.iter();
        let frame = frames.find(|frame| frame.namespace.name == end.namespace)?;
        frame.find(&end.link)
    };
    let (from, to) = (find(&edge.from)?, find(&edge.to)?);
    let (start, end) = (border(from, to), border(to, from));
    let arrow = match edge.kind {
        sim::EdgeKind::VethPair => "",
        _ => " marker-end=\"url(#arrow)\"",
    };
    let label = edge.kind.label();
    let (x, y) = (start.0.midpoint(end.0), start.1.midpoint(end.1));
    let width = layout::text_width(label);
    let (left, top) = (x.saturating_sub(width / 2), y.saturating_sub(LINE / 2));
    let base = y + LINE / 4;
    Some(format!(
        "<g class=\"{label}\"><line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" \
         stroke=\"#222222\"{arrow}/><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" \
         height=\"{LINE}\" fill=\"#ffffff\" fill-opacity=\"0.85\"/><text x=\"{x}\" y=\"{base}\" \
         text-anchor=\"middle\" font-size=\"11\">{label}</text></g>\n",
        start.0, start.1, end.0, end.1
    ))
}

/// Returns the point at which the line to another node leaves a node.
fn border(area: Area, other: Area) -> (u32, u32) {
    let (x, y) = area.middle();
    let (right, bottom) = (area.x + area.width, area.y + area.height);
    if other.x > right {
        (right, y)
    } else if other.x + other.width < area.x {
        (area.x, y)
    } else if other.y > bottom {
        (x, bottom)
    } else {
        (x, area.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_leave_nodes_on_the_side_of_the_other() {
        let at = |x, y| Area {
            x,
            y,
            width: 10,
            height: 10,
        };
        assert_eq!(border(at(0, 0), at(50, 0)), (10, 5));
        assert_eq!(border(at(50, 0), at(0, 0)), (50, 5));
        assert_eq!(border(at(0, 0), at(0, 50)), (5, 10));
        assert_eq!(border(at(0, 50), at(0, 0)), (5, 50));
    }
}
