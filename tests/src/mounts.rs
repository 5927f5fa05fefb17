//! Mounts that only one thread or command and its children have.

use std::io;
use std::os::unix::process::CommandExt;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::Command;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// Runs a function with a tmpfs mounted on `directory`. Only the function and the
/// programs that it runs have this mount.
pub fn with_tmpfs<T: Send>(
    directory: &Path,
    options: &str,
    function: impl FnOnce() -> T + Send,
) -> T {
    thread::scope(|scope| {
        let apart = scope.spawn(|| {
            unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS)
                .expect("a mount namespace can be made");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
                .expect("mounts can be made private");
            let flags = MsFlags::empty();
            mount(Some("none"), directory, Some("tmpfs"), flags, Some(options))
                .expect("a tmpfs can be mounted");
            function()
        });
        apart.join().unwrap_or_else(|e| resume_unwind(e))
    })
}

/// The folder of all kernel settings.
const SETTINGS: &str = "/proc/sys";

/// Has a command run where kernel settings can only be read, as in many containers.
pub fn make_settings_read_only(command: &mut Command) {
    // SAFETY: between fork and exec only system calls are made, with constant
    // arguments.
    unsafe {
        command.pre_exec(mount_settings_read_only);
    }
}

fn mount_settings_read_only() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, flags, none)?;
    mount(Some(SETTINGS), SETTINGS, none, MsFlags::MS_BIND, none)?;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    Ok(mount(none, SETTINGS, none, flags, none)?)
}
