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
        let opened = netns.run(|| {
            let rest = rest.into_iter();
            let opened = rest.filter_map(|name| Some((Folder::open(&name).ok()?, name)));
            opened.collect::<Vec<_>>()
        });
        for (folder, name) in opened {
            all.extend(folder.read().unwrap_or_default());
            let kept: usize = self.open.values().map(|folder| folder.0.len()).sum();
            if *MAY_KEEP && kept + folder.0.len() <= KEPT {
                self.open.insert(name, folder);
            }
        }
        all
    }
}

impl Folder {
    /// Opens all files of a folder in this thread's namespace.
    fn open(folder: &str) -> io::Result<Self> {
        let root = Path::new(ROOT);
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(root.join(folder))? {
            paths.push(entry?.path());
        }
        if folder == "ipv4/conf/all" {
            paths.push(root.join("ipv4/ip_forward"));
        }
        let mut files = Vec::new();
        for path in paths {
            let key = path.strip_prefix(root).expect("it's below");
            let key = key.to_string_lossy().into_owned();
            // Some can only be written.
            if let Ok(file) = File::open(&path) {
                files.push((key, file));
            }
        }
        Ok(Self(files))
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
