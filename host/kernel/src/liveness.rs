//! The liveness of network namespaces. A namespace is alive if a process is in
//! it or has it open, or if its file is mounted.
//!
//! If a process can't be read, the state of a namespace is unknown, and unknown
//! counts as alive. Nothing shows a namespace that only a socket keeps, or
//! whose file is on its way from one process to another.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::stat::makedev;
use serde::{Deserialize, Serialize};
use types::user;

use super::NetnsId;

/// The start of a network namespace's name in nsfs.
const NETNS: &str = "net:[";
/// The most passes over all processes. A process that ended during a pass may
/// have handed its namespace to a process that was read before. A process that
/// can't be read may be about to execute a program. In both cases all processes
/// are read again.
const PASSES: u32 = 5;
/// The pause between passes.
const PAUSE: Duration = Duration::from_millis(10);

/// The state of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// A process or a mount has the namespace.
    Alive,
    /// Nothing has the namespace any more.
    Gone,
    /// A process that may have the namespace can't be read.
    Unknown,
}

/// The namespaces that are alive, as far as this process can see. Errors are on
/// the safe side: a reused inode number counts as alive.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Living {
    seen: HashSet<NetnsId>,
    /// The inodes of open files that may be namespaces.
    opened: HashSet<u64>,
    #[serde(skip)]
    mount_namespaces: HashSet<(u64, u64)>,
    /// Whether processes that this user can't read are in none of the user's
    /// own user namespaces. Then they are in no network namespace of the user's
    /// containers either, because the owner of a user namespace may read all
    /// processes in it.
    unread_are_foreign: bool,
    /// The number of processes that can't be read and may be in a container's
    /// namespace.
    unread: usize,
    /// Whether processes may be hidden altogether.
    hidden: bool,
}

/// A look at all processes that another process takes.
type Look = dyn Fn() -> io::Result<Living> + Send + Sync;

static ELSEWHERE: OnceLock<Box<Look>> = OnceLock::new();

/// Has another process look for this one from now on, which may lack the rights.
pub fn look_elsewhere(look: impl Fn() -> io::Result<Living> + Send + Sync + 'static) {
    let _ = ELSEWHERE.set(Box::new(look));
}

/// Finds the namespaces that are alive.
pub fn living_netns() -> io::Result<Living> {
    match ELSEWHERE.get() {
        Some(look) => look(),
        None => look_here(),
    }
}

fn look_here() -> io::Result<Living> {
    let mut living = Living {
        unread_are_foreign: user::rootless_user().is_some() && user::sees_its_namespace(),
        ..Living::default()
    };
    for pass in 0..PASSES {
        if pass > 0 {
            std::thread::sleep(PAUSE);
        }
        living.unread = 0;
        if living.read(Path::new("/proc"))? && living.unread == 0 {
            break;
        }
    }
    Ok(living)
}

impl Living {
    /// Whether a namespace is alive.
    pub fn life(&self, netns: NetnsId) -> Life {
        match () {
            () if self.seen.contains(&netns) => Life::Alive,
            () if self.opened.contains(&netns.inode) => Life::Alive,
            () if self.unread > 0 || self.hidden => Life::Unknown,
            () => Life::Gone,
        }
    }

    /// Whether a namespace is alive or may be.
    pub fn may_have(&self, netns: NetnsId) -> bool {
        self.life(netns) != Life::Gone
    }

    /// Splits it into parts with at most `most` entries each. Each part tells that
    /// processes weren't read.
    pub fn parts(self, most: usize) -> Vec<Self> {
        let part = |seen: &[NetnsId], opened: &[u64]| Self {
            seen: seen.iter().copied().collect(),
            opened: opened.iter().copied().collect(),
            mount_namespaces: HashSet::new(),
            ..self
        };
        let seen: Vec<NetnsId> = self.seen.iter().copied().collect();
        let opened: Vec<u64> = self.opened.iter().copied().collect();
        let seen = seen.chunks(most).map(|some| part(some, &[]));
        let opened = opened.chunks(most).map(|some| part(&[], some));
        [part(&[], &[])]
            .into_iter()
            .chain(seen)
            .chain(opened)
            .collect()
    }

    /// Adds a part. What one of them didn't see is unknown.
    pub fn add(&mut self, part: Self) {
        self.seen.extend(part.seen);
        self.opened.extend(part.opened);
        self.unread = self.unread.max(part.unread);
        self.hidden |= part.hidden;
        self.unread_are_foreign = part.unread_are_foreign;
    }

