//! Capabilities: those of the thread that gives them up.

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl::set_no_new_privs;

use crate::Needs;

/// Returns the capabilities that stay.
pub(crate) fn kept(needs: &Needs) -> CapsHashSet {
    let admin = needs.admin.then_some(Capability::CAP_NET_ADMIN);
    let raw = needs.announce.then_some(Capability::CAP_NET_RAW);
    admin.into_iter().chain(raw).collect()
}

/// Gives up all capabilities of this thread but CAP_NET_ADMIN, for a command that runs no
/// driver. What can't be given up stays, because no driver can use it.
pub fn give_up_for_command() {
    let _ = set_no_new_privs();
    let _ = give_up_others(&[Capability::CAP_NET_ADMIN].into());
}

/// Gives up all other capabilities of this thread, for good.
pub(crate) fn give_up(needs: &Needs) -> Result<(), CapsError> {
    give_up_others(&kept(needs))
}

/// A capability that the thread doesn't have isn't gained.
pub(crate) fn give_up_others(kept: &CapsHashSet) -> Result<(), CapsError> {
    let had = caps::read(None, CapSet::Permitted)?;
    // Only CAP_SETPCAP can take something from the bounding set. Without it, and with
    // no_new_privs, nothing comes back from there either.
    if had.contains(&Capability::CAP_SETPCAP) {
        drop_bounding()?;
    }
    let _ = caps::clear(None, CapSet::Ambient);
    let left: CapsHashSet = kept.intersection(&had).copied().collect();
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &left)?;
    caps::set(None, CapSet::Permitted, &left)
}

/// Empties the bounding set. Only what can't be taken out is read: an older kernel doesn't
/// know the newest capabilities.
fn drop_bounding() -> Result<(), CapsError> {
    for capability in caps::all() {
        if let Err(error) = caps::drop(None, CapSet::Bounding, capability)
            && caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false)
        {
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_few_capabilities() {
        // Capabilities are those of a thread.
        let kept = std::thread::spawn(|| {
            give_up_for_command();
            caps::read(None, CapSet::Effective).unwrap()
        });
        let kept = kept.join().unwrap();
        assert!(
            kept.is_subset(&[Capability::CAP_NET_ADMIN].into()),
            "{kept:?}"
        );
    }
}
