//! Chooses by the name that the program was called by: `wasmvark` is the
//! administrator's command, any other name is a driver that netavark calls.

use std::ffi::OsString;
use std::path::Path;

use dlmalloc::GlobalDlmalloc;
use nix::sys::stat::{Mode, umask};

/// The C library's allocator maps and unmaps each few pages anew, which costs a short run
/// more time than all its work in memory.
#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

/// The name under which the program is the administrator's command.
const OWN_NAME: &str = "wasmvark";

/// What nobody but the owner may do to a file that this program makes.
const UMASK: u32 = 0o022;

/// Runs what the program was called for, and ends the process.
pub fn main() -> ! {
    fix_umask();
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let code = match called_as(&program) {
        Some(name) if name == crate::compile::NAME => crate::compile::main(),
        Some(driver) => crate::plugin::main(&driver, arguments),
        None => crate::cli::main(),
    };
    // Without running destructors: the kernel frees everything at once.
    std::process::exit(code);
}

/// Takes at least that away, whoever calls: a file that must have just one mode
/// gets it in any case.
fn fix_umask() {
    let before = umask(Mode::from_bits_truncate(UMASK));
    umask(before | Mode::from_bits_truncate(UMASK));
}

/// The driver's name, unless the program was called by its own.
fn called_as(program: &OsString) -> Option<String> {
    let name = Path::new(program).file_name()?.to_string_lossy();
    (name != OWN_NAME).then(|| name.into_owned())
}