    /// Reads all processes. Returns whether none ended meanwhile.
    fn read(&mut self, proc: &Path) -> io::Result<bool> {
        let mut steady = true;
        self.hidden =
            !self.unread_are_foreign && hides_processes(proc)? && !user::sees_its_namespace();
        self.read_mounts(&proc.join("self"))?;
        let processes = numbered_folders(proc)?;
        for process in &processes {
            steady &= self.add_process(process, &processes);
        }
        Ok(steady)
    }

    /// Reads a process. Returns whether it existed until the end.
    fn add_process(&mut self, process: &Path, all: &[PathBuf]) -> bool {
        match self.read_process(process) {
            Ok(()) => true,
            // A zombie holds nothing any more.
            Err(_) if has_ended(process) => process.exists(),
            Err(error) if is_gone(&error) => false,
            Err(_) => {
                let counts = match self.unread_are_foreign {
                    true => is_of_container(process),
                    false => !is_init_beside(process, all),
                };
                self.unread += usize::from(counts);
                true
            }
        }
    }

    fn read_process(&mut self, process: &Path) -> io::Result<()> {
        self.seen.insert(netns_id(&process.join("ns/net"))?);
        for thread in numbered_folders(&process.join("task"))? {
            self.read_thread(process, &thread)?;
        }
        self.read_descriptors(&process.join("fd"))?;
        let mounts = std::fs::metadata(process.join("ns/mnt"))?;
        if self.mount_namespaces.insert((mounts.dev(), mounts.ino())) {
            self.read_mounts(process)?;
        }
        Ok(())
    }

