//! Which network namespaces are alive: some process is in them or has them
//! open, or their file is mounted.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::NetnsId;

/// What nsfs calls a network namespace in the text of a link.
const NETNS: &str = "net:[";

/// The namespaces that are alive and visible to this process, which must be
/// root's to see those of others. Wrong only to the safe side: a number that
/// is used again counts as alive.
pub fn living_netns() -> std::io::Result<HashSet<NetnsId>> {
    let mut living = mounted()?;
    for process in folders(Path::new("/proc"))? {
        // A process that ends meanwhile holds nothing any more.
        living.extend(identity(&process.join("ns/net")));
        for thread in folders(&process.join("task")).unwrap_or_default() {
            living.extend(identity(&thread.join("ns/net")));
        }
        living.extend(opened(&process.join("fd")));
    }
    Ok(living)
}

/// The folders whose names are numbers: processes, threads.
fn folders(parent: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(parent)?.flatten();
    Ok(entries
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .map(|entry| entry.path())
        .collect())
}

/// The namespaces that a process has open.
fn opened(descriptors: &Path) -> Vec<NetnsId> {
    let entries = std::fs::read_dir(descriptors)
        .into_iter()
        .flatten()
        .flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| {
            let target = std::fs::read_link(path).unwrap_or_default();
            let target = target.to_string_lossy();
            // A mounted one shows its path; those come with the mounts.
            target.starts_with(NETNS)
        })
        .filter_map(|path| identity(&path))
        .collect()
}

/// The namespaces that are mounted somewhere (proc_pid_mountinfo(5): the
/// mount's root is the fourth field, its place the fifth).
fn mounted() -> std::io::Result<HashSet<NetnsId>> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
    let places = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(3);
        let root = fields.next()?;
        let place = fields.next()?;
        root.starts_with(NETNS).then(|| PathBuf::from(place))
    });
    Ok(places.filter_map(|place| identity(&place)).collect())
}

fn identity(path: &Path) -> Option<NetnsId> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(NetnsId {
        device: metadata.dev(),
        inode: metadata.ino(),
    })
}
