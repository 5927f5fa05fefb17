//! The options of a driver, as `wasmvark inspect` shows them.

use request::{Declared, DeclaredOption, Scope};

use super::output;

/// Returns the text about the options that a driver declares. `checked` says whether the
/// host refuses others.
pub(super) fn text(declared: &Declared, checked: bool) -> String {
    let title = match checked {
        true => "OPTIONS",
        false => "OPTIONS (the driver checks them itself, because it's for an older interface)",
    };
    match declared.options() {
        Some([]) if checked => {
            "\nOPTIONS\nnone, but metric, mtu and no_default_route of every driver\n".to_owned()
        }
        None | Some([]) => "\nOPTIONS\nnot declared, so the host refuses none\n".to_owned(),
        Some(options) => {
            let head = ["NAME", "FOR", "TAKES", "DEFAULT", "WHAT FOR"].map(str::to_owned);
            let rows = std::iter::once(head).chain(options.iter().map(row));
            format!("\n{title}\n{}", output::table(&rows.collect::<Vec<_>>()))
        }
    }
}

fn row(option: &DeclaredOption) -> [String; 5] {
    [
        option.name().as_str().to_owned(),
        place(option).to_owned(),
        option.expected(),
        option.default().unwrap_or("-").to_owned(),
        option.description().to_owned(),
    ]
}

/// Returns what an option can be given for.
pub(super) fn place(option: &DeclaredOption) -> &'static str {
    match option.scope() {
        Scope::Network => "network",
        Scope::Container => "container",
        Scope::Both => "both",
        Scope::Driver => "the driver itself",
    }
}
