//! The reference for all commands: exit codes, environment variables and files. The
//! program's manual page and `docs/commands.md` are made from it.

use std::path::Path;

use crate::store::Layout;

/// The exit codes and their meanings.
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

/// The environment variables and their effects.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "WASMVARK_ROOT",
        "Does the same as --root, also when netavark runs a driver. It must be an absolute path.",
    ),
    (
        "XDG_DATA_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME, XDG_RUNTIME_DIR, HOME",
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
    (
        "NETAVARK_FW",
        "With none, which Podman sets for firewall_driver = \"none\" in containers.conf, drivers add \
         nothing to the firewall.",
    ),
    (
        "PATH",
        "Where podman is looked for, by doctor, by convert --apply and for its version.",
    ),
    (
        "CONTAINERS_CONF, CONTAINERS_CONF_OVERRIDE",
        "Which configuration of Podman is read, as by Podman itself.",
    ),
];

/// A kind of file, with its paths.
pub(super) struct Place {
    pub(super) what: &'static str,
    /// The path for root.
    pub(super) system: String,
    /// The path for other users.
    pub(super) user: String,
}

/// Returns the places of all kinds of files.
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

/// Returns the kinds of files, each with its path in one installation.
pub(super) fn rows(layout: &Layout) -> [(&'static str, &Path); 7] {
    [
        ("links", &layout.plugins),
        ("components, code", &layout.lib),
        ("grants", &layout.grants),
        ("secrets", &layout.secrets),
        ("journals", &layout.run),
        ("audit trail", &layout.trail),
        (
            "code of plans",
            layout.cache.as_deref().unwrap_or(Path::new("-")),
        ),
    ]
}
