//! `--apply`, with a `podman` that writes its arguments down.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use wasmvark_tests::executable;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use super::folder::{macvlan, write};
use crate::bench::NO_LINKS;

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn(&Site)| {
        suite.test(format!("convert/apply/{name}"), NO_LINKS, move || {
            let world = World::new();
            let wasmvark = Wasmvark::new(&world);
            test(&Site::new(&world, &wasmvark));
        });
    };
    test("commands are run and grants widened", widened);
    test("twice changes grants once", twice);
    test("nothing is done for a network that fails", failed);
    test("the first command that fails is the last", first_failure);
    test("a driver without a grant", no_grant);
    test("without podman", no_podman);
}

/// A machine whose `podman` refuses networks that are called `refused`.
struct Site<'a> {
    world: &'a World,
    wasmvark: &'a Wasmvark<'a>,
    programs: PathBuf,
}

impl<'a> Site<'a> {
    fn new(world: &'a World, wasmvark: &'a Wasmvark<'a>) -> Self {
        let programs = world.file("bin");
        fs::create_dir_all(&programs).unwrap();
        let site = Self {
            world,
            wasmvark,
            programs,
        };
        let script = format!(
            "for last; do :; done\necho \"$last\"\n\
             if [ \"$last\" = refused ]; then echo 'Error: no' >&2; exit 125; fi\n\
             printf '%s|' \"$@\" >>'{0}'; echo >>'{0}'",
            site.record().display()
        );
        executable::script(&site.programs.join("podman"), &script);
        site
    }

    fn record(&self) -> PathBuf {
        self.world.file("record")
    }

    /// What Podman was asked for: the words of each run.
    fn asked(&self) -> Vec<String> {
        let record = fs::read_to_string(self.record()).unwrap_or_default();
        record.lines().map(str::to_owned).collect()
    }

    fn apply(&self, files: &[(&str, Value)]) -> Output {
        let folder = write(self.world, files);
        let path = format!("{}:/usr/bin:/bin", self.programs.display());
        let arguments = ["convert", "--apply", &folder];
        self.wasmvark
            .administer_with(&[("PATH", &path)], &arguments)
    }

    /// A grant with words of its operator's.
    fn grant(&self, driver: &str) -> (PathBuf, String) {
        let name = format!("wasm-{driver}");
        self.wasmvark
            .install(driver, &name, &Grant::example(driver));
        let file = self.wasmvark.grant_file(&name);
        let text = fs::read_to_string(&file).unwrap();
        let text = format!("# ours\n{text}# end of it\n");
        fs::write(&file, &text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        (file, text)
    }
}

/// Needs a line for a bridge in the container.
fn tap(name: &str, bridge: &str) -> Value {
    json!({"name": name, "type": "tap", "bridge": bridge})
}

const LINES: [&str; 2] = [
    "\"links.get\" = { link = \"container:br0\" }",
    "\"links.set-master\" = { link = \"container:br0\" }",
];

fn widened(site: &Site) {
    let (file, before) = site.grant("tap");
    let output = site.apply(&[("a.conf", tap("a", "br0")), ("b.conf", macvlan("b"))]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(
        site.asked(),
        [
            "network|create|-d|wasm-tap|-o|bridge=br0|--ipam-driver|none|a|",
            "network|create|-d|wasm-macvlan|-o|parent=eth0|--ipam-driver|none|b|",
        ]
    );
    let after = fs::read_to_string(&file).unwrap();
    let kept: Vec<&str> = after.lines().filter(|line| !LINES.contains(line)).collect();
    assert_eq!(kept, before.lines().collect::<Vec<_>>());
    for line in LINES {
        assert!(
            output.stdout.contains(&format!("#   {line}\n")),
            "{output:?}"
        );
        assert_eq!(after.matches(line).count(), 1, "{after}");
    }
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let folder = fs::read_dir(file.parent().unwrap()).unwrap();
    assert_eq!(folder.count(), 1, "nothing is left beside it");
    let inspected = site.wasmvark.administer(&["inspect", "wasm-tap"]);
    assert!(inspected.stdout.contains("container:br0"), "{inspected:?}");
}

fn twice(site: &Site) {
    let (file, _) = site.grant("tap");
    site.apply(&[("a.conf", tap("a", "br0"))]);
    let once = fs::read_to_string(&file).unwrap();
    let again = site.apply(&[("a.conf", tap("a", "br0"))]);
    assert_eq!(again.code, Some(0));
    assert!(!again.stdout.contains("add to"), "{again:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), once);
    // Another bridge joins it, and neither takes the other's place.
    site.apply(&[("a.conf", tap("a", "br0")), ("b.conf", tap("b", "br1"))]);
    let both = fs::read_to_string(&file).unwrap();
    let line = LINES[0].replace(
        "\"container:br0\"",
        "[\"container:br0\", \"container:br1\"]",
    );
    assert!(both.contains(&line), "{both}");
}

fn failed(site: &Site) {
    let (file, before) = site.grant("tap");
    let bad = json!({"name": "a", "type": "tap", "bridge": "br0", "ipam": {"type": "dhcp"}});
    let output = site.apply(&[("a.conf", bad), ("b.conf", macvlan("b"))]);
    assert_eq!(output.code, Some(1));
    assert_eq!(site.asked().len(), 1, "{:?}", site.asked());
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

fn first_failure(site: &Site) {
    let (file, before) = site.grant("tap");
    let files = [
        ("a.conf", macvlan("a")),
        ("b.conf", tap("refused", "br0")),
        ("c.conf", macvlan("c")),
    ];
    let output = site.apply(&files);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("Error: no"), "{output:?}");
    let why = "`podman network create -d wasm-tap -o bridge=br0 --ipam-driver none refused` failed";
    assert!(output.stderr.contains(why), "{output:?}");
    assert_eq!(site.asked().len(), 1, "{:?}", site.asked());
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

fn no_grant(site: &Site) {
    let output = site.apply(&[("a.conf", tap("a", "br0"))]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("wasm-tap has no grant"),
        "{output:?}"
    );
    assert_eq!(site.asked(), [""; 0]);
}

fn no_podman(site: &Site) {
    fs::remove_file(site.programs.join("podman")).unwrap();
    let folder = write(site.world, &[("a.conf", macvlan("a"))]);
    let path = site.programs.to_string_lossy().into_owned();
    let arguments = ["convert", "--apply", &folder];
    let output = site
        .wasmvark
        .administer_with(&[("PATH", &path)], &arguments);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("can't run podman"), "{output:?}");
}
