//! Chooses by the name that the program was called by: `wasmvark` is the
//! administrator's command, any other name is a driver that netavark calls.

use std::ffi::OsString;
use std::path::Path;

/// The name under which the program is the administrator's command.
const OWN_NAME: &str = "wasmvark";

fn main() {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let code = match called_as(&program) {
        Some(driver) => wasmvark::plugin::main(&driver, arguments),
        None => wasmvark::cli::main(),
    };
    // Without running destructors: the kernel frees everything at once.
    std::process::exit(code);
}

/// The driver's name, unless the program was called by its own.
fn called_as(program: &OsString) -> Option<String> {
    let name = Path::new(program).file_name()?.to_string_lossy();
    (name != OWN_NAME).then(|| name.into_owned())
}
