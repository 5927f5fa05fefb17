//! The files of containers.conf, in the order in which Podman reads them.
//!
//! Podman 5 reads all main files, each followed by its drop-ins. Podman 6 reads one main
//! file, and then the drop-ins of all folders by their names (containers.conf(5) of both).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::System;
use super::version::Version;

const VENDOR: &str = "/usr/share/containers/containers.conf";
const MACHINE: &str = "/etc/containers/containers.conf";

/// The first Podman that reads one main file.
const ONE_MAIN_FILE: Version = Version(6, 0);

/// The files of a user that exist.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Files {
    /// Those that Podman reads, in order.
    pub(super) read: Vec<PathBuf>,
    /// Those that only Podman 5 would read.
    pub(super) passed_over: Vec<PathBuf>,
}

/// Whose files are read.
pub(super) struct Reader<V> {
    /// The user, unless it's root.
    pub(super) rootless: Option<u32>,
    /// The environment. An empty variable counts as none.
    pub(super) variable: V,
}

impl<V: Fn(&str) -> Option<PathBuf>> Reader<V> {
    /// Lists the files that exist. Podman's version is asked for only if it matters.
    pub(super) fn files(&self, system: &System, podman: impl FnOnce() -> Option<Version>) -> Files {
        let mut files = match (self.variable)("CONTAINERS_CONF") {
            Some(only) => Files {
                read: vec![only],
                ..Files::default()
            },
            None => self.default_files(system, podman),
        };
        let last = (self.variable)("CONTAINERS_CONF_OVERRIDE");
        files.read.extend(last);
        files
    }

    fn default_files(&self, system: &System, podman: impl FnOnce() -> Option<Version>) -> Files {
        let all = existing(system, self.all_main_files(system));
        let one = existing(system, self.one_main_file(system));
        let reads_one = || podman().is_some_and(|version| version >= ONE_MAIN_FILE);
        match all == one || !reads_one() {
            true => Files {
                read: all,
                ..Files::default()
            },
            false => Files {
                passed_over: all.into_iter().filter(|file| !one.contains(file)).collect(),
                read: one,
            },
        }
    }

    /// Lists the files of Podman 5.
    fn all_main_files(&self, system: &System) -> Vec<PathBuf> {
        let mut files = vec![VENDOR.into(), MACHINE.into()];
        files.extend(drop_ins(system, &below(Path::new(MACHINE), "conf.d")));
        if let Some(uid) = self.rootless {
            // Podman reads these since version 5.8.
            files.push("/etc/containers/containers.rootless.conf".into());
            let folder = PathBuf::from("/etc/containers/containers.rootless.d");
            files.extend(drop_ins(system, &folder));
            files.extend(drop_ins(system, &folder.join(uid.to_string())));
        }
        if let Some(users) = self.users_file() {
            let folder = below(&users, "conf.d");
            files.push(users);
            files.extend(drop_ins(system, &folder));
        }
        files
    }

    /// Lists the files of Podman 6. A drop-in replaces those of the same name in earlier
    /// folders.
    fn one_main_file(&self, system: &System) -> Vec<PathBuf> {
        let users = self.users_file();
        let mut mains = users.iter().map(PathBuf::as_path);
        let main = mains.find(|file| system.has(file));
        let mut others = [MACHINE, VENDOR].into_iter().map(Path::new);
        let main = main.or_else(|| others.find(|file| system.has(file)));
        let mut named = BTreeMap::new();
        for folder in self.drop_in_folders(users.as_deref()) {
            let files = drop_ins(system, &folder).filter(|file| !system.is_symlink(file));
            named.extend(files.filter_map(|file| Some((file.file_name()?.to_owned(), file))));
        }
        let main = main.map(Path::to_owned).into_iter();
        main.chain(named.into_values()).collect()
    }

