//! The table of system calls. Each has arguments with which it works for an unconfined
//! root, or fails for another reason than a lack of rights, and none does harm.

mod files;
mod machine;
mod memory;
mod namespaces;
#[cfg(target_arch = "x86_64")]
mod old;
mod processes;
mod rights;
mod signals;
mod sockets;

use syscalls::Sysno;

use super::Outcome;
use super::raw;

/// A system call with arguments.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) number: Sysno,
    arguments: fn() -> Vec<usize>,
}

impl Call {
    pub(super) fn make(&self) -> Outcome {
        raw::call(self.number, &(self.arguments)())
    }
}

/// Makes a table.
macro_rules! calls {
    ($($name:literal: $number:ident($($argument:expr),*);)*) => {
        &[$($crate::payload::calls::Call {
            name: $name,
            number: syscalls::Sysno::$number,
            arguments: || vec![$($argument),*],
        }),*]
    };
}
use calls;

/// Returns all calls.
pub(super) fn all() -> impl Iterator<Item = &'static Call> {
    let tables = [
        processes::CALLS,
        signals::CALLS,
        rights::CALLS,
        namespaces::CALLS,
        sockets::CALLS,
        sockets::NETLINK,
        files::CALLS,
        memory::CALLS,
        machine::CALLS,
        #[cfg(target_arch = "x86_64")]
        old::CALLS,
    ];
    tables.into_iter().flatten()
}

/// Returns a call by its name.
pub(super) fn named(name: &str) -> Option<&'static Call> {
    all().find(|call| call.name == name)
}
