//! The trail's files: appending whole lines, and rotating full files, while other runs
//! write too.
//!
//! A writer takes the kernel's lock on the newest file, and then checks that the file
//! still is the newest. So no line is written to an old file, and only one of several
//! writers rotates a full one. A run that is killed halfway leaves no lock. It can leave
//! a torn line, which the next line doesn't continue, and a gap in the numbers, which
//! the next rotation fills.
//!
//! A confined run can open and rotate no file. It gets the newest from another process
//! ([`Newest`]), or stays with its open file.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trust::{self, Above};

use super::newest::Newest;
use super::{Rotation, warn};

/// How long a writer waits for the lock. Writing a line takes microseconds.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// The mode of the files. It doesn't depend on the umask.
const FILE_MODE: u32 = 0o600;
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_micros(200);

/// A writer with the newest file open. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    path: PathBuf,
    rotation: Rotation,
    file: Arc<File>,
    /// The file's device and inode.
    id: (u64, u64),
    /// The offset of the end of this run's last line.
    end: u64,
    /// Whether rotating has failed, so that the file grows.
    stuck: bool,
    /// Whether the run is confined. It can open, cut and rotate no file any more.
    confined: bool,
    /// The other process that opens the newest file for a confined run.
    newest: Option<Arc<dyn Newest>>,
}

