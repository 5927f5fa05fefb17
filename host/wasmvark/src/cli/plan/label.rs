//! The texts and colours of links in a picture.

use sim::{LinkView, Mark};

/// Returns the lines of a link's node.
pub(super) fn lines(link: &LinkView) -> Vec<String> {
    let kind = link.kind.as_deref().unwrap_or("device");
    let up = if link.up { "up" } else { "down" };
    let mut lines = vec![link.name.clone(), format!("{kind}, {up}, MTU {}", link.mtu)];
    lines.extend(mark(link.mark).map(str::to_owned));
    if let Some(mac) = link.mac {
        let assumed = if link.mac_assumed { " (stand-in)" } else { "" };
        lines.push(format!("{mac}{assumed}"));
    }
    lines.extend(link.addresses.iter().cloned());
    lines.extend(link.elsewhere.clone());
    lines
}

/// Returns the change of a link in a word, if it has changed.
pub(super) fn mark(mark: Mark) -> Option<&'static str> {
    match mark {
        Mark::Same => None,
        Mark::Changed => Some("changed"),
        Mark::Moved => Some("moved here"),
        Mark::New => Some("new"),
    }
}

/// Returns the colour of a link's node.
pub(super) fn colour(mark: Mark) -> &'static str {
    match mark {
        Mark::Same => "#ffffff",
        Mark::Changed => "#fff3c4",
        Mark::Moved => "#d7e9ff",
        Mark::New => "#d9f2d9",
    }
}

/// Returns the title of a namespace's box.
pub(super) fn title(namespace: &sim::NamespaceView) -> String {
    match namespace.new {
        true => format!("{} (a new namespace)", namespace.name),
        false => namespace.name.to_string(),
    }
}
