//! Mounts that only one thread and its children have.

use std::panic::resume_unwind;
use std::path::Path;
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