impl Writer {
    /// Opens the newest file, or creates it.
    pub(super) fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            trust::make_folder(folder, 0o755, Above::Groups)?;
        }
        let (file, id) = open(path)?;
        Ok(Self {
            path: path.to_owned(),
            rotation,
            file: Arc::new(file),
            id,
            end: 0,
            stuck: false,
            confined: false,
            newest: None,
        })
    }

    /// Gets the newest file from another process, once the run is confined.
    pub(super) fn set_newest(&mut self, newest: Arc<dyn Newest>) {
        self.newest = Some(newest);
    }

    /// Opens and rotates no file from now on. If no other process does, the writer stays
    /// with the open file, which may grow by what one run writes.
    pub(super) fn confine(&mut self) {
        self.confined = true;
    }

    /// Opens the same file once more, for the line of a forbidden system call.
    pub(super) fn another(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// Returns the number of the open file.
    pub(super) fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Returns the open file.
    pub(super) fn into_file(self) -> Arc<File> {
        self.file
    }

    /// Appends one line, with its line end, whole or not at all.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        loop {
            let Some(length) = self.lock(deadline)? else {
                match self.confined {
                    true => self.renew(line),
                    false => self.reopen()?,
                }
                continue;
            };
            if !self.is_full(length, line) || !self.make_space(line) {
                let written = self.write(length, line);
                self.unlock();
                return written;
            }
        }
    }

    /// Waits for the open file's lock, and returns the file's length, or `None` if it
    /// isn't the newest any more.
    pub(super) fn lock(&self, deadline: Instant) -> io::Result<Option<u64>> {
        lock(&self.file, deadline)?;
        self.length_if_newest()
    }

    /// Frees the open file's lock.
    pub(super) fn unlock(&self) {
        // If this fails, the kernel frees the lock at the end of the process.
        let _ = self.file.unlock();
    }

    /// Has the full file rotated. Returns whether the newest file is to be looked at again.
    fn make_space(&mut self, line: &[u8]) -> bool {
        match self.confined {
            true => {
                self.renew(line);
                true
            }
            false => self.rotate(),
        }
    }

    /// Opens the newest file in the place of an old one.
    fn reopen(&mut self) -> io::Result<()> {
        let (file, id) = open(&self.path)?;
        self.take(Arc::new(file), id);
        Ok(())
    }

    /// Gets the newest file from the other process, with space for a line. The lock is
    /// freed, because the other process takes it to rotate. If it can't do that, the
    /// writer stays with the open file.
    fn renew(&mut self, line: &[u8]) {
        self.unlock();
        let Some(newest) = &self.newest else {
            return;
        };
        let opened = newest.open(size(line));
        match opened.and_then(|file| Ok((id(&file.metadata()?), file))) {
            Ok((id, file)) => {
                // The other process has left the full file as it is.
                self.stuck = id == self.id;
                self.take(file, id);
            }
            Err(error) => {
                self.newest = None;
                self.stuck = true;
                warn(&format!(
                    "the audit trail {} can't be rotated for this run, so a file grows: {error}",
                    self.path.display()
                ));
            }
        }
    }

    fn take(&mut self, file: Arc<File>, id: (u64, u64)) {
        if id != self.id {
            self.end = 0;
        }
        // Closing the old file frees its lock.
        (self.file, self.id) = (file, id);
    }

    /// Returns the length of the open file, or `None` if it isn't the newest any more.
    fn length_if_newest(&self) -> io::Result<Option<u64>> {
        if self.stays() {
            return self.length_of_open().map(Some);
        }
        match std::fs::metadata(&self.path) {
            Ok(there) if id(&there) == self.id => Ok(Some(there.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // A confined run may not even see the path.
            Err(_) if self.confined => self.length_of_open().map(Some),
            Err(error) => Err(error),
        }
    }

    /// Whether the writer stays with the open file, whatever happens to it.
    fn stays(&self) -> bool {
        self.confined && self.newest.is_none()
    }

    /// Returns the length of the open file.
    fn length_of_open(&self) -> io::Result<u64> {
        let open = self.file.metadata()?;
        match open.nlink() {
            0 => Err(io::Error::other("somebody has removed it during the run")),
            _ => Ok(open.len()),
        }
    }

    /// Writes a line whole or not at all.
    fn write(&mut self, length: u64, line: &[u8]) -> io::Result<()> {
        let whole;
        let line = match self.is_torn(length)? {
            false => line,
            true => {
                whole = [b"\n", line].concat();
                &whole
            }
        };
        let written = (&*self.file).write_all(line);
        match &written {
            Ok(()) => self.end = length.saturating_add(size(line)),
            // The next line is begun on its own, then.
            Err(_) if self.confined => {}
            // The error of writing is returned, not one of cutting the file.
            Err(_) => {
                let _ = self.file.set_len(length);
            }
        }
        written
    }

    /// Whether the file ends with a line that a killed run tore.
    fn is_torn(&self, length: u64) -> io::Result<bool> {
        let mut last = [b'\n'];
        match length.checked_sub(1) {
            Some(end) if length != self.end => self.file.read_exact_at(&mut last, end)?,
            _ => {}
        }
        Ok(last != [b'\n'])
    }

    fn is_full(&self, length: u64, line: &[u8]) -> bool {
        self.is_full_for(length, size(line))
    }

    /// Whether the file has no space for a line of this size, and can be rotated.
    pub(super) fn is_full_for(&self, length: u64, line: u64) -> bool {
        !self.stuck
            && !self.stays()
            && length > 0
            && length.saturating_add(line) > self.rotation.size
    }

    /// Rotates the file, whose lock is held, and returns whether that succeeded.
    /// Otherwise the file grows, because a line is worth more than the bound.
    pub(super) fn rotate(&mut self) -> bool {
        match rotate(&self.path, self.rotation.keep) {
            Ok(()) => true,
            Err(error) => {
                self.stuck = true;
                warn(&format!(
                    "the audit trail {} is full and can't be rotated, so it grows: {error}",
                    self.path.display()
                ));
                false
            }
        }
    }
}

/// Opens the newest file. A symbolic link is followed, because only the operator can
/// have made it.
fn open(path: &Path) -> io::Result<(File, (u64, u64))> {
    trust::check_existing(path, Above::Groups)?;
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(FILE_MODE)
        .open(path)?;
    let metadata = file.metadata()?;
    trust::check_open(path, &metadata)?;
    trust::give_mode(&file, &metadata, FILE_MODE)?;
    Ok((file, id(&metadata)))
}

fn size(line: &[u8]) -> u64 {
    u64::try_from(line.len()).unwrap_or(u64::MAX)
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn lock(file: &File, deadline: Instant) -> io::Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(PAUSE);
            }
            Err(TryLockError::WouldBlock) => {
                let seconds = LOCK_TIMEOUT.as_secs();
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    format!("another process has held its lock for {seconds} s"),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Gives the newest file the number 1, and each old file the next number. No step loses
/// a file: a free number is used first, and the oldest file is replaced only if there
/// is none.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let newest = std::fs::canonicalize(path)?;
    let is_free = |number: &u32| !numbered(&newest, *number).exists();
    let free = (1..=keep).find(is_free).unwrap_or(keep);
    for number in (1..free).rev() {
        std::fs::rename(
            numbered(&newest, number),
            numbered(&newest, number.saturating_add(1)),
        )?;
    }
    std::fs::rename(&newest, numbered(&newest, 1))?;
    for number in numbers(&newest).into_iter().filter(|n| *n > keep) {
        // A file too many is no reason to lose a line.
        let _ = std::fs::remove_file(numbered(&newest, number));
    }
    Ok(())
}

/// Returns the path of an old file.
pub(super) fn numbered(newest: &Path, number: u32) -> PathBuf {
    newest.with_added_extension(number.to_string())
}

/// Lists the numbers of the old files, the youngest first.
pub(super) fn numbers(newest: &Path) -> Vec<u32> {
    let (Some(folder), Some(name)) = (newest.parent(), newest.file_name()) else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries
        .filter_map(|entry| {
            let entry = entry.file_name();
            let rest = entry.to_str()?.strip_prefix(name.to_str()?)?;
            let number = rest.strip_prefix('.')?.parse().ok()?;
            // Another spelling of the number, as `07`, isn't an old file.
            (rest == format!(".{number}")).then_some(number)
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SMALL: Rotation = Rotation { size: 100, keep: 3 };

    fn read(path: &Path, number: u32) -> String {
        std::fs::read_to_string(numbered(path, number)).unwrap()
    }

    #[test]
    fn full_files_become_old_ones_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let mut writer = Writer::open(&path, SMALL).unwrap();
        for number in 0..12 {
            let line = format!("{number:039}\n");
            writer.append(line.as_bytes()).unwrap();
        }
        let first = |text: String| text.trim_start_matches('0').lines().next().unwrap().len();
        assert_eq!(numbers(&path), [1, 2, 3]);
        assert!(read(&path, 1).contains("9\n") && read(&path, 3).contains("4\n"));
        assert!(first(read(&path, 1)) > 0);
        for file in [path.clone(), numbered(&path, 1), numbered(&path, 3)] {
            let mode = std::fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn fewer_are_kept_once_the_operator_wants_fewer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        for number in 1..6 {
            std::fs::write(numbered(&path, number), number.to_string()).unwrap();
        }
        std::fs::write(path.with_added_extension("07"), "not ours").unwrap();
        std::fs::write(&path, "new").unwrap();
        rotate(&path, 2).unwrap();
        assert_eq!(numbers(&path), [1, 2]);
        assert_eq!((read(&path, 1), read(&path, 2)), ("new".into(), "1".into()));
        assert!(path.with_added_extension("07").exists());
    }

    #[test]
    fn a_move_that_was_cut_off_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        // 1 was renamed to 2, then the process was killed.
        for (number, text) in [(2, "b"), (3, "a")] {
            std::fs::write(numbered(&path, number), text).unwrap();
        }
        std::fs::write(&path, "c").unwrap();
        rotate(&path, 3).unwrap();
        let all = [3, 2, 1].map(|number| read(&path, number));
        assert_eq!(all, ["a", "b", "c"]);
    }

    #[test]
    fn a_torn_line_is_not_continued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        std::fs::write(&path, "{\"half").unwrap();
        let mut writer = Writer::open(&path, Rotation::default()).unwrap();
        writer.append(b"whole\n").unwrap();
        writer.append(b"whole\n").unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text, "{\"half\nwhole\nwhole\n");
    }

    #[test]
    fn a_link_of_the_operators_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("t"), folder.path().join("elsewhere"));
        std::os::unix::fs::symlink(&other, &path).unwrap();
        let mut writer = Writer::open(&path, SMALL).unwrap();
        for _ in 0..4 {
            writer
                .append(&[b"x".repeat(59), vec![b'\n']].concat())
                .unwrap();
        }
        assert!(path.is_symlink());
        assert_eq!(numbers(&other), [1, 2, 3]);
    }

    #[test]
    fn many_writers_lose_and_tear_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let rotation = Rotation {
            size: 400,
            keep: 10_000,
        };
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    for run in 0..10 {
                        let mut file = Writer::open(path, rotation).unwrap();
                        for line in 0..10 {
                            let text = format!("{writer} {run} {line} {}\n", "-".repeat(40));
                            file.append(text.as_bytes()).unwrap();
                        }
                    }
                });
            }
        });
        let mut files: Vec<PathBuf> = numbers(&path)
            .into_iter()
            .rev()
            .map(|number| numbered(&path, number))
            .collect();
        files.push(path.clone());
        let texts: Vec<String> = files
            .iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect();
        assert!(texts.iter().all(|text| text.len() <= 400));
        let all = texts.concat();
        let lines: Vec<&str> = all.lines().collect();
        assert_eq!(lines.len(), 800);
        for writer in 0..8 {
            let prefix = format!("{writer} ");
            let own: Vec<&str> = lines
                .iter()
                .filter(|line| line.starts_with(&prefix))
                .copied()
                .collect();
            let expected: Vec<String> = (0..100)
                .map(|n| format!("{writer} {} {} {}", n / 10, n % 10, "-".repeat(40)))
                .collect();
            assert_eq!(own, expected);
        }
    }
}
