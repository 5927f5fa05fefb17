//! What holds for all commands: exit codes, the environment, files. The main
//! page and `docs/commands.md` are made of it.

use std::path::Path;

use crate::store::Layout;

/// Exit codes, and what they say.
pub(super) const EXIT_CODES: &[(i32, &str)] = &[
    (
        0,
        "Success. For doctor and audit: nothing was found. For diff: the new one may do no more.",
    ),
    (
        1,
        "Failure; standard error says why. For doctor and audit: something was found. For diff: the \
         new one may do more.",
    ),
    (
        2,
        "The command line is wrong. For doctor, audit and diff: the check itself failed.",
    ),
    (
        3,
        "Nothing was changed, because nobody granted anything (install, upgrade).",
    ),
];

/// Variables of the environment, and what they do.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "WASMVARK_ROOT",
        "Does the same as --root, also when netavark runs a driver. It must be an absolute path.",
    ),
    (
        "XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR, HOME",
        "Where the files of users other than root are, and containers.conf for doctor.",
    ),
    (
        "RUST_LOG",
        "With info or debug, messages of these levels are shown when netavark runs a driver. \
         Warnings and errors always are.",
    ),
    (
        "NO_COLOR, CLICOLOR_FORCE",
        "Turn colours off, or on where standard output is no terminal.",
    ),
    ("PATH", "Where doctor and convert --apply look for podman."),
    (
        "CONTAINERS_CONF, CONTAINERS_CONF_OVERRIDE",
        "Which configuration of Podman doctor reads, as Podman itself does.",
    ),
];

/// A kind of file, and where it lies.
pub(super) struct Place {
    pub(super) what: &'static str,
    /// For root.
    pub(super) system: String,
    /// For other users.
    pub(super) user: String,
}

/// Where everything lies.
pub(super) fn places() -> Vec<Place> {
    let (system, user) = (Layout::system(), Layout::user_in_words());
    rows(&system)
        .into_iter()
        .zip(rows(&user))
        .map(|((what, system), (_, user))| Place {
            what,
            system: system.display().to_string(),
            user: user.display().to_string(),
        })
        .collect()
}

/// The places of one installation, each with what lies there.
pub(super) fn rows(layout: &Layout) -> [(&'static str, &Path); 6] {
    [
        ("links", &layout.plugins),
        ("components, code", &layout.lib),
        ("grants", &layout.grants),
        ("secrets", &layout.secrets),
        ("journals", &layout.run),
        ("audit trail", &layout.trail),
    ]
}
