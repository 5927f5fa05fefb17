//! `wasmvark doctor` on a simulated machine of files. It must find each wrong state and
//! nothing else, and a remedy that is a command must work.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use wasmvark_tests::executable;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::netns::Netns;
use wasmvark_tests::places;
use wasmvark_tests::poll;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::{Wasmvark, answer_of};
use wasmvark_tests::world::World;

use crate::bench::{DRIVER, GUEST, LINKS, NO_LINKS, good};

/// What drivers need of a kernel, all of it.
const KERNEL: &str = "CONFIG_ACT_MIRRED=y\nCONFIG_IFB=y\nCONFIG_IP_MULTIPLE_TABLES=y\n\
     CONFIG_IPV6_MULTIPLE_TABLES=y\nCONFIG_MACVLAN=m\nCONFIG_NET_ACT_MIRRED=y\nCONFIG_NET_CLS_U32=y\n\
     CONFIG_NET_SCH_HTB=y\nCONFIG_NET_SCH_INGRESS=y\nCONFIG_NET_SCH_TBF=y\nCONFIG_NFT_CT=y\n\
     CONFIG_NF_CONNTRACK=y\nCONFIG_NF_TABLES=y\nCONFIG_NF_TABLES_INET=y\n\
     CONFIG_VLAN_8021Q=y\n";
const CONFIGURATION: &str = "boot/config-6.0-test";
const CONTAINERS_CONF: &str = "etc/containers/containers.conf";
const PODMAN: &str = "usr/bin/podman";
const NETAVARK: &str = "usr/lib/podman/netavark";
const SELINUX: &str = "sys/fs/selinux/enforce";
const LSM: &str = "sys/kernel/security/lsm";
const CAPABILITIES: &str = "proc/self/status";

/// Who has built the program may be anybody.
const OF_THE_BUILD: &str = "program";

#[derive(Deserialize)]
struct Report {
    findings: Vec<Finding>,
}

#[derive(Deserialize, Debug)]
struct Finding {
    check: String,
    state: String,
    what: String,
    remedy: Option<String>,
}

/// A machine with wasmvark and a driver.
struct Machine<'a> {
    root: &'a Path,
    wasmvark: Wasmvark<'a>,
}

pub(crate) fn register(suite: &mut Suite) {
    suite.test("doctor/a healthy machine", NO_LINKS, healthy);
    suite.test("doctor/text and exit codes", NO_LINKS, text_and_codes);
    programs(suite);
    plugins(suite);
    stores(suite);
    drivers(suite);
    kernels(suite);
    rights(suite);
    suite.test("doctor/drop-ins with Podman 6", NO_LINKS, drop_ins);
    suite.test("doctor/journals", LINKS, journals);
    suite.test(
        "doctor/another firewall",
        &[Need::Root, Need::Nft],
        other_firewall,
    );
}

/// Adds a test: the damage is found as each of `found` says, `check state`,
/// and nothing else is; one of them mentions `mention`.
fn finds(
    suite: &mut Suite,
    name: &str,
    found: &'static [&'static str],
    mention: &'static str,
    damage: fn(&Machine),
) {
    suite.test(format!("doctor/{name}"), NO_LINKS, move || {
        let world = World::new();
        let machine = Machine::new(&world);
        damage(&machine);
        let findings = machine.assert_finds(found);
        assert!(
            findings
                .iter()
                .any(|finding| finding.what.contains(mention)),
            "{findings:#?}"
        );
    });
}

/// The same where the remedies are commands; they are run, one after another,
/// and then all is well.
fn cures(suite: &mut Suite, name: &str, found: &'static [&'static str], damage: fn(&Machine)) {
    suite.test(format!("doctor/{name}"), NO_LINKS, move || {
        let world = World::new();
        let machine = Machine::new(&world);
        damage(&machine);
        for finding in machine.assert_finds(found) {
            machine.follow(&finding.remedy.unwrap());
        }
        machine.assert_finds(&[]);
    });
}

/// Root's own folder is read, which Podman 5 doesn't know.
fn drop_ins() {
    let world = World::new();
    let machine = Machine::new(&world);
    let text = machine.read(CONTAINERS_CONF);
    machine.write("etc/containers/containers.rootful.conf.d/50.conf", &text);
    machine.write(CONTAINERS_CONF, "[containers]\n");
    machine.assert_finds(&["plugin-dirs problem", "link problem"]);
    machine.program(PODMAN, "echo podman version 6.0.0");
    machine.assert_finds(&[]);
}

