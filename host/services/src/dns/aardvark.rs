//! The real server: its folder, its lock, and when it is told.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use trust::Above;

use super::file::{FILE_MAX, NetworkFile};
use super::process::Process;
use super::start::start;
use super::{Dns, DnsError, DnsRecord, Registration, Served};

/// The server's folder in netavark's folder.
const FOLDER: &str = "aardvark-dns";
/// netavark's lock for changes of the files, beside the folder.
const LOCK: &str = "aardvark.lock";
/// The file that takes the place of another one, beside the folder: the server takes
/// each file in the folder for a network's.
const NEW_FILE: &str = "wasmvark-dns.new";
/// What the names of internal networks' files end with.
const INTERNAL: &str = "%int";
/// The server's own file in its folder.
const OWN_FILE: &str = "aardvark.pid";
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o600;
/// The pause between two attempts to take the lock.
const PAUSE: Duration = Duration::from_millis(2);

/// Where the server's files are, and how it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AardvarkConfig {
    /// netavark's folder, which has the server's.
    pub config: PathBuf,
    /// The server's program.
    pub program: PathBuf,
    /// The port that the server listens on.
    pub port: u16,
    /// Whether it is started for a user other than root.
    pub rootless: bool,
}

impl AardvarkConfig {
    /// The port of DNS servers (RFC 1035, section 4.2).
    pub const PORT: u16 = 53;

    /// Returns the server's folder.
    pub fn folder(&self) -> PathBuf {
        self.config.join(FOLDER)
    }

    /// Whether the server is installed. netavark leaves names out where it isn't.
    pub fn is_installed(&self) -> bool {
        self.program.exists()
    }
}

/// The real server.
#[derive(Debug)]
pub struct Aardvark {
    config: AardvarkConfig,
    deadline: Instant,
}

impl Aardvark {
    /// Makes a client that works until the deadline.
    pub fn new(config: AardvarkConfig, deadline: Instant) -> Self {
        Self { config, deadline }
    }

    /// Moves the deadline.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Has the server read its files, or starts it. Another one may have ended since its
    /// number was written.
    fn tell(&self) -> Result<Served, DnsError> {
        point(&self.config.program)?;
        let process = Process::find(&self.config.folder(), Some(&self.config.program))?;
        if let Some(process) = process
            && process.reload()?
        {
            return Ok(match process.is_here() {
                true => Served::Here,
                false => Served::Elsewhere,
            });
        }
        start(&self.config, self.deadline)?;
        Ok(Served::Here)
    }
}

impl Dns for Aardvark {
    fn register(&mut self, registration: &Registration) -> Result<Served, DnsError> {
        check_loop(registration)?;
        let record = &registration.record;
        let folder = Folder::open(&record.folder, true, self.deadline)?;
        let path = record.path()?;
        let there = folder.read(&path)?;
        folder.write(&path, &NetworkFile::with(there, registration))?;
        self.tell()
    }

    fn withdraw(&mut self, record: &DnsRecord) -> Result<(), DnsError> {
        if !record.folder.exists() {
            return Ok(());
        }
        let folder = Folder::open(&record.folder, false, self.deadline)?;
        // A run that was killed while it wrote leaves it behind.
        folder.discard_new();
        let path = record.path()?;
        let left = folder
            .read(&path)?
            .map(|file| file.without(&record.container));
        match left.filter(|left| !left.is_empty()) {
            Some(left) => folder.write(&path, &left)?,
            None => remove(&path)?,
        }
        let process = Process::find(&record.folder, Some(&self.config.program))?;
        let Some(process) = process else {
            return Ok(());
        };
        // The files are right, whether or not the server can be told.
        if matches!(process.reload(), Ok(true)) && folder.has_no_network()? {
            process.wait_end();
        }
        Ok(())
    }
}

impl DnsRecord {
    /// Returns the path of the network's file.
    fn path(&self) -> Result<PathBuf, DnsError> {
        let name = types::plain("network name", self.network.clone());
        let name = name.map_err(|_| DnsError::Reserved(types::text::plain(&self.network)))?;
        if name == OWN_FILE {
            return Err(DnsError::Reserved(name));
        }
        let end = if self.internal { INTERNAL } else { "" };
        Ok(self.folder.join(format!("{name}{end}")))
    }
}

