//! A plan for people.

use audit::{Event, Operation, Verdict, reach_in_words};
use nix::errno::Errno;
use sim::{Edge, LinkView, NamespaceView, Topology};
use types::text;

use super::super::output;
use super::label;
use crate::plugin::Planned;

/// The verdict that isn't said in a test.
const ALLOWED: &str = "allowed";

/// Returns the whole plan as text.
pub(super) fn of(planned: &Planned, grant: &str) -> String {
    let mut report = head(planned, grant);
    section(&mut report, "OPERATIONS", &operations(&planned.operations));
    match &planned.outcome {
        Ok(answer) => section(&mut report, "ANSWER", &format!("{}\n", text::plain(answer))),
        Err(error) => section(
            &mut report,
            "ERROR",
            &format!("{}\n", text::plain_error(&error.to_string())),
        ),
    }
    section(&mut report, "TOPOLOGY", &topology(&planned.topology));
    if planned.command == "setup" && planned.outcome.is_ok() {
        section(&mut report, "UNDONE AT TEARDOWN", &undo(planned));
    }
    let assumed = planned.assumed.iter();
    let assumed: String = assumed.map(|what| format!("{what}\n")).collect();
    section(&mut report, "ASSUMED", &assumed);
    report
}

fn section(report: &mut String, title: &str, content: &str) {
    if content.is_empty() {
        return;
    }
    report.push_str(&format!("\n{title}\n{content}"));
}

fn head(planned: &Planned, grant: &str) -> String {
    let container = planned.container.as_deref().unwrap_or("none yet");
    let rows = [
        ("plan of", planned.command),
        ("driver", planned.driver.as_str()),
        ("digest", planned.digest.as_str()),
        ("grant", grant),
        ("network", planned.network.as_str()),
        ("container", container),
    ];
    let line = |(key, value): (&str, &str)| format!("{key:<11}{}\n", text::plain(value));
    rows.into_iter().map(line).collect()
}

/// Returns one line of each operation, without the verdict that most have.
pub(in crate::cli) fn lines(operations: &[Operation]) -> Vec<String> {
    let line = |operation: &Operation| {
        let verdict = Some(verdict(operation)).filter(|verdict| *verdict != ALLOWED);
        let object = text::plain(&operation.object) + &why(operation);
        let words = [
            verdict.unwrap_or_default(),
            operation.call.as_deref().unwrap_or_default(),
        ];
        let words = words.into_iter().chain([object.as_str()]);
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        words.join(" ")
    };
    operations.iter().map(line).collect()
}

fn verdict(operation: &Operation) -> &'static str {
    match (operation.event, operation.verdict) {
        (Event::Change, _) => "changed",
        (Event::Undo, _) => "undone",
        (_, Some(Verdict::Deny)) => "denied",
        _ => ALLOWED,
    }
}

fn operations(operations: &[Operation]) -> String {
    if operations.is_empty() {
        return "none\n".to_owned();
    }
    let rows = operations.iter().enumerate().map(|(number, operation)| {
        [
            format!("{:>3}", number + 1),
            verdict(operation).to_owned(),
            operation.call.clone().unwrap_or_default(),
            text::plain(&operation.object) + &why(operation),
        ]
    });
    output::table(&rows.collect::<Vec<_>>())
}

/// Returns the reach that an operation needed or lacked, and its error.
fn why(operation: &Operation) -> String {
    let reach = reach_in_words(operation.verdict, &operation.reach);
    let reach = reach.map(|words| format!("  ({words})"));
    let errno = operation.errno.map(|number| {
        let errno = Errno::from_raw(number);
        format!(": {} ({errno:?})", errno.desc())
    });
    let error = operation.error.as_ref();
    let error = error.map(|error| format!(": {}", text::plain_error(error)));
    [reach, errno, error].into_iter().flatten().collect()
}

