//! The program under test, with a root directory of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::audit;
use crate::compiled;
use crate::grant::{Grant, digest};
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
    /// An empty installation.
    pub fn new(world: &'a World) -> Self {
        Self::of(world, places::wasmvark())
    }

    /// An empty installation of a build that makes faults on request.
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

    /// The directory below which everything lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The world that it is in.
    pub fn world(&self) -> &'a World {
        self.world
    }

    /// The directory of the driver links.
    pub fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }

    /// Keeps a secret for drivers.
    pub fn keep_secret(&self, name: &str, text: &str) {
        let folder = self.root.join("secrets");
        fs::create_dir_all(&folder).expect("the folder can be made");
        let path = folder.join(name);
        fs::write(&path, text).expect("the secret can be written");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path, mode).expect("it can be kept secret");
    }

    /// Where the grant for a driver lies.
    pub fn grant_file(&self, name: &str) -> PathBuf {
        self.root.join("grants").join(format!("{name}.toml"))
    }

    /// Where a driver's component lies.
    pub fn component(&self, guest: &str) -> PathBuf {
        let digest = sha256(guest);
        self.root
            .join("lib/components")
            .join(format!("{digest}.wasm"))
    }

    /// Where a driver's precompiled code lies.
    pub fn code(&self, guest: &str) -> PathBuf {
        self.code_of(&sha256(guest))
    }

    fn code_of(&self, digest: &str) -> PathBuf {
        let digest = digest.trim_start_matches("sha256:");
        self.root.join("lib/code").join(format!("{digest}.cwasm"))
    }

    /// The audit trail.
    pub fn audit_file(&self) -> PathBuf {
        self.root.join("log/audit.jsonl")
    }

    /// The lines of the audit trail.
    pub fn audit(&self) -> Vec<audit::Line> {
        audit::read(&self.audit_file())
    }

    /// Installs a driver with a grant.
    pub fn install(&self, guest: &str, name: &str, grant: &Grant) {
        self.install_file(&places::guest(guest), name, grant);
    }

    /// Installs a component's file with a grant.
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

    /// The same with some of an environment, which is empty otherwise.
    pub fn administer_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_first().expect("a command");
        let mut wasmvark = self.command(command);
        process::run(wasmvark.envs(environment.iter().copied()).args(rest), b"")
    }

    /// Runs `gc` until it says that something was cleared. What is started beside a
    /// test has a copy of each descriptor for a moment, and another test's
    /// namespace may get the number of one that is gone.
    #[track_caller]
    pub fn gc_until(&self, expected: &str) -> String {
        let limit = Duration::from_secs(60);
        let gc = || self.administer(&["gc"]).stdout;
        let text = poll::until_within(limit, gc, |text| text.contains(expected));
        assert!(text.contains(expected), "{text}");
        text
    }

    /// Runs a driver as netavark would.
    pub fn plugin(&self, name: &str, arguments: &[&str], input: impl AsRef<[u8]>) -> Output {
        process::run(self.plugin_command(name).args(arguments), input.as_ref())
    }

    /// A driver as netavark would run it, without arguments.
    pub fn plugin_command(&self, name: &str) -> Command {
        let mut plugin = self.world.host.command(self.plugins().join(name));
        plugin.env_clear().env("WASMVARK_ROOT", &self.root);
        plugin
    }

    /// All files below the runtime directory: journals and locks.
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

    /// netavark that finds the installed drivers.
    pub fn netavark(&self) -> Netavark<'a> {
        Netavark::new(self.world, &self.plugins(), &self.root)
    }

    /// An administrator's command, without arguments.
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

/// The text of a failure, checked to be exactly what the protocol wants:
/// exit code 1 and one JSON object with the one key `error`, in UTF-8 and not
/// empty, after all input was taken.
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

/// The answer of a run that must succeed.
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
