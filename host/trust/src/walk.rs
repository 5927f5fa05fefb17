//! A walk along a path, part by part.

use std::ffi::OsString;
use std::fs::{DirBuilder, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use types::user::{OVERFLOW_UID, rootless_user};

use super::{Above, OTHERS_WRITE, TrustError, known};

/// The bit that keeps users from replacing the files of others in a folder.
const STICKY: u32 = 0o1000;
/// The bit that lets everybody write.
const EVERYBODY_WRITES: u32 = 0o002;
/// The number of symbolic links that a path may lead through. It is the kernel's
/// (path_resolution(7)).
const LINKS_MAX: u32 = 40;

/// The end of a walk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The whole path exists.
    There,
    /// This part of the path doesn't exist.
    Missing(PathBuf),
}

/// A walk along a path.
pub(super) struct Walk {
    above: Above,
    /// Whether the path is that of a program of the system.
    is_program: bool,
    /// The folder that the walk has reached, without symbolic links.
    at: PathBuf,
    /// Whether other users may write to that folder.
    open: bool,
    /// The remaining parts, the next one last.
    rest: Vec<OsString>,
    links: u32,
}

impl Walk {
    pub(super) fn new(above: Above) -> Self {
        Self {
            above,
            is_program: false,
            at: PathBuf::new(),
            open: false,
            rest: Vec::new(),
            links: 0,
        }
    }

    /// Returns the walk to a program of the system, or to its folder.
    pub(super) fn to_program() -> Self {
        Self {
            is_program: true,
            ..Self::new(Above::Ours)
        }
    }

    /// Walks to the end of a path. If `make` has a mode, missing folders are made with
    /// it.
    pub(super) fn to(mut self, path: &Path, make: Option<u32>) -> Result<End, TrustError> {
        let path = std::path::absolute(path).map_err(failed("look at", path))?;
        self.turn_to(&path)?;
        while let Some(part) = self.rest.pop() {
            if part == ".." {
                let parent = self.at.parent().unwrap_or(&self.at).to_owned();
                self.enter(parent)?;
                continue;
            }
            let next = self.at.join(part);
            if !self.rest.is_empty() && known::has(&next) {
                self.pass(next);
                continue;
            }
            let metadata = match (std::fs::symlink_metadata(&next), make) {
                (Err(error), Some(mode)) if error.kind() == ErrorKind::NotFound => {
                    make_one(&next, mode).map_err(failed("make the folder", &next))?;
                    std::fs::symlink_metadata(&next)
                }
                (Err(error), None) if error.kind() == ErrorKind::NotFound => {
                    return Ok(End::Missing(next));
                }
                (metadata, _) => metadata,
            };
            let metadata = metadata.map_err(failed("look at", &next))?;
            self.check_owner(&next, &metadata)?;
            if metadata.is_symlink() {
                self.follow(&next)?;
            } else {
                self.step(next, &metadata)?;
            }
        }
        Ok(End::There)
    }

    /// Continues the walk along another path.
    fn turn_to(&mut self, path: &Path) -> Result<(), TrustError> {
        let parts = path.components().rev().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        self.rest.extend(parts);
        match path.is_absolute() {
            true => self.enter(PathBuf::from("/")),
            false => Ok(()),
        }
    }

    /// Passes a folder that is known to be nobody else's.
    fn pass(&mut self, folder: PathBuf) {
        self.open = false;
        self.at = folder;
    }

    /// Enters a folder that is no symbolic link.
    fn enter(&mut self, folder: PathBuf) -> Result<(), TrustError> {
        if known::has(&folder) {
            self.pass(folder);
            return Ok(());
        }
        let metadata = std::fs::symlink_metadata(&folder).map_err(failed("look at", &folder))?;
        self.open = false;
        self.check_owner(&folder, &metadata)?;
        self.step(folder, &metadata)
    }

    fn follow(&mut self, link: &Path) -> Result<(), TrustError> {
        self.links += 1;
        if self.links > LINKS_MAX {
            return Err(failed("follow", link)(Errno::ELOOP.into()));
        }
        let target = std::fs::read_link(link).map_err(failed("follow", link))?;
        self.turn_to(&target)
    }