fn undo(planned: &Planned) -> String {
    let mut lines: String = planned
        .undo
        .iter()
        .map(|operation| format!("{}{}\n", text::plain(&operation.object), why(operation)))
        .collect();
    match &planned.left {
        None => lines.push_str("Then all is as it was.\n"),
        Some(left) => {
            lines.push_str("Then this is left:\n");
            lines.push_str(&changes(left));
        }
    }
    lines
}

/// Describes a topology's new, changed and removed objects.
pub(in crate::cli) fn changes(topology: &Topology) -> String {
    let parts = parts(topology);
    parts.iter().map(|part| marked(part)).collect()
}

/// Describes a topology.
pub(in crate::cli) fn topology(topology: &Topology) -> String {
    parts(topology).concat()
}

/// Returns the head of a topology's part and the lines about new, changed or removed
/// objects. Returns nothing if there are no such lines.
fn marked(part: &str) -> String {
    let mut lines = part.split_inclusive('\n');
    let head = lines.next().unwrap_or_default();
    let changes =
        lines.filter(|line| ["  + ", "  - ", "  ~ "].contains(&line.get(..4).unwrap_or_default()));
    match changes.collect::<String>() {
        none if none.is_empty() => none,
        changes => format!("{head}{changes}"),
    }
}

/// Describes the namespaces, and the firewalls whose rules change.
fn parts(topology: &Topology) -> Vec<String> {
    let namespaces = topology.namespaces.iter();
    let mut parts: Vec<_> = namespaces.map(|part| namespace(topology, part)).collect();
    for (whose, changes) in [
        ("host", &topology.firewall),
        ("container", &topology.container_firewall),
    ] {
        if !changes.is_empty() {
            parts.push(format!("firewall of the {whose}\n{}", changed("", changes)));
        }
    }
    parts
}

fn namespace(topology: &Topology, namespace: &NamespaceView) -> String {
    let mut text = format!("{}\n", label::title(namespace));
    text.push_str(&links(topology, namespace));
    for (title, changes) in [("route", &namespace.routes), ("rule", &namespace.rules)] {
        text.push_str(&changed(title, changes));
    }
    for setting in &namespace.settings {
        text.push_str(&format!("  + setting {}\n", text::plain(setting)));
    }
    text
}

fn changed(title: &str, changes: &sim::Changes) -> String {
    let line = |sign: char| {
        move |what: &String| {
            let line = format!("{sign} {title} {}", text::plain(what));
            format!("  {}\n", line.replace("  ", " "))
        }
    };
    let added = changes.added.iter().map(line('+'));
    added.chain(changes.removed.iter().map(line('-'))).collect()
}

fn links(topology: &Topology, namespace: &NamespaceView) -> String {
    let rows = namespace.links.iter().map(|link| {
        let sign = match label::mark(link.mark) {
            None => " ",
            Some("changed") => "~",
            Some(_) => "+",
        };
        [
            format!("  {sign} {}", text::plain(&link.name)),
            link.kind.clone().unwrap_or_else(|| "-".to_owned()),
            if link.up { "up" } else { "down" }.to_owned(),
            format!("MTU {}", link.mtu),
            link.mac.map_or("-".to_owned(), |mac| mac.to_string()),
            more(topology, namespace, link),
        ]
    });
    output::table(&rows.collect::<Vec<_>>())
}

/// Describes a link's addresses, edges and other properties.
fn more(topology: &Topology, namespace: &NamespaceView, link: &LinkView) -> String {
    let mut more = link.addresses.clone();
    let edges = topology.edges.iter();
    let own = |edge: &&Edge| {
        let end = (edge.from.namespace, &edge.from.link);
        end == (namespace.name, &link.name)
    };
    more.extend(edges.filter(own).map(|edge| {
        format!(
            "{} {}:{}",
            edge.kind.label(),
            edge.to.namespace,
            edge.to.link
        )
    }));
    more.extend(link.elsewhere.clone());
    more.extend(link.set.iter().cloned());
    text::plain(&more.join(", "))
}
