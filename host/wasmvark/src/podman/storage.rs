//! storage.conf, as far as rootless Podman keeps its networks where its images are
//! (containers-storage.conf(5)).

use std::path::PathBuf;

use serde::Deserialize;

use super::System;

/// The files with a path for all rootless users, the first one first.
const MACHINES: [&str; 2] = [
    "/etc/containers/storage.conf",
    "/usr/share/containers/storage.conf",
];

#[derive(Deserialize, Default)]
struct File {
    #[serde(default)]
    storage: Storage,
}

#[derive(Deserialize, Default)]
struct Storage {
    graphroot: Option<String>,
    rootless_storage_path: Option<String>,
}

/// Returns the folder of a rootless user's images: the one of the user's file, the
/// machine's for all of them, or Podman's own. Returns `None` without a home.
pub(super) fn graph_root(system: &System, uid: u32) -> Option<PathBuf> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    find(system, uid, variable)
}

fn find(system: &System, uid: u32, variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let below_home = |folder: &str| Some(format!("{}/{folder}", variable("HOME")?));
    let config = variable("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
    let users = config.map(|config| format!("{config}/containers/storage.conf"));
    let users = users.and_then(|file| read(system, &file));
    if let Some(path) = users.and_then(|storage| storage.graphroot).filter(is_given) {
        return Some(path.into());
    }
    let mut machines = MACHINES.iter().filter_map(|file| read(system, file));
    let machines = machines
        .next()
        .and_then(|storage| storage.rootless_storage_path);
    if let Some(path) = machines.filter(is_given) {
        let path = path.replace("$UID", &uid.to_string());
        let path = path.replace("$HOME", &variable("HOME").unwrap_or_default());
        return Some(
            path.replace("$USER", &variable("USER").unwrap_or_default())
                .into(),
        );
    }
    let data = variable("XDG_DATA_HOME").or_else(|| below_home(".local/share"))?;
    Some(PathBuf::from(data).join("containers/storage"))
}

#[expect(clippy::ptr_arg, reason = "it's a filter of options")]
fn is_given(path: &String) -> bool {
    !path.is_empty()
}

fn read(system: &System, file: &str) -> Option<Storage> {
    let file: File = toml::from_str(&system.read(file)?).ok()?;
    Some(file.storage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> String {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let variable = |name: &str| match name {
            "HOME" => Some("/home/u".to_owned()),
            "USER" => Some("u".to_owned()),
            _ => None,
        };
        let path = find(&System::new(root.path()), 7, variable).unwrap();
        path.display().to_string()
    }

    #[test]
    fn the_users_folder_goes_before_the_machines() {
        let users = (
            "/home/u/.config/containers/storage.conf",
            "[storage]\ngraphroot = \"/big\"\nrootless_storage_path = \"/not\"\n",
        );
        let machines = (
            MACHINES[0],
            "[storage]\ngraphroot = \"/roots\"\nrootless_storage_path = \"/all/$USER-$UID$HOME\"\n",
        );
        assert_eq!(found(&[users, machines]), "/big");
        assert_eq!(found(&[machines]), "/all/u-7/home/u");
        assert_eq!(
            found(&[(MACHINES[0], "[storage]\n")]),
            "/home/u/.local/share/containers/storage"
        );
        assert_eq!(found(&[]), "/home/u/.local/share/containers/storage");
    }
}
