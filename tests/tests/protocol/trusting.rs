//! Files that another user could have written, or could make the program follow. The
//! program trusts none of them, and each error names the file. The program's own files
//! have the same modes under every umask.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::{Mode, umask};
use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, LINKS, NO_LINKS, PROBE, fails, good, installed};

/// A user who is nobody here.
const STRANGER: u32 = 1234;

/// What makes a file untrusted, as errors say it.
const FOREIGN: &str = "belongs to another user";
const OPEN: &str = "can be written by others";

/// Damage to an installation, and the file that the error names.
type Damage = fn(&Wasmvark) -> PathBuf;

pub(crate) fn register(suite: &mut Suite) {
    suite.test("trusting/modes whatever the umask", LINKS, modes);
    let mut refused = |name: &str, mention: &'static str, damage: Damage| {
        suite.test(format!("trusting/{name}"), LINKS, move || {
            is_refused(mention, damage);
        });
    };
    refused("a root of another user's", FOREIGN, |it| {
        give(it.root().to_owned())
    });
    refused("a runtime folder of another user's", FOREIGN, |it| {
        give(run(it))
    });
    refused("a runtime folder that others can write", OPEN, |it| {
        open_up(run(it))
    });
    refused(
        "a sticky runtime folder with a stranger's part",
        FOREIGN,
        |it| {
            fs::set_permissions(run(it), Permissions::from_mode(0o1777)).unwrap();
            give(run(it).join("journal"))
        },
    );
    refused("journals of another user's", FOREIGN, |it| {
        give(run(it).join("journal"))
    });
    refused("journals that others can write", OPEN, |it| {
        open_up(run(it).join("journal"))
    });
    refused("a network's journals of another user's", FOREIGN, |it| {
        give(journal(it).parent().unwrap().to_owned())
    });
    refused("a network's journals that others can write", OPEN, |it| {
        open_up(journal(it).parent().unwrap().to_owned())
    });
    refused("a journal of another user's", FOREIGN, |it| {
        give(journal(it))
    });
    refused("a journal that others can write", OPEN, |it| {
        open_up(journal(it))
    });
    refused("a link for a journal", "symbolic link", |it| {
        let journal = journal(it);
        let elsewhere = it.root().join("elsewhere");
        fs::rename(&journal, &elsewhere).unwrap();
        symlink(&elsewhere, &journal).unwrap();
        journal
    });
    refused(
        "a stranger's link for a network's journals",
        FOREIGN,
        |it| {
            let folder = journal(it).parent().unwrap().to_owned();
            let elsewhere = it.root().join("elsewhere");
            fs::rename(&folder, &elsewhere).unwrap();
            stranger_links(&elsewhere, &folder)
        },
    );
    refused("a fifo for a journal", "not a plain file", |it| {
        let journal = journal(it);
        fs::remove_file(&journal).unwrap();
        nix::unistd::mkfifo(&journal, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        journal
    });
    refused("a journal without end", "bytes", |it| {
        let journal = journal(it);
        let file = fs::OpenOptions::new().write(true).open(&journal);
        file.unwrap().set_len(64 << 20).unwrap();
        journal
    });
    refused("a journal with a line of tomorrow", "line 2", |it| {
        add_line(it, r#"{"begin":{"number":9,"kind":"of tomorrow"}}"#)
    });
    refused("a journal with a line that is none", "line 2", |it| {
        add_line(it, "nonsense")
    });
    refused("locks of another user's", FOREIGN, |it| {
        give(run(it).join("lock"))
    });
    let mut waited = |name: &str, mention: &'static str, damage: Damage| {
        suite.test(format!("trusting/{name}"), LINKS, move || {
            is_no_turn(mention, damage);
        });
    };
    waited("a lock of another user's", FOREIGN, |it| {
        let lock = lock(it);
        fs::write(&lock, "process 1, setup").unwrap();
        give(lock)
    });
    waited("a stranger's link for a lock", "symbolic link", |it| {
        let elsewhere = it.root().join("elsewhere");
        fs::write(&elsewhere, "").unwrap();
        stranger_links(&elsewhere, &lock(it))
    });

    let mut unrecorded = |name: &str, mention: &'static str, damage: Damage| {
        suite.test(format!("trusting/{name}"), LINKS, move || {
            is_unrecorded(mention, damage);
        });
    };
    unrecorded("a log folder of another user's", FOREIGN, |it| {
        give(it.root().join("log"))
    });
    unrecorded("a log folder that others can write", OPEN, |it| {
        open_up(it.root().join("log"))
    });
    unrecorded("a trail of another user's", FOREIGN, |it| {
        give(it.audit_file())
    });
    unrecorded("a trail that others can write", OPEN, |it| {
        open_up(it.audit_file())
    });
    unrecorded("a stranger's link for a trail", FOREIGN, |it| {
        let elsewhere = it.root().join("elsewhere");
        fs::rename(it.audit_file(), &elsewhere).unwrap();
        stranger_links(&elsewhere, &it.audit_file())
    });

    suite.test(
        "trusting/a stranger's link to a root",
        LINKS,
        strangers_root,
    );
    suite.test(
        "trusting/a link of root's to a root",
        LINKS,
        own_link_to_root,
    );
    suite.test(
        "trusting/a store of another user's",
        NO_LINKS,
        foreign_store,
    );
    suite.test("trusting/a log folder of a group's", LINKS, groups_log);
    suite.test(
        "trusting/a state of another user's",
        NO_LINKS,
        foreign_state,
    );
    suite.test("trusting/a torn last line", LINKS, torn_last_line);
}

