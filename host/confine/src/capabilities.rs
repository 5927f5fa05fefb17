//! Capabilities: those of the thread that gives them up.

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};

use crate::Needs;

/// Returns the capabilities that stay.
pub(crate) fn kept(needs: &Needs) -> CapsHashSet {
    let admin = needs.admin.then_some(Capability::CAP_NET_ADMIN);
    let raw = needs.announce.then_some(Capability::CAP_NET_RAW);
    admin.into_iter().chain(raw).collect()
}

/// Gives up all other capabilities of this thread, for good. A capability that the thread
/// doesn't have isn't gained.
pub(crate) fn give_up(needs: &Needs) -> Result<(), CapsError> {
    let kept = kept(needs);
    let had = caps::read(None, CapSet::Permitted)?;
    // Only CAP_SETPCAP can take something from the bounding set. Without it, and with
    // no_new_privs, nothing comes back from there either.
    if had.contains(&Capability::CAP_SETPCAP) {
        caps::clear(None, CapSet::Bounding)?;
    }
    let _ = caps::clear(None, CapSet::Ambient);
    let left: CapsHashSet = kept.intersection(&had).copied().collect();
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &left)?;
    caps::set(None, CapSet::Permitted, &left)
}
