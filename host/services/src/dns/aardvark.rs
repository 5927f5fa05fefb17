//! The real server: its folder, its lock, and when it is told.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
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
/// The pause between two attempts to take the lock, or to read a file.
const PAUSE: Duration = Duration::from_millis(2);
/// How often a file is read that is empty.
const READS: usize = 5;
/// How long a registration waits for the lock. Its holders have it for milliseconds.
const LOCK_TIME: Duration = Duration::from_secs(5);
/// How long a withdrawal does, which can do without.
const WITHDRAWAL_LOCK_TIME: Duration = Duration::from_secs(2);

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
        if let Some(process) = self.running()?
            && process.reload()?
        {
            return Ok(match process.is_here() {
                true => Served::Here,
                false => Served::Elsewhere,
            });
        }
        let started = start(&self.config, self.deadline);
        // netavark may have started one meanwhile.
        match started.is_err()
            && self
                .running()?
                .is_some_and(|process| process.reload() == Ok(true))
        {
            true => Ok(Served::Here),
            false => started.map(|()| Served::Here),
        }
    }

    fn running(&self) -> Result<Option<Process>, DnsError> {
        Process::find(&self.config.folder(), Some(&self.config.program))
    }

    /// Waits for the end of a server that has no network left. It would take a signal, and
    /// end all the same.
    fn await_end(&self) {
        if let Ok(Some(process)) = self.running() {
            process.wait_end(self.deadline);
        }
    }
}

impl Dns for Aardvark {
    fn register(&mut self, registration: &Registration) -> Result<Served, DnsError> {
        let record = &registration.record;
        let path = record.path()?;
        let lock = self.deadline.min(Instant::now() + LOCK_TIME);
        let folder = Folder::make(&record.folder, lock)?;
        if folder.has_no_network() {
            self.await_end();
        }
        let there = folder.read(&path)?;
        folder.write(&path, &NetworkFile::with(there, registration))?;
        self.tell()
    }

    fn withdraw(&mut self, record: &DnsRecord) -> Result<(), DnsError> {
        // Nothing stands under a name that is refused.
        let Ok(path) = record.path() else {
            return Ok(());
        };
        if !record.folder.exists() {
            return Ok(());
        }
        let lock = self.deadline.min(Instant::now() + WITHDRAWAL_LOCK_TIME);
        let folder = Folder::open(&record.folder, lock)?;
        // A run that was killed while it wrote leaves it behind.
        folder.discard_new();
        let left = folder
            .read(&path)?
            .map(|file| file.without(&record.container));
        match left.filter(|left| !left.is_empty()) {
            Some(left) => folder.write(&path, &left)?,
            None => remove(&path)?,
        }
        // The files are right, whether or not the server can be told.
        let process = Process::find(&record.folder, Some(&self.config.program));
        if let Ok(Some(process)) = process
            && matches!(process.reload(), Ok(true))
            && folder.has_no_network()
        {
            process.wait_end(self.deadline);
        }
        Ok(())
    }
}

impl Registration {
    /// Checks what can be known before the server's files are touched.
    ///
    /// # Errors
    ///
    /// The server would ask itself, or the network's name is that of one of its files.
    pub fn check(&self) -> Result<(), DnsError> {
        self.record.path()?;
        let mut servers = self.forward_to.iter();
        match servers.find(|server| self.listen.contains(server)) {
            None => Ok(()),
            Some(server) => Err(DnsError::Loop {
                server: *server,
                network: self.record.network.clone(),
            }),
        }
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

/// The server's folder, locked against other runs and netavark.
struct Folder {
    path: PathBuf,
    new_file: PathBuf,
    _lock: Option<Flock<File>>,
}

impl Folder {
    /// Makes the folder if it's missing, and locks it.
    fn make(path: &Path, deadline: Instant) -> Result<Self, DnsError> {
        let made = trust::make_folder(path, FOLDER_MODE, Above::Ours);
        made.map_err(|error| failed(path, &error.into()))?;
        let folder = Self::new(path, deadline)?;
        match folder._lock {
            Some(_) => Ok(folder),
            None => Err(DnsError::Locked),
        }
    }

    /// Opens a folder that is there. If the lock isn't free in time, it goes without, as
    /// netavark does when it removes a container.
    fn open(path: &Path, deadline: Instant) -> Result<Self, DnsError> {
        let checked = trust::check_existing(path, Above::Ours);
        checked.map_err(|error| failed(path, &error.into()))?;
        Self::new(path, deadline)
    }

    fn new(path: &Path, deadline: Instant) -> Result<Self, DnsError> {
        let above = path.parent().unwrap_or(Path::new("/"));
        Ok(Self {
            path: path.to_owned(),
            new_file: above.join(NEW_FILE),
            _lock: lock(&above.join(LOCK), deadline)?,
        })
    }

    /// Reads a network's file. netavark writes an empty one first, and takes no lock when
    /// it changes a network's servers.
    fn read(&self, path: &Path) -> Result<Option<NetworkFile>, DnsError> {
        let mut text = String::new();
        for _ in 0..READS {
            text = match read_text(path)? {
                None => return Ok(None),
                Some(text) => text,
            };
            if !text.is_empty() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        Ok(NetworkFile::parse(&text))
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

    /// Whether the server has no network. A folder that can't be read has some.
    fn has_no_network(&self) -> bool {
        let Ok(entries) = fs::read_dir(&self.path) else {
            return false;
        };
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.all(|name| name == OWN_FILE)
    }
}

fn read_text(path: &Path) -> Result<Option<String>, DnsError> {
    let bytes = match trust::read(path, FILE_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(DnsError::Malformed {
            path: types::text::plain(&path.to_string_lossy()),
            what: "it is no UTF-8",
        }),
    }
}

/// Marks a point at which tests make the program fail.
#[track_caller]
fn point(path: &Path) -> Result<(), DnsError> {
    let reached = failpoint::before_operation();
    reached.map_err(|errno| failed(path, &errno.into()))
}

/// Takes netavark's lock. Returns `None` if it isn't free in time.
fn lock(path: &Path, deadline: Instant) -> Result<Option<Flock<File>>, DnsError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = trust::open(options, path, FILE_MODE).map_err(|error| failed(path, &error))?;
    // Whoever can read the file can take the lock, and netavark makes it for all to read.
    // A lock that keeps its mode works, too.
    let _ = file.set_permissions(Permissions::from_mode(FILE_MODE));
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(Some(lock)),
            Err((file, Errno::EWOULDBLOCK | Errno::EINTR)) => file,
            Err((_, errno)) => return Err(failed(path, &errno.into())),
        };
        if Instant::now() >= deadline {
            return Ok(None);
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
