//! The second wall. A run gives up what it doesn't need before the first byte of its
//! driver's code is mapped, so that a driver that breaks out of its sandbox finds a
//! process that can do no more than its grant.
//!
//! | part | what it holds |
//! |---|---|
//! | capabilities | CAP_NET_ADMIN at most, and CAP_NET_RAW to announce addresses |
//! | Landlock | the files that the run reads and writes from then on |
//! | seccomp | the system calls, with the families of sockets |
//! | rlimits | memory, the size of files, open files, no core file |
//!
//! The crate knows nothing of drivers and grants: [`Needs`] says what stays.

#![deny(unsafe_code)]

mod alarm;
mod capabilities;
mod files;
mod filter;
mod gap;
mod limits;
mod lookout;
mod needs;
mod wall;

pub use alarm::Alarm;
pub use capabilities::give_up_for_command;
pub use filter::{FilterError, allowed_calls, also_allow};
pub use gap::{Gap, gaps};
pub use limits::no_more_threads;
pub use lookout::only_look;
pub use needs::{Needs, Place, Use};
pub use wall::{ConfineError, Wall};