/// Refuses a network whose server would forward its questions to itself.
fn check_loop(registration: &Registration) -> Result<(), DnsError> {
    let mut servers = registration.forward_to.iter();
    match servers.find(|server| registration.listen.contains(server)) {
        None => Ok(()),
        Some(server) => Err(DnsError::Loop {
            server: *server,
            network: registration.record.network.clone(),
        }),
    }
}

/// The server's folder, locked against other runs and netavark.
struct Folder {
    path: PathBuf,
    new_file: PathBuf,
    _lock: Flock<File>,
}

impl Folder {
    fn open(path: &Path, make: bool, deadline: Instant) -> Result<Self, DnsError> {
        let above = path.parent().unwrap_or(Path::new("/"));
        let checked = match make {
            true => trust::make_folder(path, FOLDER_MODE, Above::Ours),
            false => trust::check_existing(path, Above::Ours),
        };
        checked.map_err(|error| failed(path, &error.into()))?;
        Ok(Self {
            path: path.to_owned(),
            new_file: above.join(NEW_FILE),
            _lock: lock(&above.join(LOCK), deadline)?,
        })
    }

    fn read(&self, path: &Path) -> Result<Option<NetworkFile>, DnsError> {
        let bytes = match trust::read(path, FILE_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, &error)),
        };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(NetworkFile::parse(&text)),
            Err(_) => Err(DnsError::Malformed {
                path: types::text::plain(&path.to_string_lossy()),
                what: "it is no UTF-8",
            }),
        }
    }

    /// Puts a file in the place of another, so that a run that is killed leaves a whole
    /// one.
    fn write(&self, path: &Path, file: &NetworkFile) -> Result<(), DnsError> {
        point(path)?;
        let written = self.write_new(&file.text());
        let placed = written
            .and_then(|()| Ok(failpoint::before_operation()?))
            .and_then(|()| fs::rename(&self.new_file, path));
        failpoint::after_operation();
        placed.map_err(|error| {
            self.discard_new();
            failed(path, &error)
        })
    }

    fn write_new(&self, text: &str) -> io::Result<()> {
        self.discard_new();
        let mut options = OpenOptions::new();
        let options = options.write(true).create_new(true);
        trust::open(options, &self.new_file, FILE_MODE)?.write_all(text.as_bytes())
    }

    /// Removes a file that took no other's place. One that can't be removed is found by
    /// the next write.
    fn discard_new(&self) {
        let _ = fs::remove_file(&self.new_file);
    }

    fn has_no_network(&self) -> Result<bool, DnsError> {
        let entries = fs::read_dir(&self.path).map_err(|error| failed(&self.path, &error))?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        Ok(names.all(|name| name == OWN_FILE))
    }
}

/// Marks a point at which tests make the program fail.
#[track_caller]
fn point(path: &Path) -> Result<(), DnsError> {
    let reached = failpoint::before_operation();
    reached.map_err(|errno| failed(path, &errno.into()))
}

/// Takes netavark's lock.
fn lock(path: &Path, deadline: Instant) -> Result<Flock<File>, DnsError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = trust::open(options, path, FILE_MODE).map_err(|error| failed(path, &error))?;
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((file, Errno::EWOULDBLOCK | Errno::EINTR)) => file,
            Err((_, errno)) => return Err(failed(path, &errno.into())),
        };
        if Instant::now() >= deadline {
            return Err(DnsError::Deadline(
                "another run changed aardvark-dns's files",
            ));
        }
        std::thread::sleep(PAUSE);
    }
}

fn remove(path: &Path) -> Result<(), DnsError> {
    point(path)?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

/// Returns the error for a file or folder.
pub(super) fn failed(path: &Path, error: &io::Error) -> DnsError {
    DnsError::Io {
        path: types::text::plain(&path.to_string_lossy()),
        error: types::text::plain_error(&error.to_string()),
    }
}
