//! Installations of the program under test. Each has a root directory of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::audit;
use crate::compiled;
use crate::grant::{Grant, digest};
use crate::mounts;
use crate::netavark::Netavark;
use crate::places;
use crate::poll;
use crate::process::{self, Output};
use crate::world::World;

/// An installation of wasmvark in a world.
#[derive(Debug)]
pub struct Wasmvark<'a> {
    world: &'a World,
    program: PathBuf,
    root: PathBuf,
}

impl<'a> Wasmvark<'a> {
    /// Makes an empty installation.
    pub fn new(world: &'a World) -> Self {
        Self::of(world, places::wasmvark())
    }

    /// Makes an empty installation of the program with faults on request.
    pub fn faulty(world: &'a World) -> Self {
        Self::of(world, places::faulty())
    }

    fn of(world: &'a World, program: PathBuf) -> Self {
        let root = world.file("root");
        fs::create_dir_all(&root).expect("the root can be made");
        Self {
            world,
            program,
            root,
        }
    }

    /// Returns the root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the world of the installation.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// Returns the plugin directory.
    pub fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }

    /// Stores a secret for drivers.
    pub fn keep_secret(&self, name: &str, text: &str) {
        let folder = self.root.join("secrets");
        fs::create_dir_all(&folder).expect("the folder can be made");
        let path = folder.join(name);
        fs::write(&path, text).expect("the secret can be written");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path, mode).expect("it can be kept secret");
    }

    /// Returns the path of a driver's grant.
    pub fn grant_file(&self, name: &str) -> PathBuf {
        self.root.join("grants").join(format!("{name}.toml"))
    }

    /// Returns the path of a driver's component.
    pub fn component(&self, guest: &str) -> PathBuf {
        let digest = sha256(guest);
        self.root
            .join("lib/components")
            .join(format!("{digest}.wasm"))
    }

    /// Returns the path of a driver's precompiled code.
    pub fn code(&self, guest: &str) -> PathBuf {
        self.code_of(&sha256(guest))
    }

    fn code_of(&self, digest: &str) -> PathBuf {
        let digest = digest.trim_start_matches("sha256:");
        self.root.join("lib/code").join(format!("{digest}.cwasm"))
    }

    /// Returns the path of the audit trail.
    pub fn audit_file(&self) -> PathBuf {
        self.root.join("log/audit.jsonl")
    }

    /// Reads the lines of the audit trail.
    pub fn audit(&self) -> Vec<audit::Line> {
        audit::read(&self.audit_file())
    }

    /// Installs a driver with a grant.
    pub fn install(&self, guest: &str, name: &str, grant: &Grant) {
        self.install_file(&places::guest(guest), name, grant);
    }

    /// Installs the file of a component with a grant.
    pub fn install_file(&self, component: &Path, name: &str, grant: &Grant) {
        let file = self.world.file(&format!("{name}.grant"));
        fs::write(&file, grant.to_toml(name, component)).expect("a grant can be written");
        let code = self.code_of(&digest(component));
        compiled::put(&code);
        let output = process::run(
            self.command("install")
                .arg(component)
                .args(["--name", name, "--grant"])
                .arg(&file),
            b"",
        );
        assert_eq!(
            output.code,
            Some(0),
            "install {}: {output:?}",
            component.display()
        );
        compiled::keep(&code);
    }

    /// Runs an administrator's command.
    pub fn administer(&self, arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_first().expect("a command");
        process::run(self.command(command).args(rest), b"")
    }

    /// Runs an administrator's command with an environment, which is empty otherwise.
    pub fn administer_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_first().expect("a command");
        let mut wasmvark = self.command(command);
        process::run(wasmvark.envs(environment.iter().copied()).args(rest), b"")
    }

    /// Runs `gc` until it prints `expected`.
    ///
    /// A namespace may stay alive a little longer, because programs of other tests
    /// inherit its file descriptor for a moment. Another test's namespace may also
    /// reuse its number.
    #[track_caller]
    pub fn gc_until(&self, expected: &str) -> String {
        let limit = Duration::from_secs(60);
        let gc = || self.administer(&["gc"]).stdout;
        let text = poll::until_within(limit, gc, |text| text.contains(expected));
        assert!(text.contains(expected), "{text}");
        text
    }

    /// Runs a driver in the same way as netavark.
    pub fn plugin(&self, name: &str, arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
        process::run(self.plugin_command(name).args(arguments), input.as_ref())
    }

    /// Returns the command by which netavark runs a driver, without arguments.
    pub fn plugin_command(&self, name: &str) -> Command {
        let mut plugin = self.world.host.command(self.plugins().join(name));
        plugin.env_clear().env("WASMVARK_ROOT", &self.root);
        plugin
    }

    /// Runs a driver's `setup` for the world's container where `/proc/sys` is read-only.
    pub fn setup_read_only(&self, name: &str, input: impl AsRef<[u8]>) -> Output {
        let netns = self.world.container.path();
        let mut plugin = self.plugin_command(name);
        mounts::make_settings_read_only(&mut plugin);
        process::run(
            plugin.args(["setup", &netns.to_string_lossy()]),
            input.as_ref(),
        )
    }

    /// Returns all files in the runtime directory: journals and locks.
    pub fn run_files(&self) -> Vec<PathBuf> {
        files_below(&self.root.join("run"))
    }

    /// Runs a driver's `setup` for the world's container.
    pub fn setup(&self, name: &str, input: impl AsRef<[u8]>) -> Output {
        let netns = self.world.container.path();
        self.plugin(name, &["setup", &netns.to_string_lossy()], input)
    }

    /// Runs a driver's `teardown` for the world's container.
    pub fn teardown(&self, name: &str, input: impl AsRef<[u8]>) -> Output {
        let netns = self.world.container.path();
        self.plugin(name, &["teardown", &netns.to_string_lossy()], input)
    }

    /// Returns netavark with the installed drivers as plugins.
    pub fn netavark(&self) -> Netavark<'a> {
        Netavark::new(self.world, &self.plugins(), &self.root)
    }

    /// Returns an administrator's command, without arguments.
    pub fn command(&self, command: &str) -> Command {
        let mut wasmvark = self.world.host.command(&self.program);
        wasmvark
            .env_clear()
            .arg("--root")
            .arg(&self.root)
            .arg(command);
        wasmvark
    }
}