    /// Reads a thread. It may be in another namespace than its process, and may
    /// end by itself.
    fn read_thread(&mut self, process: &Path, thread: &Path) -> io::Result<()> {
        match netns_id(&thread.join("ns/net")) {
            Ok(netns) => {
                self.seen.insert(netns);
                Ok(())
            }
            Err(error) if is_gone(&error) || has_ended(thread) => match process.exists() {
                true => Ok(()),
                false => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Reads the namespaces that a process has open.
    fn read_descriptors(&mut self, descriptors: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(descriptors)? {
            let entry = entry?;
            let Some(target) = unless_gone(std::fs::read_link(entry.path()))? else {
                continue;
            };
            let target = target.to_string_lossy();
            if target.starts_with(NETNS) {
                self.seen.extend(unless_gone(netns_id(&entry.path()))?);
            } else if target.starts_with(['/', '(']) {
                // The link of a namespace that is or was mounted shows the
                // mount's path. The inode in `fdinfo` says whether it's a
                // namespace. The file itself isn't touched, since it may be on
                // a server that doesn't answer.
                let info = descriptors.with_file_name("fdinfo").join(entry.file_name());
                let info = unless_gone(std::fs::read_to_string(info))?.unwrap_or_default();
                let mut lines = info.lines();
                let inode = lines.find_map(|line| line.strip_prefix("ino:"));
                self.opened
                    .extend(inode.and_then(|inode| inode.trim().parse::<u64>().ok()));
            }
        }
        Ok(())
    }

    /// Reads the namespaces that are mounted where a process is
    /// (proc_pid_mountinfo(5): the third field is the file system's device, the
    /// fourth the mount's root).
    fn read_mounts(&mut self, process: &Path) -> io::Result<()> {
        let mounts = std::fs::read_to_string(process.join("mountinfo"))?;
        self.seen.extend(mounts.lines().filter_map(mounted_netns));
        Ok(())
    }
}

fn mounted_netns(line: &str) -> Option<NetnsId> {
    let mut fields = line.split(' ').skip(2);
    let (major, minor) = fields.next()?.split_once(':')?;
    let inode = fields.next()?.strip_prefix(NETNS)?.strip_suffix(']')?;
    Some(NetnsId {
        device: makedev(major.parse().ok()?, minor.parse().ok()?),
        inode: inode.parse().ok()?,
    })
}

/// Whether a procfs hides_processes the processes of other users (proc(5), `hidepid`).
fn hides_processes(proc: &Path) -> io::Result<bool> {
    let mounts = std::fs::read_to_string(proc.join("self/mountinfo"))?;
    let mount_point = proc.to_string_lossy();
    let mut of_proc = mounts
        .lines()
        .filter(|line| line.split(' ').nth(4) == Some(&*mount_point));
    let options = of_proc.next_back().and_then(|line| line.rsplit(' ').next());
    Ok(options.is_some_and(|options| {
        options
            .split(',')
            .filter_map(|option| option.strip_prefix("hidepid="))
            .any(|value| !matches!(value, "0" | "off" | "1" | "noaccess"))
    }))
}

/// Lists the subfolders whose names are numbers: processes or threads.
fn numbered_folders(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().parse::<u32>().is_ok() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

fn netns_id(path: &Path) -> io::Result<NetnsId> {
    let metadata = std::fs::metadata(path)?;
    Ok(NetnsId {
        device: metadata.dev(),
        inode: metadata.ino(),
    })
}

/// Returns `None` for a process that ended meanwhile: it holds nothing any
/// more.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &io::Error) -> bool {
    let is_no_process = error.raw_os_error() == Some(Errno::ESRCH as i32);
    is_no_process || error.kind() == ErrorKind::NotFound
}

/// Whether a process is init, and in the network namespace of a process that
/// can be read. Some machines deny even root access to init. Init keeps no
/// namespaces for containers, so only the one that it's in matters. Everybody
/// may look at the files of `/proc/PID/net`, and all processes of a namespace
/// have the same ones.
fn is_init_beside(process: &Path, all: &[PathBuf]) -> bool {
    let net = |process: &Path| std::fs::metadata(process.join("net/dev")).map(|file| file.ino());
    let (true, Ok(init)) = (process.ends_with("1"), net(process)) else {
        return false;
    };
    let mut others = all.iter().filter(|other| *other != process);
    others.any(|other| {
        net(other).is_ok_and(|net| net == init) && netns_id(&other.join("ns/net")).is_ok()
    })
}

/// Whether a process that root of a user namespace can't read belongs to a
/// container. That is so if its program belongs to a user outside of the user
/// namespace. Then its uid is one that only containers use.
fn is_of_container(process: &Path) -> bool {
    let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
    let mut lines = status.lines();
    let uid = lines.find_map(|line| line.strip_prefix("Uid:"));
    let uid = uid.and_then(|uids| uids.split_whitespace().next()?.parse::<u32>().ok());
    nix::unistd::geteuid().is_root() && uid.is_some_and(|uid| uid != 0 && uid != user::OVERFLOW_UID)
}

/// Whether a process or thread is gone or a zombie. The kernel may report the
/// files of a zombie as unreadable.
fn has_ended(process: &Path) -> bool {
    match std::fs::read_to_string(process.join("stat")) {
        Ok(stat) => {
            let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
            state.is_some_and(|state| state.starts_with(['Z', 'X']))
        }
        Err(error) => is_gone(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mounted_namespace_is_known_by_its_line() {
        let line = "40 35 0:4 net:[4026532281] /run/netns/a rw shared:1 - nsfs nsfs rw";
        let netns = mounted_netns(line).unwrap();
        assert_eq!((netns.device, netns.inode), (makedev(0, 4), 4_026_532_281));
        for line in [
            "40 35 0:4 mnt:[4026532281] /x rw - nsfs nsfs rw",
            "40 35 0:5 / /proc rw - proc proc rw",
            "",
        ] {
            assert_eq!(mounted_netns(line), None);
        }
    }

    #[test]
    fn an_own_namespace_is_alive_and_one_that_is_nowhere_is_gone() {
        let living = living_netns().unwrap();
        let own = netns_id(Path::new("/proc/self/ns/net")).unwrap();
        assert_eq!(living.life(own), Life::Alive);
        assert_ne!(living.life(NetnsId::new(4, 1)), Life::Alive);
    }

    #[test]
    fn what_is_not_seen_is_unknown_where_something_is_not_read() {
        let mut living = Living::default();
        assert_eq!(living.life(NetnsId::new(4, 7)), Life::Gone);
        living.unread = 1;
        assert_eq!(living.life(NetnsId::new(4, 7)), Life::Unknown);
        living.opened.insert(7);
        assert_eq!(living.life(NetnsId::new(4, 7)), Life::Alive);
    }

    #[test]
    fn parts_are_the_whole_again() {
        let mut living = Living::default();
        living
            .seen
            .extend((0..5).map(|inode| NetnsId::new(4, inode)));
        living.opened.extend(10..13);
        living.unread = 2;
        let parts = living.parts(2);
        assert!(
            parts
                .iter()
                .all(|part| part.seen.len() + part.opened.len() <= 2)
        );
        let mut whole = Living::default();
        for part in parts {
            let text = serde_json::to_string(&part).unwrap();
            whole.add(serde_json::from_str(&text).unwrap());
        }
        let lives = |inode| whole.life(NetnsId::new(4, inode)) == Life::Alive;
        assert!((0..5).chain(10..13).all(lives), "{whole:?}");
        assert_eq!(whole.life(NetnsId::new(4, 9)), Life::Unknown);
    }
}
