//! The user that this process runs as, and its rights.

use std::sync::OnceLock;

/// The id that the kernel shows for an owner without an id in the user namespace
/// (`/proc/sys/kernel/overflowuid`).
pub const OVERFLOW_UID: u32 = 65534;

/// CAP_SYS_PTRACE (capabilities(7)), as a bit of the masks in `/proc`.
const SYS_PTRACE: u64 = 1 << 19;

/// Returns the user's id outside of the user namespace, or `None` for root of the
/// initial user namespace. Rootless Podman runs plugins as root of its own user
/// namespace.
pub fn rootless_user() -> Option<u32> {
    let uid = nix::unistd::geteuid().as_raw();
    if uid != 0 {
        return Some(uid);
    }
    // A confined run can't read the file any more, and it doesn't change.
    static OUTSIDE: OnceLock<Option<u32>> = OnceLock::new();
    *OUTSIDE.get_or_init(outside)
}

/// Returns the id outside of the user namespace of its root.
fn outside() -> Option<u32> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    let mut first = map.lines().next()?.split_whitespace();
    let (inside, outside, count) = (first.next()?, first.next()?, first.next()?);
    if (inside, outside, count) == ("0", "0", "4294967295") {
        return None;
    }
    outside.parse().ok()
}

/// Whether this process may inspect all other processes of its user namespace. The
/// owner of a user namespace may do so without a capability.
pub fn sees_its_namespace() -> bool {
    if !nix::unistd::geteuid().is_root() {
        return true;
    }
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & SYS_PTRACE != 0)
}