    fn drop_in_folders(&self, users: Option<&Path>) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for file in [VENDOR, MACHINE].map(Path::new) {
            folders.push(below(file, "conf.d"));
            match self.rootless {
                None => folders.push(below(file, "rootful.conf.d")),
                Some(uid) => {
                    let folder = below(file, "rootless.conf.d");
                    folders.push(folder.clone());
                    folders.push(folder.join(uid.to_string()));
                }
            }
        }
        folders.extend(users.map(|file| below(file, "conf.d")));
        folders
    }

    /// Returns the user's own main file.
    fn users_file(&self) -> Option<PathBuf> {
        let home = || (self.variable)("HOME").map(|home| home.join(".config"));
        let config = (self.variable)("XDG_CONFIG_HOME").or_else(home)?;
        Some(config.join("containers/containers.conf"))
    }
}

/// Returns the folder beside a main file with another ending.
fn below(file: &Path, ending: &str) -> PathBuf {
    file.with_extension(ending)
}

fn existing(system: &System, files: Vec<PathBuf>) -> Vec<PathBuf> {
    let files = files.into_iter();
    files.filter(|file| system.has(file)).collect()
}

fn drop_ins(system: &System, folder: &Path) -> impl Iterator<Item = PathBuf> {
    let files = system.list(folder).into_iter();
    files.filter(|file| file.extension() == Some(OsStr::new("conf")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the files that a Podman reads of those given.
    fn read(podman: u32, rootless: Option<u32>, files: &[&str]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let system = System::new(root.path());
        let reader = Reader {
            rootless,
            variable: |name: &str| (name == "HOME").then(|| PathBuf::from("/home/u")),
        };
        let files = reader.files(&system, || Some(Version(podman, 0)));
        let files = files.read.into_iter();
        files.map(|file| file.display().to_string()).collect()
    }

    const USER: &str = "/home/u/.config/containers/containers.conf";

    #[test]
    fn podman_5_reads_all_main_files_and_podman_6_one() {
        let vendors = "/usr/share/containers/containers.conf";
        let all = [vendors, MACHINE, USER];
        assert_eq!(read(5, None, &all), all);
        assert_eq!(read(6, None, &all), [USER]);
        assert_eq!(read(6, None, &all[..2]), [MACHINE]);
        assert_eq!(read(6, None, &all[..1]), [vendors]);
        assert_eq!(read(6, None, &[]), [""; 0]);
    }

    #[test]
    fn drop_ins_of_podman_6_are_sorted_over_all_folders() {
        let files = [
            "/usr/share/containers/containers.conf.d/10-a.conf",
            "/usr/share/containers/containers.conf.d/50-c.conf",
            "/etc/containers/containers.conf.d/10-a.conf",
            "/etc/containers/containers.rootful.conf.d/40-b.conf",
            "/etc/containers/containers.rootless.conf.d/30-r.conf",
            "/etc/containers/containers.rootless.conf.d/7/20-u.conf",
            "/etc/containers/containers.rootless.conf.d/8/25-o.conf",
            "/home/u/.config/containers/containers.conf.d/05-home.conf",
            "/etc/containers/containers.conf.d/60.txt",
        ];
        assert_eq!(
            read(6, None, &files),
            [files[7], files[2], files[3], files[1]]
        );
        assert_eq!(
            read(6, Some(7), &files),
            [files[7], files[2], files[5], files[4], files[1]]
        );
        assert_eq!(read(5, None, &files), [files[2], files[7]]);
    }

    #[test]
    fn what_no_file_depends_on_is_not_asked() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/containers/containers.conf.d");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("50.conf"), "").unwrap();
        let reader = Reader {
            rootless: None,
            variable: |_: &str| None,
        };
        let files = reader.files(&System::new(root.path()), || panic!("asked"));
        assert_eq!(
            files.read,
            [Path::new("/etc/containers/containers.conf.d/50.conf")]
        );
    }

    #[test]
    fn symbolic_links_are_drop_ins_only_for_podman_5() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/containers/containers.conf.d");
        std::fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink("/dev/null", folder.join("50.conf")).unwrap();
        let system = System::new(root.path());
        let reader = Reader {
            rootless: None,
            variable: |_: &str| None,
        };
        let files = |version| reader.files(&system, || Some(Version(version, 0)));
        assert_eq!((files(5).read.len(), files(6).read.len()), (1, 0));
        assert_eq!(files(6).passed_over, files(5).read);
    }
}
