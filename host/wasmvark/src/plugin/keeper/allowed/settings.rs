//! The settings of the host that a run may keep.

use std::collections::BTreeMap;

/// The beginning of the paths of the network's settings.
const SETTINGS: &str = "/proc/sys/net/";
/// The most settings. Each is of a link of the container's, or one of the host's few.
const SETTINGS_MAX: usize = 1024;
/// The longest path or value, in bytes: PATH_MAX in `linux/limits.h`.
const TEXT_MAX: usize = 4096;

/// Whether all of these are settings of the network, with one line each.
pub(super) fn allows(settings: &BTreeMap<String, String>) -> bool {
    let is_line = |text: &str| text.len() <= TEXT_MAX && !text.chars().any(char::is_control);
    let is_below = |path: &str| {
        path.starts_with(SETTINGS) && !path.split('/').any(|part| part == "." || part == "..")
    };
    let mut all = settings.iter();
    settings.len() <= SETTINGS_MAX
        && all.all(|(path, value)| is_below(path) && is_line(path) && is_line(value))
}