    /// Checks that a part of the path belongs to root or this user. In an open folder,
    /// another user could have put it there.
    fn check_owner(&self, path: &Path, metadata: &Metadata) -> Result<(), TrustError> {
        let owner = metadata.uid();
        let Some(fault) = owner_fault(owner).filter(|_| self.above != Above::Anybody) else {
            return Ok(());
        };
        let is_above = !self.rest.is_empty() || metadata.is_symlink();
        // The folders above the user's own are root's, and so are programs. The machine's
        // root has no id in a user namespace.
        let may_be_roots = (is_above || self.is_program) && !self.open;
        let roots = may_be_roots && owner == OVERFLOW_UID && rootless_user().is_some();
        match (roots, is_above) {
            (true, _) => Ok(()),
            (false, true) => Err(untrusted(path, format!("{fault} (uid {owner})"))),
            (false, false) => Err(untrusted(path, fault)),
        }
    }

    fn step(&mut self, next: PathBuf, metadata: &Metadata) -> Result<(), TrustError> {
        let mode = metadata.mode();
        let is_last = self.rest.is_empty();
        self.open = mode & OTHERS_WRITE != 0;
        let may_be_open = match self.above {
            Above::Anybody => true,
            _ if is_last => false,
            Above::Ours => mode & STICKY != 0,
            Above::Groups => mode & STICKY != 0 || mode & EVERYBODY_WRITES == 0,
        };
        if self.open && !may_be_open {
            return Err(untrusted(&next, "can be written by others".to_owned()));
        }
        if metadata.is_dir()
            && self.above == Above::Ours
            && !self.open
            && owner_fault(metadata.uid()).is_none()
        {
            known::add(&next);
        }
        self.at = next;
        Ok(())
    }
}

/// Returns the fault in an owner, if there is one.
pub(super) fn owner_fault(owner: u32) -> Option<String> {
    let ours = owner == 0 || owner == nix::unistd::geteuid().as_raw();
    (!ours).then(|| "belongs to another user".to_owned())
}

/// Makes one folder. If another process makes it meanwhile, the caller checks its
/// owner.
fn make_one(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        // The umask may have taken bits away.
        Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(mode)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn untrusted(path: &Path, fault: String) -> TrustError {
    TrustError::Untrusted {
        path: path.to_owned(),
        fault,
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TrustError {
    let path = path.to_owned();
    move |error| TrustError::Io {
        action,
        path,
        error,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn check(path: &Path) -> Result<End, TrustError> {
        Walk::new(Above::Ours).to(path, None)
    }

    fn refused(path: &Path) -> String {
        check(path).unwrap_err().to_string()
    }

    #[test]
    fn links_of_our_own_are_followed_part_by_part() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("real/deep")).unwrap();
        fs::write(at("real/file"), "").unwrap();
        symlink("real/deep/..", at("link")).unwrap();
        symlink(at("link"), at("further")).unwrap();
        assert_eq!(check(&at("further/file")).unwrap(), End::There);
        assert_eq!(check(&at("further/deep/../file")).unwrap(), End::There);
        let missing = at("real").join("none");
        assert_eq!(
            check(&at("further/none/at/all")).unwrap(),
            End::Missing(missing)
        );
        // The folders that the link leads through are checked, too.
        mode(&at("real"), 0o775);
        let error = refused(&at("further/file"));
        assert!(error.contains("real can be written by others"), "{error}");
    }

    #[test]
    fn links_in_a_circle_end() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        symlink(&b, &a).unwrap();
        symlink(&a, &b).unwrap();
        assert!(refused(&a.join("file")).contains("can't follow"));
    }

    #[test]
    fn others_may_add_only_to_sticky_folders_above() {
        let folder = tempfile::tempdir().unwrap();
        let shared = folder.path().join("shared");
        let file = shared.join("file");
        fs::create_dir(&shared).unwrap();
        fs::write(&file, "").unwrap();
        mode(&shared, 0o1777);
        assert_eq!(check(&file).unwrap(), End::There);
        assert!(refused(&shared).contains("can be written by others"));
        mode(&shared, 0o777);
        assert!(refused(&file).contains("can be written by others"));
        mode(&shared, 0o775);
        assert!(refused(&file).contains("can be written by others"));
        let groups = Walk::new(Above::Groups);
        assert_eq!(groups.to(&file, None).unwrap(), End::There);
        mode(&file, 0o620);
        assert!(Walk::new(Above::Groups).to(&file, None).is_err());
    }

    #[test]
    fn missing_folders_are_made_with_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c");
        for _ in 0..2 {
            let made = Walk::new(Above::Ours).to(&path, Some(0o700)).unwrap();
            assert_eq!(made, End::There);
        }
        for part in ["a", "a/b", "a/b/c"] {
            let metadata = fs::metadata(folder.path().join(part)).unwrap();
            assert_eq!(metadata.mode() & 0o7777, 0o700, "{part}");
        }
    }
}