fn run(wasmvark: &Wasmvark) -> PathBuf {
    wasmvark.root().join("run")
}

fn journal(wasmvark: &Wasmvark) -> PathBuf {
    let files = wasmvark.run_files();
    let mut journals = files
        .into_iter()
        .filter(|file| file.extension() == Some("jsonl".as_ref()));
    journals.next().expect("there is a journal")
}

fn lock(wasmvark: &Wasmvark) -> PathBuf {
    run(wasmvark).join("lock").join(good().network_id())
}

/// Gives a file to another user.
fn give(path: PathBuf) -> PathBuf {
    chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
    path
}

fn open_up(path: PathBuf) -> PathBuf {
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    fs::set_permissions(&path, Permissions::from_mode(mode | 0o022)).unwrap();
    path
}

/// Has another user make a link.
fn stranger_links(target: &Path, link: &Path) -> PathBuf {
    symlink(target, link).unwrap();
    lchown(link, Some(STRANGER), Some(STRANGER)).unwrap();
    link.to_owned()
}

/// Puts a line behind the first one of the journal.
fn add_line(wasmvark: &Wasmvark, line: &str) -> PathBuf {
    let path = journal(wasmvark);
    let text = fs::read_to_string(&path).unwrap();
    let (boot, rest) = text.split_once('\n').unwrap();
    fs::write(&path, format!("{boot}\n{line}\n{rest}")).unwrap();
    path
}

/// After damage to what a setup left, nothing is done by it: neither by the
/// next setup nor by a teardown, and the journal stays as it was.
fn is_refused(mention: &str, damage: Damage) {
    let world = World::new();
    let wasmvark = installed(&world);
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    let named = damage(&wasmvark);
    let named = named.to_string_lossy();
    let kept = wasmvark.run_files();
    let mentions = [mention, &*named];
    fails(&world, "setup", &mentions, || {
        wasmvark.setup(DRIVER, good().for_plugin())
    });
    fails(&world, "teardown", &mentions, || {
        wasmvark.teardown(DRIVER, good().for_plugin())
    });
    assert_eq!(wasmvark.run_files(), kept);
}

/// Nothing is done by a lock that somebody else may hold. What is there goes all
/// the same.
fn is_no_turn(mention: &str, damage: Damage) {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    let named = damage(&wasmvark);
    let named = named.to_string_lossy();
    fails(&world, "setup", &[mention, &named], || {
        wasmvark.setup(DRIVER, good().for_plugin())
    });
    let output = wasmvark.teardown(DRIVER, good().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains(mention), "{output:?}");
    world.assert_unchanged(&before);
}

