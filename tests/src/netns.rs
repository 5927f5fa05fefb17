//! Network namespaces that are deleted with their last user.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use crate::dump::Dump;
use crate::process;
use crate::reader::Reader;

/// A network namespace. It has no name and no process, so the kernel deletes it when
/// this value is dropped, even by a crash.
pub struct Netns {
    fd: OwnedFd,
    /// The reader of its state, once that was read.
    reader: Mutex<Option<Reader>>,
}

impl fmt::Debug for Netns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Netns").field(&self.fd).finish()
    }
}

impl From<OwnedFd> for Netns {
    fn from(fd: OwnedFd) -> Self {
        Self {
            fd,
            reader: Mutex::new(None),
        }
    }
}

impl Netns {
    /// Makes a namespace with only `lo`, which is up.
    #[expect(clippy::new_without_default, reason = "it asks the kernel")]
    pub fn new() -> Self {
        let netns = Self::empty();
        netns.run(use_addresses_at_once);
        netns.ip("link set lo up");
        netns
    }

    /// Makes a namespace as the kernel makes it: `lo` is down.
    pub fn empty() -> Self {
        let make = || -> OwnedFd {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace can be made");
            File::open("/proc/thread-self/ns/net")
                .expect("the namespace can be opened")
                .into()
        };
        let fd = thread::spawn(make).join();
        fd.unwrap_or_else(|e| resume_unwind(e)).into()
    }

    /// Opens an existing namespace.
    pub fn open(path: &Path) -> Self {
        let file = File::open(path)
            .unwrap_or_else(|error| panic!("no namespace {}: {error}", path.display()));
        OwnedFd::from(file).into()
    }

    /// Opens the namespace in which the tests were started.
    pub fn current() -> Self {
        let file = File::open("/proc/self/ns/net").expect("the namespace can be opened");
        OwnedFd::from(file).into()
    }

    /// Reads the namespace's state.
    pub(crate) fn read(&self) -> Dump {
        let mut reader = self.reader.lock().unwrap_or_else(|poisoned| {
            // Its programs may still owe answers.
            let mut reader = poisoned.into_inner();
            *reader = None;
            reader
        });
        if reader.is_none() && !Reader::may_be_kept() {
            return Reader::new(self).read(self);
        }
        reader.get_or_insert_with(|| Reader::new(self)).read(self)
    }

    /// Returns the path by which other processes can open the namespace.
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.fd.as_raw_fd()).into()
    }

    /// Runs a function in the namespace. Sockets that it makes stay in the namespace.
    pub fn run<T: Send>(&self, function: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(&self.fd, CloneFlags::CLONE_NEWNET).expect("the namespace can be entered");
                function()
            });
            inside.join().unwrap_or_else(|e| resume_unwind(e))
        })
    }

    /// Returns a command that will run in the namespace.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let fd = self.fd.try_clone().expect("the descriptor can be copied");
        let mut command = Command::new(program);
        // SAFETY: between fork and exec only setns is called. It's a system call that
        // allocates nothing.
        unsafe {
            command.pre_exec(move || Ok(setns(&fd, CloneFlags::CLONE_NEWNET)?));
        }
        command
    }

    /// Sets a kernel setting of the namespace, by its path in `/proc/sys/net`.
    pub fn set(&self, setting: &str, value: &str) {
        let file = format!("/proc/sys/net/{setting}");
        self.run(|| fs::write(&file, value))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// Makes the namespace forward packets of both families.
    pub fn forward(&self) {
        self.set("ipv4/ip_forward", "1");
        self.set("ipv6/conf/all/forwarding", "1");
    }

    /// Runs a command of `ip` in the namespace.
    pub fn ip(&self, command: &str) {
        self.ip_batch(&[], command);
    }

    /// Runs commands of `ip` in the namespace, one per line, and returns their output.
    pub fn ip_batch(&self, flags: &[&str], commands: &str) -> String {
        let mut ip = self.command("ip");
        let output = process::run(ip.args(flags).args(["-batch", "-"]), commands.as_bytes());
        assert_eq!(output.code, Some(0), "ip {commands}: {}", output.stderr);
        output.stdout
    }
}

impl Netns {
    /// Has new links detect duplicate addresses, as the kernel does by default.
    pub fn detect_duplicates(&self) {
        self.set("ipv6/conf/default/accept_dad", "1");
    }
}

/// Turns duplicate address detection off, so that IPv6 addresses are usable at once. If
/// `/proc/sys` is read-only, the tests only take longer.
fn use_addresses_at_once() {
    for device in ["all", "default"] {
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{device}/accept_dad"), "0");
    }
}
