//! Which network namespaces are alive: some process is in them or has them
//! open, or their file is mounted.
//!
//! What can't be read is unknown, and unknown counts as alive. A namespace that
//! only a socket keeps, or a file that is on its way from one process to
//! another, shows nowhere.

use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::stat::makedev;
use types::user;

use super::NetnsId;

/// What nsfs calls a network namespace in the text of a link.
const NETNS: &str = "net:[";
/// How often all processes are read where some end meanwhile, or can't be read:
/// one of the first may have handed a namespace to a process that was read
/// before, and one of the second may be about to become a program.
const PASSES: u32 = 5;
/// The pauses between them.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether a namespace is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is.
    Alive,
    /// Nothing has it any more.
    Gone,
    /// Who may have it can't be read.
    Unknown,
}

/// The namespaces that are alive, as far as this process can see. Wrong only to
/// the safe side: a number that is used again counts as alive.
#[derive(Debug, Default)]
pub struct Living {
    seen: HashSet<NetnsId>,
    /// The inodes of open files that may be such namespaces.
    opened: HashSet<u64>,
    mount_namespaces: HashSet<(u64, u64)>,
    /// Whether processes that this user can't read are in none of the user's own
    /// user namespaces, so in no network namespace of the user's containers either:
    /// who owns a user namespace may read all that is in it.
    others_are_strangers: bool,
    /// How many processes can't be read and may be in such a namespace.
    unread: usize,
    /// Whether others may be hidden altogether.
    hidden: bool,
}

/// Reads which namespaces are alive.
pub fn living_netns() -> io::Result<Living> {
    let mut living = Living {
        others_are_strangers: user::rootless_user().is_some() && user::sees_its_namespace(),
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

    /// Whether a namespace is alive, or may be.
    pub fn may_have(&self, netns: NetnsId) -> bool {
        self.life(netns) != Life::Gone
    }

    /// Reads all processes; whether none ended meanwhile.
    fn read(&mut self, proc: &Path) -> io::Result<bool> {
        let mut steady = true;
        self.hidden = !self.others_are_strangers && hides(proc)? && !user::sees_its_namespace();
        self.mounted(&proc.join("self"))?;
        let processes = folders(proc)?;
        for process in &processes {
            steady &= self.process(process, &processes);
        }
        Ok(steady)
    }

    /// Reads a process; whether it was there until the end.
    fn process(&mut self, process: &Path, all: &[PathBuf]) -> bool {
        match self.look_at(process) {
            Ok(()) => true,
            // One that only waits for its parent holds nothing any more.
            Err(_) if has_ended(process) => process.exists(),
            Err(error) if is_gone(&error) => false,
            Err(_) => {
                let counts = match self.others_are_strangers {
                    true => is_of_container(process),
                    false => !is_init_among(process, all),
                };
                self.unread += usize::from(counts);
                true
            }
        }
    }

    fn look_at(&mut self, process: &Path) -> io::Result<()> {
        self.seen.insert(identity(&process.join("ns/net"))?);
        for thread in folders(&process.join("task"))? {
            self.thread(process, &thread)?;
        }
        self.opened_by(&process.join("fd"))?;
        let mounts = std::fs::metadata(process.join("ns/mnt"))?;
        if self.mount_namespaces.insert((mounts.dev(), mounts.ino())) {
            self.mounted(process)?;
        }
        Ok(())
    }

    /// A thread may be in another namespace than its process, and may end by
    /// itself.
    fn thread(&mut self, process: &Path, thread: &Path) -> io::Result<()> {
        match identity(&thread.join("ns/net")) {
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

    /// The namespaces that a process has open.
    fn opened_by(&mut self, descriptors: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(descriptors)? {
            let entry = entry?;
            let Some(target) = unless_gone(std::fs::read_link(entry.path()))? else {
                continue;
            };
            let target = target.to_string_lossy();
            if target.starts_with(NETNS) {
                self.seen.extend(unless_gone(identity(&entry.path()))?);
            } else if target.starts_with(['/', '(']) {
                // One that is, or was, mounted shows that path: its number says
                // whether it's one. Others' files may be on servers that don't
                // answer, so they aren't looked at themselves.
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

    /// The namespaces that are mounted where a process is (proc_pid_mountinfo(5):
    /// the file system's device is the third field, the mount's root the fourth).
    fn mounted(&mut self, process: &Path) -> io::Result<()> {
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

/// Whether processes of others don't show at all (proc(5), `hidepid`), or this
/// is no view of processes.
fn hides(proc: &Path) -> io::Result<bool> {
    let mounts = std::fs::read_to_string(proc.join("self/mountinfo"))?;
    let place = proc.to_string_lossy();
    let mut of_proc = mounts
        .lines()
        .filter(|line| line.split(' ').nth(4) == Some(&*place));
    let options = of_proc.next_back().and_then(|line| line.rsplit(' ').next());
    Ok(options.is_some_and(|options| {
        options
            .split(',')
            .filter_map(|option| option.strip_prefix("hidepid="))
            .any(|value| !matches!(value, "0" | "off" | "1" | "noaccess"))
    }))
}

/// The folders whose names are numbers: processes, threads.
fn folders(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().parse::<u32>().is_ok() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

fn identity(path: &Path) -> io::Result<NetnsId> {
    let metadata = std::fs::metadata(path)?;
    Ok(NetnsId {
        device: metadata.dev(),
        inode: metadata.ino(),
    })
}

/// What ended meanwhile holds nothing any more.
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

/// Whether a process is init, and in the namespace of one that can be read. Some
/// machines keep root out of init, which keeps no namespaces for containers: it
/// may only be in one. The files of `/proc/PID/net` need no right to be looked at,
/// and are the same ones for all processes of a namespace.
fn is_init_among(process: &Path, all: &[PathBuf]) -> bool {
    let net = |process: &Path| std::fs::metadata(process.join("net/dev")).map(|file| file.ino());
    let (true, Ok(its)) = (process.ends_with("1"), net(process)) else {
        return false;
    };
    let mut others = all.iter().filter(|other| *other != process);
    others.any(|other| {
        net(other).is_ok_and(|net| net == its) && identity(&other.join("ns/net")).is_ok()
    })
}

/// Whether a process that root of a user namespace can't read is of a container
/// all the same: it has one of the numbers that only containers use, as one has
/// whose program belongs to somebody outside.
fn is_of_container(process: &Path) -> bool {
    let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
    let mut lines = status.lines();
    let uid = lines.find_map(|line| line.strip_prefix("Uid:"));
    let uid = uid.and_then(|uids| uids.split_whitespace().next()?.parse::<u32>().ok());
    nix::unistd::geteuid().is_root() && uid.is_some_and(|uid| uid != 0 && uid != user::OVERFLOW_UID)
}

/// Whether a process or thread is gone, or only waits for its parent: the
/// kernel may call what it had unreadable then.
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
        let own = identity(Path::new("/proc/self/ns/net")).unwrap();
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
}
