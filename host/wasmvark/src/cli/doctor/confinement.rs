//! The check of what this kernel can hold of a run's confinement.

use confine::Gap;

use super::finding::Finding;

const CHECK: &str = "confinement";

/// Reports what runs on this kernel aren't held back from.
pub(super) fn check() -> Vec<Finding> {
    let gaps = confine::gaps();
    if gaps.is_empty() {
        return vec![Finding::ok(CHECK, "this kernel holds all of it")];
    }
    let found = gaps.iter();
    found
        .map(|gap| Finding::warning(CHECK, gap.to_string(), remedy(gap)))
        .collect()
}

fn remedy(gap: &Gap) -> &'static str {
    match gap {
        Gap::NoLandlock => "boot a kernel with CONFIG_SECURITY_LANDLOCK, and landlock in `lsm=`",
        Gap::OldLandlock(_) => "boot Linux 6.2 or newer",
        Gap::NoSeccomp(_) => {
            "boot a kernel with CONFIG_SECCOMP_FILTER, and allow seccomp(2) where this runs in a \
             container"
        }
        Gap::Capabilities(_) | Gap::Limits(_) => "report it",
    }
}
