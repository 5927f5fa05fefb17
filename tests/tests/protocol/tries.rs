//! `wasmvark try`: the drivers' cases on a real kernel.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use wasmvark_tests::connection::Connection;
use wasmvark_tests::executable;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::places;
use wasmvark_tests::process::{self, Output};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::GUEST;
use crate::cases::MISSING;

/// The user and the group that own nothing.
const NOBODY: u32 = 65534;

/// What a try needs.
pub(crate) const REAL: &[Need] = &[Need::Root, Need::Macvlan, Need::UserNamespaces];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("try/the drivers", REAL, tried);
    suite.test("try/what fails", REAL, failing);
    suite.test("try/the machine's services", REAL, services);
}

/// Runs `wasmvark try` as a user without rights, who can read copies of the program, of the
/// case and of the driver.
fn attempt(world: &World, case: &str, driver: &str) -> Output {
    let files = ["wasmvark", "case.toml", "driver.wasm"].map(|name| world.file(name));
    let [program, file, component] = &files;
    fs::set_permissions(world.directory(), Permissions::from_mode(0o755)).unwrap();
    executable::copy(&places::wasmvark(), program);
    fs::copy(places::guest(driver), component).unwrap();
    fs::write(file, case).unwrap();
    let user = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
    let mut command = world.host.command("setpriv");
    let command = command.args(user).arg("--clear-groups").arg(program);
    process::run(command.arg("try").args([file, component]), b"")
}

/// The drivers' cases work on a real kernel, for any user, and change nothing here.
fn tried() {
    let world = World::new();
    let before = world.dump();
    let drivers = places::workspace().join("guest-examples");
    for (driver, case, made) in [
        ("ptp", "routed", "veth pair container:eth0"),
        ("macvlan", "dual-stack", "  + eth0  macvlan  up"),
        ("bridge", "published-port", "  + wv-br0 "),
    ] {
        let case = drivers.join(driver).join("cases").join(case);
        let case = fs::read_to_string(case.with_extension("toml")).unwrap();
        let output = attempt(&world, &case, driver);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains(made), "{made}: {output:?}");
        let end = "Then all is as it was.\n";
        assert!(output.stdout.ends_with(end), "{output:?}");
    }
    world.assert_unchanged(&before);
}

fn failing() {
    let world = World::new();
    let case = |text: &str, mention: &str| {
        let output = attempt(&world, text, GUEST);
        assert_eq!(output.code, Some(1), "{output:?}");
        let all = output.stdout + &output.stderr;
        assert!(all.contains(mention), "{mention}: {all}");
    };
    case(
        MISSING,
        "links.get on link host:PARENT failed: No such device",
    );
    case(
        "run = \"create\"\nnetwork = { options = { mtuu = \"9\" } }",
        "mtuu",
    );
    let kind = "[[machine.host.links]]\nname = \"wg0\"\nkind = \"wireguard\"";
    case(kind, "wg0 is of the kind wireguard: leave the kind out");
    case("network = { nmae = \"n\" }", "nmae");
}

/// Notes in the file `$1` that somebody connects to the system's bus, while `$2...` runs in
/// a mount namespace with a bus that answers nobody.
const BESIDE_A_BUS: &str = r#"
reached=$1
shift
mount -t tmpfs none /run
mkdir /run/dbus
python3 -c '
import os, socket, sys
bus = socket.socket(socket.AF_UNIX)
bus.bind("/run/dbus/new")
bus.listen()
os.rename("/run/dbus/new", "/run/dbus/system_bus_socket")
connection, _ = bus.accept()
open(sys.argv[1], "w").close()
' "$reached" &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.01; done
"$@"
code=$?
kill $! 2>/dev/null
exit $code
"#;

/// firewalld is asked over the system's bus to trust a container's addresses. A try must
/// not reach it; the same case without namespaces of its own does.
fn services() {
    let world = World::forwarding();
    let case = places::workspace().join("guest-examples/bridge/cases/published-port.toml");
    let driver = places::guest("bridge");
    let beside = |reached: &Path, command: &[&OsStr]| {
        let mut shell = world.host.command("unshare");
        let shell = shell.args(["--mount", "sh", "-c", BESIDE_A_BUS, "sh"]);
        process::run(shell.arg(reached).args(command), b"")
    };
    let program = places::wasmvark();
    let command = [
        program.as_os_str(),
        "try".as_ref(),
        case.as_ref(),
        driver.as_ref(),
    ];
    let reached = world.file("reached");
    let output = beside(&reached, &command);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.stdout.contains("firewall.trust"), "{output:?}");
    assert!(!reached.exists());

    let wasmvark = Wasmvark::new(&world);
    wasmvark.install("bridge", "wasm-bridge", &Grant::example("bridge"));
    let request = world.file("request.json");
    let connection = Connection::v4("wasm-bridge").network("network_interface", "br0");
    fs::write(&request, connection.for_plugin()).unwrap();
    let run = r#"WASMVARK_ROOT=$1 exec "$2" setup "$3" <"$4""#;
    let (plugin, netns) = (
        wasmvark.plugins().join("wasm-bridge"),
        world.container.path(),
    );
    let arguments = [wasmvark.root(), &plugin, &netns, &request].map(Path::as_os_str);
    let shell = ["sh", "-c", run, "sh"].map(OsStr::new);
    let output = beside(&reached, &[&shell[..], &arguments[..]].concat());
    assert!(reached.exists(), "{output:?}");
}
