//! The files and programs of the checked machine.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// The time limit for a program to print its version.
const PATIENCE: Duration = Duration::from_secs(3);
/// The interval between two polls of the program.
const TICK: Duration = Duration::from_millis(5);
/// The number of bytes that are read of a program's output. A pipe holds more.
const OUTPUT: u64 = 4096;

/// The checked machine, by the folder of its root.
#[derive(Debug)]
pub(crate) struct System {
    root: PathBuf,
}

impl System {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Returns the path of a machine's file for this process.
    pub(crate) fn path(&self, file: impl AsRef<Path>) -> PathBuf {
        let file = file.as_ref();
        if file.starts_with(&self.root) {
            return file.to_owned();
        }
        self.root.join(file.strip_prefix("/").unwrap_or(file))
    }

    /// Returns the text of a file, if it can be read.
    pub(crate) fn read(&self, file: impl AsRef<Path>) -> Option<String> {
        std::fs::read_to_string(self.path(file)).ok()
    }

    /// Whether a file or folder exists.
    pub(crate) fn has(&self, file: impl AsRef<Path>) -> bool {
        self.path(file).exists()
    }

    /// Whether a file is a symbolic link.
    pub(crate) fn is_symlink(&self, file: impl AsRef<Path>) -> bool {
        self.path(file).is_symlink()
    }

    /// Lists the files of a folder in the order of their names. A folder that can't be
    /// listed has none.
    pub(crate) fn list(&self, folder: impl AsRef<Path>) -> Vec<PathBuf> {
        let folder = folder.as_ref();
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut files: Vec<PathBuf> = names.map(|name| folder.join(name)).collect();
        files.sort();
        files
    }

    /// Finds a program of that name in the first folder that has one.
    pub(crate) fn find_program(
        &self,
        folders: impl IntoIterator<Item = PathBuf>,
        name: &str,
    ) -> Option<PathBuf> {
        let mut files = folders.into_iter().map(|folder| folder.join(name));
        files.find(|file| self.path(file).is_file())
    }

    /// Returns the output of a program's `--version`.
    pub(crate) fn version(&self, program: &Path) -> Result<String, String> {
        let mut child = Command::new(self.path(program))
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < end => thread::sleep(TICK),
                Ok(None) => {
                    // Killing fails if the program has ended meanwhile.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("no answer within {} s", PATIENCE.as_secs()));
                }
                Err(error) => return Err(error.to_string()),
            }
        };
        if !status.success() {
            return Err(status.to_string());
        }
        let stdout = child.stdout.take().ok_or("nothing was printed")?;
        printed(stdout).map_err(|error| error.to_string())
    }
}

/// Reads what a program has printed that has ended. Its own children may still have the pipe
/// open.
fn printed(mut stdout: ChildStdout) -> io::Result<String> {
    fcntl(&stdout, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut bytes = Vec::new();
    match stdout.by_ref().take(OUTPUT).read_to_end(&mut bytes) {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => String::from_utf8(bytes).map_err(io::Error::other),
    }
}
