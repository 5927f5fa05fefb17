//! A picture in the language of Graphviz
//! (<https://graphviz.org/doc/info/lang.html>).

use sim::{Edge, EdgeKind, NamespaceView, Topology};
use types::Namespace;

use super::label;

/// Returns the graph of a topology.
pub(super) fn of(topology: &Topology) -> String {
    let mut text = String::from(
        "digraph plan {\n  rankdir=BT;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n  \
         edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    for namespace in &topology.namespaces {
        text.push_str(&cluster(namespace));
    }
    for edge in &topology.edges {
        text.push_str(&line(edge));
    }
    text.push_str("}\n");
    text
}

fn cluster(namespace: &NamespaceView) -> String {
    let name = namespace.name;
    let title = quoted(&[label::title(namespace)]);
    let mut text = format!("  subgraph \"cluster_{name}\" {{\n    label={title};\n");
    for link in &namespace.links {
        let node = node(name, &link.name);
        let lines = quoted(&label::lines(link));
        let colour = label::colour(link.mark);
        text.push_str(&format!(
            "    {node} [label={lines}, fillcolor=\"{colour}\"];\n"
        ));
    }
    text.push_str("  }\n");
    text
}

fn line(edge: &Edge) -> String {
    let from = node(edge.from.namespace, &edge.from.link);
    let to = node(edge.to.namespace, &edge.to.link);
    let label = edge.kind.label();
    let ends = match edge.kind {
        EdgeKind::VethPair => ", dir=none",
        EdgeKind::Master | EdgeKind::Parent | EdgeKind::Redirect => "",
    };
    format!("  {from} -> {to} [label=\"{label}\"{ends}];\n")
}

fn node(namespace: Namespace, link: &str) -> String {
    quoted(&[format!("{namespace}/{link}")])
}

/// Quotes lines as one text. Quotes and backslashes are escaped, because a backslash
/// begins an escape of the language.
fn quoted(lines: &[String]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_graphviz_is_escaped() {
        let lines = ["a\"b".to_owned(), "c\\".to_owned()];
        assert_eq!(quoted(&lines), r#""a\"b\nc\\""#);
    }
}
