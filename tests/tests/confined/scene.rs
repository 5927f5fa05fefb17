//! An installation whose driver is the payload, and what came of a run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmvark_tests::audit;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::class::Class;

/// The name of the driver that has broken out, and of another one.
pub(crate) const NAME: &str = "broken";
pub(crate) const OTHER: &str = "other";
/// A secret that some grants allow, and one that none does.
pub(crate) const OWN_SECRET: &str = "own";
pub(crate) const OTHERS_SECRET: &str = "others";

/// An installation with a driver of a class.
pub(crate) struct Scene<'a> {
    pub(crate) wasmvark: Wasmvark<'a>,
    world: &'a World,
    class: &'static Class,
    /// The files that no run may change.
    kept: BTreeMap<PathBuf, Kept>,
}

/// What a file is like: its mode and owner, and its content or where it leads.
type Kept = (u32, u32, Vec<u8>);

/// What came of a run.
pub(crate) struct Outcome {
    /// What the payload reports of each action.
    pub(crate) reports: BTreeMap<String, String>,
    /// The forbidden system call that the trail names.
    pub(crate) violation: Option<String>,
    pub(crate) output: Output,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(world: &'a World, class: &'static Class) -> Self {
        let wasmvark = Wasmvark::faulty(world);
        for secret in [OWN_SECRET, OTHERS_SECRET] {
            wasmvark.keep_secret(secret, "GCYSgu0E3f4zz0yCEwWVWgKkFEsRJzoyFmYQmSpLQlA=");
        }
        wasmvark.install("probe", OTHER, &Grant::of(&["links.get"]));
        wasmvark.install("probe", NAME, &(class.grant)());
        // Also a run without a journal could look for those of others.
        let journals = wasmvark.root().join("run/journal");
        fs::create_dir_all(journals.join(network())).expect("a folder can be made");
        let mut scene = Self {
            wasmvark,
            world,
            class,
            kept: BTreeMap::new(),
        };
        // The trail has lines that nobody may change.
        scene.succeeds();
        scene.kept = scene.files();
        scene
    }

    /// Runs the driver's command with a payload of actions.
    pub(crate) fn run<T: AsRef<str>>(&self, actions: &[T]) -> Outcome {
        let trail = self.wasmvark.audit_file();
        let before = fs::read(&trail).unwrap_or_default();
        let output = process::run(&mut self.command(actions), self.document().as_bytes());
        let after = fs::read(&trail).unwrap_or_default();
        assert!(after.starts_with(&before), "old lines differ: {output:?}");
        Outcome {
            reports: reports(&output.stderr),
            violation: violation(&after[before.len()..]),
            output,
        }
    }

    /// Returns the command of such a run.
    pub(crate) fn command<T: AsRef<str>>(&self, actions: &[T]) -> Command {
        let actions: Vec<&str> = actions.iter().map(AsRef::as_ref).collect();
        let mut plugin = self.wasmvark.plugin_command(NAME);
        plugin.arg(self.class.command);
        if self.class.command != "create" {
            plugin.arg(self.world.container.path());
        }
        plugin.env("WASMVARK_PAYLOAD", actions.join("\n"));
        plugin
    }

    /// Returns the connection of such a run.
    pub(crate) fn connection(&self) -> Connection {
        Connection::v4(NAME)
    }

    /// Returns the document of such a run.
    pub(crate) fn document(&self) -> String {
        let connection = self.connection();
        match self.class.command {
            "create" => connection.for_create(),
            _ => connection.for_plugin(),
        }
    }

    /// Makes an empty journal, for which a command looks whether its container lives.
    pub(crate) fn keep_empty_journal(&self) {
        let journals = self.wasmvark.root().join("run/journal").join(network());
        fs::create_dir_all(&journals).expect("a folder can be made");
        fs::write(journals.join("waits.jsonl"), "").expect("a file can be written");
    }

    /// Checks that a run without a payload adds its lines to the trail.
    #[track_caller]
    pub(crate) fn succeeds(&self) {
        let before = self.wasmvark.audit().len();
        let outcome = self.run::<&str>(&[]);
        assert_eq!(outcome.violation, None, "{:?}", outcome.output);
        let lines = self.wasmvark.audit();
        let last = lines.last().map(|line| line.event.as_str());
        assert_eq!(last, Some("end"), "{:?}", outcome.output);
        assert!(lines.len() > before, "a run is recorded");
    }

    /// Checks that files which no run may change are as before.
    #[track_caller]
    pub(crate) fn nothing_is_changed(&self) {
        let now = self.files();
        let differs = |path: &&PathBuf| self.kept.get(*path) != now.get(*path);
        let paths = self.kept.keys().chain(now.keys());
        let changed: Vec<_> = paths.filter(differs).collect();
        assert!(changed.is_empty(), "changed: {changed:?}");
    }

    /// Reads the installation's files, without the journals, locks and trail.
    fn files(&self) -> BTreeMap<PathBuf, Kept> {
        let mut files = BTreeMap::new();
        for folder in ["grants", "lib", "plugins", "secrets"] {
            read(&self.wasmvark.root().join(folder), &mut files);
        }
        files
    }
}

/// Returns the network of all runs.
pub(crate) fn network() -> String {
    Connection::v4(NAME).network_id().to_owned()
}

fn read(path: &Path, files: &mut BTreeMap<PathBuf, Kept>) {
    let metadata = fs::symlink_metadata(path).expect("the file is there");
    let content = if metadata.is_symlink() {
        let target = fs::read_link(path).expect("the link can be read");
        target.into_os_string().into_encoded_bytes()
    } else if metadata.is_file() {
        fs::read(path).expect("the file can be read")
    } else {
        for entry in fs::read_dir(path)
            .expect("the folder can be read")
            .flatten()
        {
            read(&entry.path(), files);
        }
        Vec::new()
    };
    let kept = (metadata.mode(), metadata.uid(), content);
    files.insert(path.to_owned(), kept);
}

/// Returns the forbidden system call that the last of some lines of the trail names.
pub(crate) fn violation(lines: &[u8]) -> Option<String> {
    let mut lines = lines.split(|byte| *byte == b'\n');
    let last = lines.rfind(|line| !line.is_empty())?;
    let line: audit::Line = serde_json::from_slice(last).expect("the last line is whole");
    let object = line.object.filter(|_| line.event == "violation")?;
    object.strip_prefix("system call ").map(str::to_owned)
}

/// Reads what the program reports.
pub(crate) fn reports(stderr: &str) -> BTreeMap<String, String> {
    let lines = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("payload "));
    let pairs = lines.filter_map(|line| line.rsplit_once(": "));
    pairs
        .map(|(action, outcome)| (action.to_owned(), outcome.to_owned()))
        .collect()
}

/// Whether an outcome is the kernel's refusal for a lack of rights.
pub(crate) fn is_refusal(outcome: &str) -> bool {
    ["EACCES", "EPERM"].contains(&outcome)
}