fn healthy() {
    let world = World::new();
    let machine = Machine::new(&world);
    machine.assert_finds(&[]);
    let report = machine.report();
    for check in [
        "podman",
        "netavark",
        "plugin-dirs",
        "capabilities",
        "lsm",
        "files",
        "link",
        "component",
        "code",
        "grant",
        "kernel",
    ] {
        assert!(
            report.findings.iter().any(|finding| finding.check == check),
            "{check}"
        );
    }
}

fn text_and_codes() {
    let world = World::new();
    let machine = Machine::new(&world);
    fs::remove_file(machine.file(PODMAN)).unwrap();
    let output = machine.doctor(&[]);
    assert_eq!(output.code, Some(1), "{output:?}");
    let mut lines = output.stdout.lines();
    assert!(
        lines.next().unwrap().starts_with("problem  podman "),
        "{output:?}"
    );
    assert!(
        lines.next().unwrap().trim_start().starts_with("-> install"),
        "{output:?}"
    );
    assert!(!output.stdout.contains('\u{1b}'), "{output:?}");
    let coloured = process::run(machine.command(&[]).env("CLICOLOR_FORCE", "1"), b"");
    assert!(coloured.stdout.starts_with("\u{1b}["), "{coloured:?}");
    let plain = process::run(
        machine
            .command(&[])
            .envs([("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]),
        b"",
    );
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");
    assert!(
        output.stdout.contains(", 1 problem,") || output.stdout.contains(" problems,"),
        "{output:?}"
    );
    // Names of files can't steer a terminal, nor make lines.
    symlink(
        places::wasmvark(),
        machine.file("root/plugins/a\u{1b}[2Jb\nc"),
    )
    .unwrap();
    let output = machine.doctor(&[]);
    assert!(output.stdout.contains("a\u{fffd}[2Jb c"), "{output:?}");
    // It can't look.
    fs::write(machine.file("root/lib/drivers.new"), "").unwrap();
    fs::remove_dir_all(machine.file("root/lib/drivers")).unwrap();
    fs::rename(
        machine.file("root/lib/drivers.new"),
        machine.file("root/lib/drivers"),
    )
    .unwrap();
    let output = machine.doctor(&[]);
    assert_eq!(output.code, Some(2), "{output:?}");
}

fn programs(suite: &mut Suite) {
    finds(suite, "no podman", &["podman problem"], "PATH", |machine| {
        fs::remove_file(machine.file(PODMAN)).unwrap();
    });
    finds(suite, "podman 4", &["podman problem"], "4.9", |machine| {
        machine.program(PODMAN, "echo podman version 4.9.3");
    });
    finds(suite, "podman 5.2", &["podman warning"], "5.2", |machine| {
        machine.program(PODMAN, "echo podman version 5.2.0");
    });
    finds(
        suite,
        "a podman that hangs",
        &["podman problem"],
        "no answer",
        |machine| {
            machine.program(PODMAN, "exec sleep 60");
        },
    );
    finds(
        suite,
        "a podman that fails",
        &["podman problem"],
        "exit status: 3",
        |machine| {
            machine.program(PODMAN, "exit 3");
        },
    );
    finds(
        suite,
        "networks of cni",
        &["podman problem"],
        "cni",
        |machine| {
            let text = machine.read(CONTAINERS_CONF);
            machine.write(
                CONTAINERS_CONF,
                &format!("{text}network_backend = \"cni\"\n"),
            );
        },
    );
    finds(
        suite,
        "no netavark",
        &["netavark problem"],
        "/usr/lib/podman",
        |machine| {
            fs::remove_file(machine.file(NETAVARK)).unwrap();
        },
    );
    finds(
        suite,
        "netavark 1.4",
        &["netavark problem"],
        "1.4",
        |machine| {
            machine.program(NETAVARK, "echo netavark 1.4.0");
        },
    );
    finds(
        suite,
        "netavark elsewhere",
        &["netavark problem"],
        "/opt/podman",
        |machine| {
            let text = machine.read(CONTAINERS_CONF);
            machine.write(
                CONTAINERS_CONF,
                &format!("{text}[engine]\nhelper_binaries_dir = [\"/opt/podman\"]\n"),
            );
        },
    );
}

fn plugins(suite: &mut Suite) {
    finds(
        suite,
        "a broken containers.conf",
        &["plugin-dirs problem", "netavark unknown", "link unknown"],
        "containers.conf",
        |machine| machine.write(CONTAINERS_CONF, "[network\n"),
    );
    finds(
        suite,
        "other plugin directories",
        &["plugin-dirs problem", "link problem"],
        "root/plugins",
        |machine| {
            machine.write(
                CONTAINERS_CONF,
                "[network]\nnetavark_plugin_dirs = [\"/opt\"]\n",
            );
        },
    );
    finds(
        suite,
        "a main file that Podman 6 passes over",
        &["plugin-dirs problem", "link problem"],
        "/usr/share/containers/containers.conf names it, and Podman 6 reads only one main file",
        |machine| {
            machine.program(PODMAN, "echo podman version 6.0.0");
            let text = machine.read(CONTAINERS_CONF);
            machine.write("usr/share/containers/containers.conf", &text);
            machine.write(CONTAINERS_CONF, "[containers]\n");
        },
    );
    finds(
        suite,
        "a program of the same name",
        &["link problem"],
        "instead of",
        |machine| {
            machine.program("usr/lib/netavark/wasm-macvlan", "exit 1");
            let own = machine.wasmvark.plugins();
            machine.write(
                CONTAINERS_CONF,
                &format!("[network]\nnetavark_plugin_dirs = [\"/usr/lib/netavark\", {own:?}]\n"),
            );
        },
    );
    cures(
        suite,
        "a plugin directory for all",
        &["plugin-dirs problem"],
        |machine| {
            machine.mode("root/plugins", 0o777);
        },
    );
    cures(
        suite,
        "a link without a driver",
        &["plugin-dirs warning"],
        |machine| {
            symlink(places::wasmvark(), machine.file("root/plugins/other")).unwrap();
        },
    );
}

fn stores(suite: &mut Suite) {
    cures(
        suite,
        "a store of another user's",
        &["files problem", "drivers problem"],
        |machine| {
            chown(machine.file("root/lib"), Some(1234), None).unwrap();
        },
    );
    cures(
        suite,
        "grants for all",
        &["files problem", "grant problem"],
        |machine| {
            machine.mode("root/grants", 0o777);
        },
    );
    cures(suite, "code for all", &["code problem"], |machine| {
        machine.mode("root/lib/code", 0o777);
    });
    finds(
        suite,
        "a trail that can't be",
        &["files problem"],
        "audit trail",
        |machine| {
            machine.write("root/log", "a file");
        },
    );
    cures(suite, "an open secret", &["secrets problem"], |machine| {
        machine.wasmvark.keep_secret("key", "x");
        machine.mode("root/secrets/key", 0o644);
    });
    finds(
        suite,
        "no store",
        &["plugin-dirs warning", "drivers warning"],
        "none is installed",
        |machine| fs::remove_dir_all(machine.file("root/lib")).unwrap(),
    );
}

fn drivers(suite: &mut Suite) {
    cures(suite, "no link", &["link problem"], |machine| {
        fs::remove_file(machine.link()).unwrap();
    });
    finds(
        suite,
        "a foreign link",
        &["link problem"],
        "/bin/true",
        |machine| {
            fs::remove_file(machine.link()).unwrap();
            symlink("/bin/true", machine.link()).unwrap();
        },
    );
    finds(
        suite,
        "a foreign program",
        &["link problem"],
        "another program",
        |machine| {
            fs::remove_file(machine.link()).unwrap();
            fs::write(machine.link(), "#!/bin/sh\n").unwrap();
        },
    );
    finds(
        suite,
        "a changed component",
        &["component problem"],
        "corrupt",
        |machine| {
            let path = machine.wasmvark.component(GUEST);
            let mut bytes = fs::read(&path).unwrap();
            bytes.push(0);
            fs::write(path, bytes).unwrap();
        },
    );
    cures(suite, "no code", &["code warning"], |machine| {
        fs::remove_file(machine.wasmvark.code(GUEST)).unwrap();
    });
    cures(suite, "changed code", &["code warning"], |machine| {
        fs::write(machine.wasmvark.code(GUEST), "changed").unwrap();
    });
    cures(
        suite,
        "code of another engine",
        &["code warning"],
        |machine| {
            let path = machine.wasmvark.code(GUEST);
            fs::write(&path, "another engine's").unwrap();
            let digest = wasmvark_tests::grant::digest(&path);
            let stamp =
                format!(r#"{{"digest":"{digest}","size":0,"modified":[0,0],"changed":[0,0]}}"#);
            fs::write(path.with_extension("cwasm.stamp"), stamp).unwrap();
        },
    );
    finds(
        suite,
        "no grant",
        &["grant warning"],
        "may do nothing",
        |machine| {
            fs::remove_file(machine.wasmvark.grant_file(DRIVER)).unwrap();
        },
    );
    finds(
        suite,
        "a broken grant",
        &["grant problem"],
        DRIVER,
        |machine| {
            fs::write(machine.wasmvark.grant_file(DRIVER), "calls = [").unwrap();
        },
    );
    finds(
        suite,
        "a grant for another component",
        &["grant problem"],
        "digest",
        |machine| {
            let path = machine.wasmvark.grant_file(DRIVER);
            let digest = wasmvark_tests::grant::digest(&places::guest(GUEST));
            let other = format!("sha256:{}", "0".repeat(64));
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replace(&digest, &other)).unwrap();
        },
    );
}

fn kernels(suite: &mut Suite) {
    finds(
        suite,
        "a kernel without macvlan",
        &["kernel problem"],
        "without MACVLAN",
        |machine| {
            machine.write(CONFIGURATION, &KERNEL.replace("CONFIG_MACVLAN=m", ""));
            fs::remove_dir_all(machine.file("lib/modules")).unwrap();
        },
    );
    finds(
        suite,
        "a kernel without ifb",
        &["kernel warning"],
        "links.create-ifb",
        |machine| {
            machine.write(
                CONFIGURATION,
                &KERNEL.replace("CONFIG_IFB=y", "# CONFIG_IFB is not set"),
            );
        },
    );
    finds(
        suite,
        "a kernel without VLANs, for a driver of macvlan",
        &["kernel warning"],
        "links.create-vlan",
        |machine| {
            let without = KERNEL.replace("CONFIG_VLAN_8021Q=y", "");
            machine.write(CONFIGURATION, &without);
        },
    );
    finds(
        suite,
        "a module that isn't there",
        &["kernel problem"],
        "isn't on the machine",
        |machine| {
            machine.write("lib/modules/6.0-test/modules.dep", "");
        },
    );
    finds(
        suite,
        "a kernel that loads nothing",
        &["kernel problem"],
        "modules_disabled",
        |machine| {
            machine.write("proc/sys/kernel/modules_disabled", "1\n");
        },
    );
    finds(
        suite,
        "a kernel that doesn't tell",
        &["kernel unknown"; 14],
        "doesn't tell",
        |machine| {
            fs::remove_file(machine.file(CONFIGURATION)).unwrap();
            fs::remove_dir_all(machine.file("lib/modules")).unwrap();
        },
    );
}

fn rights(suite: &mut Suite) {
    finds(
        suite,
        "no capabilities",
        &["capabilities problem"],
        "CAP_NET_ADMIN",
        |machine| {
            machine.write(CAPABILITIES, "CapEff:\t0000000000200000\n");
        },
    );
    finds(
        suite,
        "selinux",
        &["lsm warning"],
        "SELinux is enforcing",
        |machine| {
            machine.write(SELINUX, "1");
        },
    );
    finds(suite, "apparmor", &["lsm warning"], "podman", |machine| {
        machine.write("sys/module/apparmor/parameters/enabled", "Y\n");
        machine.write(
            "sys/kernel/security/apparmor/profiles",
            "/usr/bin/man (enforce)\npodman (enforce)\n",
        );
    });
    finds(suite, "no securityfs", &["lsm unknown"], LSM, |machine| {
        fs::remove_file(machine.file(LSM)).unwrap();
    });
}

/// More namespaces than the tests beside this one make meanwhile.
const LOWER: usize = 60;

fn journals() {
    let world = World::new();
    let machine = Machine::new(&world);
    // A new namespace gets the lowest free number. Those of other tests leave this one's
    // free, once it has ended, as long as lower ones are.
    let lower: Vec<Netns> = (0..LOWER).map(|_| Netns::empty()).collect();
    let netns = Netns::new();
    drop(lower);
    let path = netns.path();
    let setup = ["setup", &path.to_string_lossy()];
    answer_of(&machine.wasmvark.plugin(DRIVER, &setup, good().for_plugin()));
    machine.assert_finds(&[]);
    drop(netns);
    // The kernel ends a namespace some time after its last user.
    let warns = || {
        let findings = machine.report().findings;
        let mut journals = findings.iter().filter(|it| it.check == "journals");
        journals.any(|it| it.state == "warning")
    };
    poll::until(warns, |warns| *warns);
    for finding in machine.assert_finds(&["journals warning"]) {
        machine.follow(&finding.remedy.unwrap());
    }
    machine.assert_finds(&[]);
}

/// Docker's, or an administrator's own.
fn other_firewall() {
    let world = World::new();
    let machine = Machine::new(&world);
    machine.assert_finds(&[]);
    let chains = "table ip filter {
        chain FORWARD { type filter hook forward priority 0; policy drop; }
        chain INPUT { type filter hook input priority 0; policy drop; }
    }
    table inet mine {
        chain passes { type filter hook forward priority 0; policy accept; }
    }";
    let mut nft = world.host.command(places::NFT);
    let output = process::run(nft.args(["-f", "-"]), chains.as_bytes());
    assert_eq!(output.code, Some(0), "{output:?}");
    let findings = machine.assert_finds(&["firewall warning"]);
    let remedy = findings[0].remedy.clone().unwrap();
    let rule = "nft insert rule ip filter FORWARD iifname LINK accept";
    assert!(remedy.contains(rule), "{remedy}");
}

impl<'a> Machine<'a> {
    fn new(world: &'a World) -> Self {
        let machine = Self {
            root: world.directory(),
            wasmvark: Wasmvark::new(world),
        };
        let component = places::guest(GUEST);
        let installed = machine.wasmvark.administer(&[
            "install",
            &component.to_string_lossy(),
            "--name",
            DRIVER,
            "--grant-requested",
        ]);
        assert_eq!(installed.code, Some(0), "{installed:?}");
        machine.program(PODMAN, "echo podman version 5.4.2");
        machine.program(NETAVARK, "echo netavark 1.14.0");
        machine.write(
            CONTAINERS_CONF,
            &format!(
                "[network]\nnetavark_plugin_dirs = [{:?}]\n",
                machine.wasmvark.plugins()
            ),
        );
        machine.write(CAPABILITIES, "CapEff:\t000001ffffffffff\n");
        machine.write("proc/sys/kernel/osrelease", "6.0-test\n");
        machine.write(CONFIGURATION, KERNEL);
        machine.write(
            "lib/modules/6.0-test/modules.dep",
            "kernel/drivers/net/macvlan.ko.xz:\n",
        );
        machine.write(LSM, "capability,landlock");
        machine
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn link(&self) -> PathBuf {
        self.wasmvark.plugins().join(DRIVER)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.file(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn program(&self, name: &str, script: &str) {
        executable::script(&self.file(name), script);
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = self.wasmvark.command("doctor");
        command.arg("--system").arg(self.root).args(more);
        command
    }

    fn doctor(&self, more: &[&str]) -> Output {
        process::run(&mut self.command(more), b"")
    }

    fn report(&self) -> Report {
        let output = self.doctor(&["--format", "json"]);
        let report: Report = serde_json::from_str(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let problems = report
            .findings
            .iter()
            .any(|finding| finding.state == "problem");
        assert_eq!(output.code, Some(i32::from(problems)), "{output:?}");
        report
    }

    /// Checks that just this is found, in any order, and returns it.
    fn assert_finds(&self, expected: &[&str]) -> Vec<Finding> {
        let mut findings = self.report().findings;
        findings.retain(|finding| finding.state != "ok" && finding.check != OF_THE_BUILD);
        let mut found: Vec<_> = findings
            .iter()
            .map(|finding| format!("{} {}", finding.check, finding.state))
            .collect();
        let mut expected = expected.to_vec();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{findings:#?}");
        for finding in &findings {
            let remedy = finding.remedy.as_deref().unwrap_or_default();
            assert!(!remedy.is_empty(), "{finding:?}");
        }
        findings
    }

    /// Does what a remedy says, where it's a command.
    fn follow(&self, remedy: &str) {
        let command = remedy.split("then: ").last().unwrap();
        let script = match command.strip_prefix("wasmvark ") {
            Some(rest) => format!(
                "exec {:?} --root {:?} {rest}",
                places::wasmvark(),
                self.wasmvark.root()
            ),
            None => command.to_owned(),
        };
        let output = process::run(Command::new("sh").args(["-c", &script]), b"");
        assert_eq!(output.code, Some(0), "{script}: {output:?}");
    }
}
