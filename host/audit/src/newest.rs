//! The newest file for a run that can't open it, because the run is confined.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::file::{LOCK_TIMEOUT, Writer};
use super::{Place, warn};

/// The longest line that a file is rotated for, in bytes. A run that says more may lie.
const LINE_MAX: u64 = 64 << 10;

/// Another process, which opens the newest file for a confined run.
pub trait Newest: Debug + Send + Sync {
    /// Opens the newest file, with space for a line of this size. It is the full one if
    /// that can't be rotated. The caller holds no lock of the trail.
    ///
    /// # Errors
    ///
    /// The file can't be opened, or the other process has ended.
    fn open(&self, line: u64) -> io::Result<Arc<File>>;
}

/// What opens and rotates the files of a trail for one run. It doesn't believe the run:
/// only full files are rotated, and half of the old files outlast whatever it asks for.
#[derive(Debug)]
pub struct Rotator {
    place: Place,
    /// The number of rotations that the run may still cause.
    left: u32,
}

impl Rotator {
    /// Returns the rotator of a trail.
    pub fn new(place: Place) -> Self {
        let keep = place.rotation.as_ref().map_or(0, |rotation| rotation.keep);
        Self {
            place,
            left: (keep / 2).max(1),
        }
    }

    /// Opens the newest file. It is rotated first if it has no space for a line of this
    /// size.
    ///
    /// # Errors
    ///
    /// The operator's bounds can't be read, the file can't be opened, or another process
    /// doesn't free its lock.
    pub fn open(&mut self, line: u64) -> io::Result<Arc<File>> {
        let rotation = self.place.rotation.clone().map_err(io::Error::other)?;
        let deadline = Instant::now() + LOCK_TIMEOUT;
        loop {
            let mut writer = Writer::open(&self.place.file, rotation)?;
            let Some(length) = writer.lock(deadline)? else {
                continue;
            };
            if writer.is_full_for(length, line.min(LINE_MAX)) && self.rotates(&mut writer) {
                continue;
            }
            writer.unlock();
            return Ok(writer.into_file());
        }
    }

    /// Rotates the writer's file, unless the run has caused too many rotations.
    fn rotates(&mut self, writer: &mut Writer) -> bool {
        let Some(left) = self.left.checked_sub(1) else {
            warn(&format!(
                "the audit trail {} is full again and isn't rotated for this run any more, so \
                 it grows",
                self.place.file.display()
            ));
            return false;
        };
        self.left = left;
        writer.rotate()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::Rotation;
    use crate::file::{numbered, numbers};

    const SMALL: Rotation = Rotation { size: 100, keep: 6 };

    /// A rotator in place of another process.
    #[derive(Debug)]
    struct Other(Mutex<Rotator>);

    impl Newest for Other {
        fn open(&self, line: u64) -> io::Result<Arc<File>> {
            let mut rotator = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            rotator.open(line)
        }
    }

    /// Another process that has ended.
    #[derive(Debug)]
    struct Ended;

    impl Newest for Ended {
        fn open(&self, _: u64) -> io::Result<Arc<File>> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    fn rotator(path: &Path) -> Rotator {
        Rotator::new(Place {
            file: path.to_owned(),
            rotation: Ok(SMALL),
            journald: path.with_extension("none"),
        })
    }

    fn confined(path: &Path) -> Writer {
        let mut writer = Writer::open(path, SMALL).unwrap();
        writer.set_newest(Arc::new(Other(Mutex::new(rotator(path)))));
        writer.confine();
        writer
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_confined_writer_has_its_files_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let mut writer = confined(&path);
        for number in 0..7 {
            writer.append(format!("{number:039}\n").as_bytes()).unwrap();
        }
        assert_eq!(numbers(&path), [1, 2, 3]);
        assert!(read(&path).ends_with("6\n"));
        assert!(read(&numbered(&path, 3)).ends_with("1\n"));
    }

    #[test]
    fn a_confined_writer_follows_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let (mut one, mut other) = (confined(&path), confined(&path));
        let mut spare = one.clone();
        for number in 0..4 {
            let line = format!("{number:029}\n");
            for writer in [&mut one, &mut other, &mut spare] {
                writer.append(line.as_bytes()).unwrap();
            }
        }
        assert_eq!(numbers(&path), [1, 2, 3]);
        for number in 1..=3 {
            assert_eq!(read(&numbered(&path, number)).lines().count(), 3);
        }
    }

    #[test]
    fn half_of_the_old_files_outlast_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        for number in 1..=SMALL.keep {
            std::fs::write(numbered(&path, number), number.to_string()).unwrap();
        }
        let mut rotator = rotator(&path);
        for _ in 0..10 {
            let mut file: &File = &rotator.open(0).unwrap();
            file.write_all(&[b'x'; 101]).unwrap();
        }
        for number in 1..=3 {
            assert_eq!(read(&numbered(&path, number + 3)), number.to_string());
        }
        assert_eq!(read(&path).len(), 7 * 101);
    }

    #[test]
    fn only_full_files_are_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let place = Place {
            rotation: Ok(Rotation {
                size: 2 * LINE_MAX,
                ..SMALL
            }),
            ..rotator(&path).place
        };
        let mut rotator = Rotator::new(place);
        std::fs::write(&path, vec![b'\n'; usize::try_from(LINE_MAX).unwrap()]).unwrap();
        rotator.open(u64::MAX).unwrap();
        assert!(numbers(&path).is_empty());
        rotator.left = 0;
        std::fs::write(&path, vec![b'\n'; usize::try_from(2 * LINE_MAX).unwrap()]).unwrap();
        rotator.open(1).unwrap();
        assert!(numbers(&path).is_empty());
        rotator.left = 1;
        rotator.open(1).unwrap();
        assert_eq!(numbers(&path), [1]);
    }

    #[test]
    fn without_another_process_the_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let mut ended = Writer::open(&path, SMALL).unwrap();
        let mut none = ended.clone();
        ended.set_newest(Arc::new(Ended));
        none.confine();
        ended.confine();
        for _ in 0..3 {
            ended.append(&[b'\n'; 60]).unwrap();
            none.append(&[b'\n'; 60]).unwrap();
        }
        assert_eq!(read(&path).len(), 6 * 60);
        assert!(numbers(&path).is_empty());
    }
}
