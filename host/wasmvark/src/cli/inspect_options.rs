//! The options of a driver, as `wasmvark inspect` shows them.

use request::{Declared, DeclaredOption, Scope};

use super::output;

/// Returns the text about the options that a driver declares.
pub(super) fn text(declared: &Declared) -> String {
    match declared.options() {
        None => "\nOPTIONS\nnot declared, so the host refuses none\n".to_owned(),
        Some([]) => {
            "\nOPTIONS\nnone, but metric, mtu and no_default_route of every driver\n".to_owned()
        }
        Some(options) => {
            let head = ["NAME", "FOR", "TAKES", "DEFAULT", "WHAT FOR"].map(str::to_owned);
            let rows = std::iter::once(head).chain(options.iter().map(row));
            format!("\nOPTIONS\n{}", output::table(&rows.collect::<Vec<_>>()))
        }
    }
}

fn row(option: &DeclaredOption) -> [String; 5] {
    let place = match option.scope() {
        Scope::Network => "network",
        Scope::Container => "container",
        Scope::Both => "both",
        Scope::Driver => "the driver itself",
    };
    [
        option.name().as_str().to_owned(),
        place.to_owned(),
        option.expected(),
        option.default().unwrap_or("-").to_owned(),
        option.description().to_owned(),
    ]
}
