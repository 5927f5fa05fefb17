//! Namespaces, mounts and roots.

use nix::libc;

use super::{Call, calls};
use crate::payload::files::here;
use crate::payload::raw::{NONE, memory, number, text};

/// The first file that isn't standard input or output.
const FIRST: usize = 3;
/// `FSCONFIG_CMD_CREATE` (`linux/mount.h`).
const CREATE: usize = 6;

fn nowhere() -> usize {
    text(c"/nowhere")
}

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "setns": setns(FIRST, 0);
    "setns-net": setns(FIRST, number(libc::CLONE_NEWNET));
    "setns-user": setns(FIRST, number(libc::CLONE_NEWUSER));
    "setns-mount": setns(FIRST, number(libc::CLONE_NEWNS));
    "setns-pid": setns(FIRST, number(libc::CLONE_NEWPID));
    "unshare-user": unshare(number(libc::CLONE_NEWUSER));
    "unshare-net": unshare(number(libc::CLONE_NEWNET));
    "unshare-mount": unshare(number(libc::CLONE_NEWNS));
    "unshare-pid": unshare(number(libc::CLONE_NEWPID));
    "chroot": chroot(text(c"/"));
    "chdir": chdir(text(c"/"));
    "fchdir": fchdir(NONE);
    "pivot_root": pivot_root(nowhere(), nowhere());
    "mount": mount(text(c"none"), nowhere(), text(c"none"), 0, 0);
    "umount2": umount2(nowhere(), 0);
    "fsopen": fsopen(text(c"none"), 0);
    "fsconfig": fsconfig(NONE, CREATE, 0, 0, 0);
    "fsmount": fsmount(NONE, 0, 0);
    "fspick": fspick(here(), nowhere(), 0);
    "move_mount": move_mount(here(), nowhere(), here(), nowhere(), 0);
    "open_tree": open_tree(here(), text(c"/"), 0);
    "mount_setattr": mount_setattr(here(), nowhere(), 0, memory(&[]), 32);
    "sethostname": sethostname(text(c""), NONE);
    "setdomainname": setdomainname(text(c""), NONE);
};
