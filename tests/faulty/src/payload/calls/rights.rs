//! The rights of the process.

use nix::libc;

use super::{Call, calls};
use crate::payload::raw::{memory, number};

/// `_LINUX_CAPABILITY_VERSION_3` (`linux/capability.h`).
const CAPABILITIES: u64 = 0x2008_0522;
/// `SECCOMP_SET_MODE_FILTER` and `SECCOMP_GET_ACTION_AVAIL` (`linux/seccomp.h`).
const SET_FILTER: usize = 1;
const IS_KNOWN: usize = 2;
/// `SECCOMP_RET_ALLOW`.
const ALLOW: u64 = 0x7fff_0000;
/// `KEYCTL_GET_KEYRING_ID` and `KEY_SPEC_SESSION_KEYRING` (`linux/keyctl.h`).
const GET_KEYRING: usize = 0;
const SESSION: i32 = -3;

#[rustfmt::skip]
pub(super) const CALLS: &[Call] = calls! {
    "setuid": setuid(0);
    "setgid": setgid(0);
    "setreuid": setreuid(0, 0);
    "setresuid": setresuid(0, 0, 0);
    "setresgid": setresgid(0, 0, 0);
    "setfsuid": setfsuid(0);
    "setgroups": setgroups(0, 0);
    "capset": capset(memory(&[CAPABILITIES]), memory(&[]));
    "prctl-dumpable": prctl(number(libc::PR_SET_DUMPABLE), 1, 0, 0, 0);
    "prctl-keep-capabilities": prctl(number(libc::PR_SET_KEEPCAPS), 1, 0, 0, 0);
    "prctl-no-new-privileges": prctl(number(libc::PR_SET_NO_NEW_PRIVS), 0, 0, 0, 0);
    "prctl-seccomp": prctl(number(libc::PR_SET_SECCOMP), 0, 0, 0, 0);
    "seccomp": seccomp(IS_KNOWN, 0, memory(&[ALLOW]));
    "seccomp-filter": seccomp(SET_FILTER, 0, 0);
    "personality": personality(0);
    "umask": umask(0o077);
    "keyctl": keyctl(GET_KEYRING, number(SESSION), 0);
    "add_key": add_key(0, 0, 0, 0, number(SESSION));
    "request_key": request_key(0, 0, 0, number(SESSION));
    "landlock_create_ruleset": landlock_create_ruleset(0, 0, 1);
    "landlock_restrict_self": landlock_restrict_self(usize::MAX, 0);
};
