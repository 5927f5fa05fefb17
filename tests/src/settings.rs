//! The settings of a namespace, below `/proc/sys/net`. Their files stay open, because
//! opening them takes most of the time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::netns::Netns;

const ROOT: &str = "/proc/sys/net";
/// The longest value that is read, in bytes.
const VALUE_MAX: usize = 4096;
/// The number of files that a namespace keeps open: those of `all`, `default`, and some
/// links.
const KEPT: usize = 400;
/// The number of open files that allows all namespaces of a test run to keep theirs.
const FILES: u64 = 16_384;

/// Whether this process may have enough files open.
static MAY_KEEP: LazyLock<bool> = LazyLock::new(|| {
    let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return false;
    };
    most >= FILES && setrlimit(Resource::RLIMIT_NOFILE, most, most).is_ok()
});

/// Raises the number of open files. It comes first, so that all programs under test have
/// the same.
pub(crate) fn allow_files() {
    LazyLock::force(&MAY_KEEP);
}

/// The settings of a namespace and of its links.
#[derive(Default)]
pub(crate) struct Settings {
    /// The folders whose files are open.
    open: BTreeMap<String, Folder>,
}

/// The settings of a link in one family, each with its path.
struct Folder(Vec<(String, File)>);

impl Settings {
    /// Reads the settings of links and of the namespace itself.
    pub(crate) fn read(&mut self, netns: &Netns, links: &[String]) -> BTreeMap<String, String> {
        let everywhere = ["all", "default"].into_iter();
        let names = links.iter().map(String::as_str).chain(everywhere);
        let of_link = |name| ["ipv4", "ipv6"].map(|family| format!("{family}/conf/{name}"));
        let wanted: BTreeSet<String> = names.flat_map(of_link).collect();
        self.open.retain(|folder, _| wanted.contains(folder));
        let mut all = BTreeMap::new();
        let mut rest = Vec::new();
        for folder in wanted {
            match self.open.get(&folder).and_then(|open| open.read().ok()) {
                Some(values) => all.extend(values),
                None => rest.push(folder),
            }
        }
        let mut kept: usize = self.open.values().map(|folder| folder.0.len()).sum();
        // One after the other, so that few files are open at once.
        let read = netns.run(|| {
            let mut read = Vec::new();
            for name in rest {
                let Some(folder) = Folder::open(&name) else {
                    continue;
                };
                let values = folder.read().unwrap_or_default();
                let is_kept = *MAY_KEEP && kept + folder.0.len() <= KEPT;
                if is_kept {
                    kept += folder.0.len();
                }
                read.push((name, values, is_kept.then_some(folder)));
            }
            read
        });
        for (name, values, folder) in read {
            all.extend(values);
            if let Some(folder) = folder {
                self.open.insert(name, folder);
            }
        }
        all
    }
}

impl Folder {
    /// Opens all files of a folder in this thread's namespace. Returns `None` if the link
    /// has gone.
    fn open(folder: &str) -> Option<Self> {
        let root = Path::new(ROOT);
        let entries = fs::read_dir(root.join(folder)).ok()?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        if folder == "ipv4/conf/all" {
            paths.push(root.join("ipv4/ip_forward"));
        }
        let mut files = Vec::new();
        for path in paths {
            let key = path.strip_prefix(root).expect("it's below");
            let key = key.to_string_lossy().into_owned();
            match File::open(&path) {
                Ok(file) => files.push((key, file)),
                // Some can only be written, and the link may go.
                Err(error)
                    if [ErrorKind::PermissionDenied, ErrorKind::NotFound]
                        .contains(&error.kind()) => {}
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
        Some(Self(files))
    }

    /// Reads all values. The error is that the link has gone, or has another name.
    fn read(&self) -> io::Result<Vec<(String, String)>> {
        let mut values = Vec::new();
        let mut buffer = [0; VALUE_MAX];
        for (key, file) in &self.0 {
            match file.read_at(&mut buffer, 0) {
                Ok(length) => {
                    let value = String::from_utf8_lossy(&buffer[..length]);
                    values.push((key.clone(), value.trim_end().to_owned()));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(error),
                // `stable_secret` can't be read before it's set.
                Err(_) => {}
            }
        }
        Ok(values)
    }
}
