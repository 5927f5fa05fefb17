//! A machine that is real and goes away: namespaces that this process makes for itself,
//! as any user may, and that end with it.

mod machine;

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use kernel::{Netlink, Netns, NetnsError, Timed};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use sim::{Imagined, Simulation};

use super::plan::READING_TIME;
use machine::MakeError;

/// The folder that gets files of its own, which nobody else sees.
const FOLDER: &str = "/tmp";
/// The folders with the sockets of the machine's services, such as firewalld's bus. What is
/// tried must not reach them.
const SERVICES: [&str; 2] = ["/run", "/var/run"];
/// The handle of a thread's network namespace.
const OWN_NETNS: &str = "/proc/thread-self/ns/net";
/// This program.
const ITSELF: &str = "/proc/self/exe";
/// The settings for which new links get no link-local address (`addr_gen_mode` in
/// `Documentation/networking/ip-sysctl.rst`), and the usual one.
const ADDR_GEN_MODE: &str = "/proc/sys/net/ipv6/conf/default/addr_gen_mode";
const ADDR_GEN_MODE_NONE: &str = "1";
const ADDR_GEN_MODE_EUI64: &str = "0";

/// Why there is no machine of one's own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThrowawayError {
    /// The user may not make namespaces.
    #[error(
        "this user can't make namespaces ({0}): allow it, on Debian with `sysctl \
         kernel.unprivileged_userns_clone=1`, on Ubuntu with `sysctl \
         kernel.apparmor_restrict_unprivileged_userns=0`, or run this as root"
    )]
    Unshare(Errno),
    /// The namespaces can't be prepared.
    #[error("can't prepare the namespaces: {what}: {error}")]
    Prepare {
        /// What was done.
        what: &'static str,
        /// The cause.
        error: io::Error,
    },
    /// A namespace can't be entered.
    #[error(transparent)]
    Netns(#[from] NetnsError),
    /// The machine of the case can't be made.
    #[error("this kernel can't make the machine: {0}")]
    Make(#[from] MakeError),
    /// The namespaces can't be read.
    #[error("can't read the namespaces: {0}")]
    Read(kernel::KernelError),
}

/// The namespaces, with a folder of their own.
pub(crate) struct Throwaway {
    container: PathBuf,
}

impl Throwaway {
    /// Moves this process to namespaces of its own, and makes a machine there.
    ///
    /// # Errors
    ///
    /// The user may not do that, or the kernel can't make the machine.
    pub(crate) fn enter(wanted: &Imagined) -> Result<Self, ThrowawayError> {
        let (user, group) = (geteuid(), getegid());
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
            .map_err(ThrowawayError::Unshare)?;
        // user_namespaces(7) has the order.
        write("map the user", "/proc/self/setgroups", "deny")?;
        write("map the user", "/proc/self/uid_map", &format!("0 {user} 1"))?;
        write(
            "map the user",
            "/proc/self/gid_map",
            &format!("0 {group} 1"),
        )?;
        mount_folders().map_err(|errno| match errno {
            // Ubuntu makes the namespace, and takes its rights away.
            Errno::EPERM | Errno::EACCES => ThrowawayError::Unshare(errno),
            errno => prepare("lay empty folders over others", errno),
        })?;

        let this = Self {
            container: make_netns("container")?,
        };
        let (mut kernel, mut network) = (this.open()?, open(&make_netns("network")?)?);
        // A kernel without IPv6 has no such setting.
        let _ = std::fs::write(ADDR_GEN_MODE, ADDR_GEN_MODE_NONE);
        machine::make(&mut kernel, &mut network, wanted)?;
        let _ = std::fs::write(ADDR_GEN_MODE, ADDR_GEN_MODE_EUI64);
        Ok(this)
    }

    /// Returns the folder for an installation.
    pub(crate) fn root(&self) -> PathBuf {
        Path::new(FOLDER).join("wasmvark")
    }

    /// Has an installed driver do something for the container, as netavark does.
    ///
    /// # Errors
    ///
    /// The process can't be started.
    pub(crate) fn call(&self, driver: &str, command: &str, document: &[u8]) -> io::Result<Output> {
        let netns = (command != "create").then_some(self.container.as_os_str());
        let arguments = [Some(OsStr::new(command)), netns];
        let mut child = Command::new(ITSELF)
            .arg0(driver)
            .args(arguments.into_iter().flatten())
            .env_clear()
            .env("WASMVARK_ROOT", self.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A run that ends early says why.
            let _ = io::Write::write_all(&mut stdin, document);
        }
        child.wait_with_output()
    }

    /// Reads what is there now.
    ///
    /// # Errors
    ///
    /// The kernel doesn't say it.
    pub(crate) fn look(&self) -> Result<Simulation, ThrowawayError> {
        Simulation::begin(Box::new(self.open()?), true).map_err(ThrowawayError::Read)
    }

    fn open(&self) -> Result<Netlink, ThrowawayError> {
        open(&self.container)
    }
}

fn open(netns: &Path) -> Result<Netlink, ThrowawayError> {
    let host = Netns::current()?;
    let netns = Netns::container(netns, &host)?;
    let mut kernel = Netlink::open(host, Some(netns))?;
    kernel.set_deadline(Instant::now() + READING_TIME);
    Ok(kernel)
}

fn prepare(what: &'static str, error: impl Into<io::Error>) -> ThrowawayError {
    let error = error.into();
    ThrowawayError::Prepare { what, error }
}

fn write(what: &'static str, file: &str, text: &str) -> Result<(), ThrowawayError> {
    std::fs::write(file, text).map_err(|error| prepare(what, error))
}

/// Lays empty folders over others, for this process only.
fn mount_folders() -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let there = |folder: &&str| Path::new(folder).is_dir();
    for folder in SERVICES.into_iter().filter(there).chain([FOLDER]) {
        mount(
            Some("tmpfs"),
            folder,
            Some("tmpfs"),
            flags,
            Some("mode=755"),
        )?;
    }
    Ok(())
}

/// Makes a network namespace that stays as long as its handle, which is returned.
fn make_netns(name: &str) -> Result<PathBuf, ThrowawayError> {
    let handle = Path::new(FOLDER).join(name);
    let failed = |error| prepare("make a network namespace", error);
    std::fs::File::create_new(&handle).map_err(failed)?;
    let place = handle.clone();
    let thread = std::thread::spawn(move || -> nix::Result<()> {
        unshare(CloneFlags::CLONE_NEWNET)?;
        let none = None::<&str>;
        mount(Some(OWN_NETNS), &place, none, MsFlags::MS_BIND, none)
    });
    match thread.join() {
        Ok(made) => made.map(|()| handle).map_err(|errno| failed(errno.into())),
        Err(_) => Err(failed(io::Error::other("the thread ended early"))),
    }
}
