//! What a forbidden system call leaves behind: a line in the trail that names it, and an
//! error for the caller. The process ends with it.
//!
//! The kernel raises SIGSYS in the thread that made the call. The handler runs in a process
//! that is somebody else's by then, so it relies on nothing but text that was made before.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use syscalls::Sysno;

static ALARM: OnceLock<Alarm> = OnceLock::new();
/// The number of the trail's open file.
static TRAIL: AtomicI32 = AtomicI32::new(NO_FILE);

/// The number that no file has.
const NO_FILE: RawFd = -1;

/// The longest text that is written at once, in bytes.
const TEXT_MAX: usize = 4096;
/// What stands for a system call without a name.
const UNKNOWN: &str = "unknown";

/// The texts that are written around the system call's name.
#[derive(Debug, Clone, Default)]
pub struct Alarm {
    /// The trail, which stays open, and the line's beginning and end.
    pub trail: Option<(RawFd, [String; 2])>,
    /// The beginning and the end of the error document for standard output.
    pub error: [String; 2],
}

impl Alarm {
    /// Has a forbidden system call write these texts and end the process.
    #[allow(unsafe_code, reason = "no safe function sets a handler")]
    pub(crate) fn set(self) -> Result<(), Errno> {
        if let Some((trail, _)) = &self.trail {
            TRAIL.store(*trail, Ordering::Release);
        }
        let _ = ALARM.set(self);
        let handler = SigHandler::SigAction(ring);
        let action = SigAction::new(handler, SaFlags::SA_SIGINFO, SigSet::all());
        // SAFETY: the handler calls only write(2) and _exit(2), and reads what was set
        // before and never changes.
        unsafe { sigaction(Signal::SIGSYS, &action) }.map(drop)
    }

    /// Has the line written to another file of the trail. The caller keeps it open, and
    /// closes the one before only after this.
    pub fn follow(trail: BorrowedFd<'_>) {
        TRAIL.store(trail.as_raw_fd(), Ordering::Release);
    }

    fn write(&self, call: &str) {
        if let Some((first, line)) = &self.trail
            && !write(TRAIL.load(Ordering::Acquire), line, call)
        {
            write(*first, line, call);
        }
        write(libc::STDOUT_FILENO, &self.error, call);
    }
}

/// Handles SIGSYS.
extern "C" fn ring(_: c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let call = forbidden(info).and_then(Sysno::new);
    let name = call.map_or(UNKNOWN, |call| call.name());
    if let Some(alarm) = ALARM.get() {
        alarm.write(name);
    }
    exit();
}

/// Returns the number of the forbidden system call.
#[allow(unsafe_code, reason = "the signal's information is C's")]
fn forbidden(info: *mut libc::siginfo_t) -> Option<usize> {
    // SAFETY: the kernel passes the address of the signal's information, whose part for
    // SIGSYS nix's libc has no function for.
    let info = unsafe { info.cast::<Sigsys>().as_ref() }?;
    usize::try_from(info.call).ok()
}

/// The beginning of `siginfo_t` for SIGSYS (`include/uapi/asm-generic/siginfo.h`).
#[repr(C)]
struct Sigsys {
    signal: c_int,
    errno: c_int,
    code: c_int,
    _padding: c_int,
    address: usize,
    call: c_int,
    architecture: u32,
}

/// Writes one text at once, so that no other line of the trail gets into it. Returns
/// whether that succeeded.
fn write(to: RawFd, [before, after]: &[String; 2], call: &str) -> bool {
    let mut text = [0; TEXT_MAX];
    let mut length: usize = 0;
    let parts = [before.as_str(), call, after.as_str()];
    if parts.iter().map(|part| part.len()).sum::<usize>() > TEXT_MAX {
        return parts.iter().all(|part| write_bytes(to, part.as_bytes()));
    }
    for byte in parts.iter().flat_map(|part| part.bytes()) {
        if let Some(place) = text.get_mut(length) {
            *place = byte;
            length = length.saturating_add(1);
        }
    }
    write_bytes(to, text.get(..length).unwrap_or_default())
}

#[allow(unsafe_code, reason = "a handler may call write(2) alone")]
fn write_bytes(to: RawFd, bytes: &[u8]) -> bool {
    // SAFETY: the bytes live until the call returns. A wrong number fails.
    let written = unsafe { libc::write(to, bytes.as_ptr().cast(), bytes.len()) };
    written >= 0
}

#[allow(unsafe_code, reason = "a handler may not run destructors")]
fn exit() -> ! {
    // SAFETY: it ends the process, and takes nothing.
    unsafe { libc::_exit(1) }
}