/// No driver runs without a trail that can be trusted; what is there goes all
/// the same.
fn is_unrecorded(mention: &str, damage: Damage) {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    let named = damage(&wasmvark);
    let named = named.to_string_lossy();
    fails(&world, "setup", &[mention, &named], || {
        wasmvark.setup(DRIVER, good().for_plugin())
    });
    let trail = fs::read(wasmvark.audit_file()).unwrap();
    let output = wasmvark.teardown(DRIVER, good().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains(mention), "{output:?}");
    world.assert_unchanged(&before);
    assert_eq!(fs::read(wasmvark.audit_file()).unwrap(), trail);
    // Nor is what such a trail says passed on.
    let output = wasmvark.administer(&["log"]);
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains(mention), "{output:?}");
}

/// The modes of all that an installation and a run make.
fn modes() {
    let usual = modes_under(0o022);
    let expected = [
        ("run", 0o700),
        ("run/journal", 0o700),
        ("run/lock", 0o700),
        ("log", 0o755),
        ("log/audit.jsonl", 0o600),
        ("lib", 0o755),
        ("grants", 0o755),
        ("grants/wasm-macvlan.toml", 0o644),
        ("plugins", 0o755),
    ];
    for (path, mode) in expected {
        assert_eq!(usual.get(Path::new(path)), Some(&mode), "{path}");
    }
    let others = usual.iter().filter(|(path, _)| path.starts_with("run"));
    for (path, mode) in others {
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
    for mask in [0, 0o002, 0o077, 0o277, 0o777] {
        assert_eq!(modes_under(mask), usual, "umask {mask:o}");
    }
}

fn modes_under(mask: u32) -> BTreeMap<PathBuf, u32> {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let grant = world.file("grant");
    let component = wasmvark_tests::places::guest(PROBE);
    let text = Grant::of(&["state.set"]).to_toml(DRIVER, &component);
    fs::write(&grant, text).unwrap();
    let mut install = wasmvark.command("install");
    install
        .arg(&component)
        .args(["--name", DRIVER, "--grant"])
        .arg(&grant);
    let output = under(mask, &mut install, "");
    assert_eq!(output.code, Some(0), "{output:?}");
    let connection = good().option("script", "state.set key value");
    let netns = world.container.path();
    let mut setup = wasmvark.plugin_command(DRIVER);
    setup.arg("setup").arg(&netns);
    answer_of(&under(mask, &mut setup, &connection.for_plugin()));
    let modes = below(wasmvark.root(), wasmvark.root());
    let state = modes
        .keys()
        .any(|path| path.extension() == Some("state".as_ref()) && path.starts_with("run/journal"));
    assert!(state, "{modes:?}");
    let mut teardown = wasmvark.plugin_command(DRIVER);
    teardown.arg("teardown").arg(&netns);
    let output = under(mask, &mut teardown, &connection.for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(wasmvark.run_files().is_empty());
    modes
}

fn under(mask: u32, command: &mut Command, input: &str) -> Output {
    // SAFETY: between fork and exec only umask is called, a plain system call
    // that allocates nothing.
    unsafe {
        command.pre_exec(move || {
            umask(Mode::from_bits_truncate(mask));
            Ok(())
        });
    }
    process::run(command, input.as_bytes())
}

/// The modes of files and folders, by their paths below `root`. Links have none.
fn below(root: &Path, folder: &Path) -> BTreeMap<PathBuf, u32> {
    let mut modes = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_symlink() {
            continue;
        }
        if metadata.is_dir() {
            modes.extend(below(root, &path));
        }
        let name = path.strip_prefix(root).unwrap().to_owned();
        modes.insert(name, metadata.mode() & 0o7777);
    }
    modes
}

/// In a folder where everybody may make files, a link of another user's could
/// lead elsewhere the next moment.
fn strangers_root() {
    let world = World::new();
    let wasmvark = installed(&world);
    let shared = world.file("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
    let link = stranger_links(wasmvark.root(), &shared.join("link"));
    let mentions = [FOREIGN, "uid 1234", &*link.to_string_lossy()];
    for command in ["setup", "teardown"] {
        fails(&world, command, &mentions, || {
            by_root(&wasmvark, &link, command)
        });
    }
    // A folder of the stranger's there is no better.
    let folder = shared.join("folder");
    fs::create_dir(&folder).unwrap();
    give(folder.clone());
    let component = wasmvark_tests::places::guest(PROBE);
    let mut install = world.host.command(wasmvark_tests::places::wasmvark());
    install.env_clear().arg("--root").arg(folder.join("root"));
    install.arg("install").arg(&component);
    let output = process::run(install.args(["--name", "x", "--grant-requested"]), b"");
    assert_ne!(output.code, Some(0), "{output:?}");
    assert!(output.stderr.contains(FOREIGN), "{output:?}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

fn own_link_to_root() {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    let shared = world.file("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
    let link = shared.join("link");
    symlink(wasmvark.root(), &link).unwrap();
    answer_of(&by_root(&wasmvark, &link, "setup"));
    assert_eq!(by_root(&wasmvark, &link, "teardown").code, Some(0));
    world.assert_unchanged(&before);
}

/// Runs the driver of the installation that a path leads to.
fn by_root(wasmvark: &Wasmvark, root: &Path, command: &str) -> Output {
    let mut plugin = wasmvark.plugin_command(DRIVER);
    plugin.env("WASMVARK_ROOT", root);
    plugin.arg(command).arg(wasmvark.world().container.path());
    process::run(&mut plugin, good().for_plugin().as_bytes())
}

/// Nothing is put into a store that another user could change.
fn foreign_store() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let lib = wasmvark.root().join("lib");
    fs::create_dir(&lib).unwrap();
    give(lib.clone());
    let component = wasmvark_tests::places::guest(PROBE);
    let component = component.to_string_lossy();
    let output = wasmvark.administer(&["install", &component, "--name", "x", "--grant-requested"]);
    assert_ne!(output.code, Some(0), "{output:?}");
    for mention in [FOREIGN, &*lib.to_string_lossy()] {
        assert!(output.stderr.contains(mention), "{output:?}");
    }
    assert_eq!(fs::read_dir(&lib).unwrap().count(), 0);
}

/// `/var/log` belongs to a group on some systems. What is in it is root's.
fn groups_log() {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    let group = wasmvark.root().join("var");
    fs::create_dir(&group).unwrap();
    fs::create_dir(group.join("log")).unwrap();
    symlink(group.join("log"), wasmvark.root().join("log")).unwrap();
    chown(&group, None, Some(STRANGER)).unwrap();
    fs::set_permissions(&group, Permissions::from_mode(0o775)).unwrap();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    assert_eq!(wasmvark.teardown(DRIVER, good().for_plugin()).code, Some(0));
    world.assert_unchanged(&before);
    give(group.join("log"));
    fails(&world, "setup", &[FOREIGN], || {
        wasmvark.setup(DRIVER, good().for_plugin())
    });
}

/// The state of a network that somebody else wrote isn't the driver's.
fn foreign_state() {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    wasmvark.install(PROBE, DRIVER, &Grant::of(&["state.get", "state.set"]));
    let with = |script: &str| -> Connection { good().option("script", script) };
    answer_of(&wasmvark.setup(DRIVER, with("state.set key value").for_plugin()));
    let files = wasmvark.run_files();
    let state = files
        .iter()
        .find(|file| file.extension() == Some("state".as_ref()))
        .expect("there is a state");
    give(state.clone());
    let other = with("state.get key").container("other");
    fails(
        &world,
        "setup",
        &[FOREIGN, &state.to_string_lossy()],
        || wasmvark.setup(DRIVER, other.for_plugin()),
    );
    chown(state, Some(0), Some(0)).unwrap();
    let output = wasmvark.teardown(DRIVER, good().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// A run that was killed while it wrote a line had done nothing by it.
fn torn_last_line() {
    let world = World::new();
    let wasmvark = installed(&world);
    let before = world.dump();
    answer_of(&wasmvark.setup(DRIVER, good().for_plugin()));
    let path = journal(&wasmvark);
    let mut text = fs::read(&path).unwrap();
    // Half of a character, too.
    text.extend(b"{\"begin\":{\"number\":9,\"name\":\"\xc3");
    fs::write(&path, text).unwrap();
    let output = wasmvark.teardown(DRIVER, good().for_plugin());
    assert_eq!(output.code, Some(0), "{output:?}");
    world.assert_unchanged(&before);
    assert!(wasmvark.run_files().is_empty());
}
