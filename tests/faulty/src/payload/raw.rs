//! System calls as a payload makes them: by number, with arguments that no library checks.

use std::ffi::CStr;
use std::process;
use std::sync::atomic::AtomicU32;

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use syscalls::{Errno, SyscallArgs, Sysno};

use super::Outcome;

/// Makes a system call. A process that it forks ends at once.
pub(super) fn call(number: Sysno, arguments: &[usize]) -> Outcome {
    let argument = |index: usize| arguments.get(index).copied().unwrap_or_default();
    let arguments = SyscallArgs::new(
        argument(0),
        argument(1),
        argument(2),
        argument(3),
        argument(4),
        argument(5),
    );
    // SAFETY: the tables' pointers lead to memory that lives as long as the process, and
    // what a call does to the process beside that is what the payload is for.
    let result = unsafe { syscalls::syscall(number, &arguments) };
    if ["fork", "clone", "clone3"].contains(&number.name()) && result == Ok(0) {
        process::exit(0);
    }
    result
}

/// Asks for the process's number through another ABI of the processor.
#[cfg(target_arch = "x86_64")]
pub(super) fn other_abi(abi: &str) -> Outcome {
    /// `__X32_SYSCALL_BIT` (`asm/unistd.h`).
    const X32: i64 = 0x4000_0000;
    /// `__NR_getpid` of i386 (`asm/unistd_32.h`).
    const GETPID: usize = 20;
    if abi == "x32" {
        // SAFETY: the call takes nothing, and changes nothing.
        let result = unsafe { libc::syscall(X32 | libc::SYS_getpid) };
        return usize::try_from(result).map_err(|_| Errno::new(nix::errno::Errno::last_raw()));
    }
    let result: usize;
    // SAFETY: the call takes nothing, and changes nothing but these registers.
    unsafe {
        std::arch::asm!(
            "int 0x80",
            inlateout("rax") GETPID => result,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    Ok(result)
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn other_abi(_: &str) -> Outcome {
    super::UNKNOWN
}

/// Blocks the signal by which the filter of system calls reports.
pub(super) fn block_sigsys() -> Outcome {
    let mut set = SigSet::empty();
    set.add(Signal::SIGSYS);
    match sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None) {
        Ok(()) => Ok(0),
        Err(errno) => Err(Errno::new(errno as i32)),
    }
}

/// Makes counters that forked processes share.
pub(crate) fn shared() -> &'static [AtomicU32; 2] {
    static LONE: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];
    let access = number(libc::PROT_READ | libc::PROT_WRITE);
    let kind = number(libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    let made = call(Sysno::mmap, &[0, size_of_val(&LONE), access, kind, NONE, 0]);
    made.map_or(&LONE, |address| {
        let counters: *const [AtomicU32; 2] = std::ptr::with_exposed_provenance(address);
        // SAFETY: the mapping is new, large enough, aligned to a page, full of zeros, and
        // is never unmapped.
        unsafe { &*counters }
    })
}

/// A descriptor or process that isn't there.
pub(super) const NONE: usize = usize::MAX;

/// Returns a constant of C as an argument.
pub(super) fn number(constant: i32) -> usize {
    usize::try_from(constant.cast_unsigned()).unwrap_or_default()
}

/// Returns the address of a text.
pub(super) fn text(text: &CStr) -> usize {
    text.as_ptr().expose_provenance()
}

/// Returns the address of memory that begins with these numbers. Zeros follow.
pub(super) fn memory(words: &[u64]) -> usize {
    /// More than any call of the tables writes, in numbers.
    const ROOM: usize = 512;
    let mut memory = words.to_vec();
    memory.resize(ROOM, 0);
    memory.leak().as_ptr().expose_provenance()
}

/// Returns the number of this process.
pub(super) fn own() -> usize {
    usize::try_from(process::id()).unwrap_or_default()
}
