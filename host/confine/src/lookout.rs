//! The wall around a process that only looks at other processes, and tells one other what
//! it saw.
//!
//! Landlock has no part in it: it would keep the process from looking at any process
//! outside (`security/landlock/task.c` in the kernel).

use std::os::fd::{AsRawFd, BorrowedFd};

use caps::Capability;
use nix::sys::prctl::set_no_new_privs;

use crate::{ConfineError, Needs, capabilities, filter, limits};

/// The memory that it may take, in bytes. It keeps some numbers for each open file of the
/// machine.
const MEMORY: u64 = 2 << 30;

/// Confines this process to looking at others, for good. It keeps CAP_SYS_PTRACE and
/// CAP_DAC_READ_SEARCH, if it has them. It opens files only to read them, and writes only to
/// `answers`. Any other system call kills it.
///
/// What the kernel can't hold of it is left out.
///
/// # Errors
///
/// The filter of system calls can't be made.
pub fn only_look(answers: BorrowedFd<'_>) -> Result<(), ConfineError> {
    let program = filter::looking(answers.as_raw_fd())?;
    let kept = [Capability::CAP_SYS_PTRACE, Capability::CAP_DAC_READ_SEARCH];
    let _ = set_no_new_privs();
    let _ = capabilities::give_up_others(&kept.into());
    let needs = Needs {
        memory: MEMORY,
        ..Needs::default()
    };
    let _ = limits::set(&needs);
    let _ = filter::hold(&program);
    Ok(())
}