/// Checks that a run has failed in the form of the protocol, and returns its error.
///
/// The exit code must be 1, and the output one JSON object with the single key `error`
/// and a text that isn't empty. All input must have been read.
#[track_caller]
pub fn error_of(output: &Output) -> String {
    assert_eq!(output.code, Some(1), "exit code: {output:?}");
    if let Some(error) = &output.input_error {
        panic!("not all of the input was read: {error}; {output:?}");
    }
    let document: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON on stdout ({error}): {output:?}"));
    let fields = document
        .as_object()
        .unwrap_or_else(|| panic!("no object: {document}"));
    assert_eq!(
        fields.keys().collect::<Vec<_>>(),
        ["error"],
        "keys: {document}"
    );
    assert!(
        !output.stderr.contains("panicked"),
        "panic: {}",
        output.stderr
    );
    let error = fields["error"].as_str().expect("the error is a text");
    assert!(!error.trim().is_empty(), "the error is empty");
    error.to_owned()
}

/// Checks that a run has succeeded, and returns its answer.
#[track_caller]
pub fn answer_of(output: &Output) -> Value {
    assert_eq!(output.code, Some(0), "exit code: {output:?}");
    serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON on stdout ({error}): {output:?}"))
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let (folders, mut files): (Vec<_>, Vec<_>) = entries
        .map(|entry| entry.path())
        .partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| files_below(folder)));
    files
}

fn sha256(guest: &str) -> String {
    let digest = digest(&places::guest(guest));
    digest.trim_start_matches("sha256:").to_owned()
}
