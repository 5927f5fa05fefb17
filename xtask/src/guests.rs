//! All drivers, and how each is built.

use anyhow::{Context, Result, bail};

use crate::places::Places;
use crate::rust::{self, Target};
use crate::{c, component, manifest, wat};

/// A driver, or something that only pretends to be one.
struct Guest {
    /// The name of the file that it becomes.
    name: &'static str,
    /// Its source: a folder with a `manifest.toml`, or a bare `.wat` file.
    source: &'static str,
    kind: Kind,
}

enum Kind {
    /// A package of the workspace.
    Rust {
        package: &'static str,
        target: Target,
    },
    /// A folder of C files.
    C,
    /// A core module in text form that the world's types are added to.
    WatModule,
    /// A text file that is taken as it is: no driver.
    Wat,
}

const GUESTS: &[Guest] = &[
    rust_guest(
        "host-device",
        "guest-examples/host-device",
        "host-device-driver",
    ),
    rust_guest("bridge", "guest-examples/bridge", "bridge-driver"),
    rust_guest("ipvlan", "guest-examples/ipvlan", "ipvlan-driver"),
    rust_guest("dummy", "guest-examples/dummy", "dummy-driver"),
    rust_guest("macvlan", "guest-examples/macvlan", "macvlan-driver"),
    rust_guest("wireguard", "guest-examples/wireguard", "wireguard-driver"),
    guest("macvlan-c", "guest-examples/macvlan-c", Kind::C),
    rust_guest("ptp", "guest-examples/ptp", "ptp-driver"),
    rust_guest("vlan", "guest-examples/vlan", "vlan-driver"),
    rust_guest("vrf", "guest-examples/vrf", "vrf-driver"),
    rust_guest("vxlan", "guest-examples/vxlan", "vxlan-driver"),
    rust_guest("tap", "guest-examples/tap", "tap-driver"),
    rust_guest("probe", "tests/guests/probe", "probe-guest"),
    guest(
        "wasi",
        "tests/guests/wasi",
        Kind::Rust {
            package: "wasi-guest",
            target: Target::Wasi,
        },
    ),
    guest(
        "foreign-import",
        "tests/guests/foreign-import",
        Kind::WatModule,
    ),
    guest("grow-table", "tests/guests/grow-table", Kind::WatModule),
    guest("core-module", "tests/guests/core-module.wat", Kind::Wat),
    guest("empty", "tests/guests/empty.wat", Kind::Wat),
];

const fn guest(name: &'static str, source: &'static str, kind: Kind) -> Guest {
    Guest { name, source, kind }
}

const fn rust_guest(name: &'static str, source: &'static str, package: &'static str) -> Guest {
    let target = Target::Bare;
    guest(name, source, Kind::Rust { package, target })
}

/// Builds the drivers with these names; all of them where no name is given.
pub(crate) fn build(places: &Places, names: &[String]) -> Result<()> {
    let chosen = choose(names)?;
    let folder = places.guests();
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;

    for target in [Target::Bare, Target::Wasi] {
        rust::build(places, target, &packages(&chosen, target))?;
    }
    for guest in chosen {
        let wasm = finish(places, guest).with_context(|| format!("guest {}", guest.name))?;
        let path = folder.join(guest.name).with_extension("wasm");
        std::fs::write(&path, &wasm).with_context(|| format!("can't write {}", path.display()))?;
        println!("{:>8} {}", wasm.len(), path.display());
    }
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Guest>> {
    if names.is_empty() {
        return Ok(GUESTS.iter().collect());
    }
    let unknown = |name: &&String| !GUESTS.iter().any(|guest| guest.name == **name);
    if let Some(name) = names.iter().find(unknown) {
        let all: Vec<_> = GUESTS.iter().map(|guest| guest.name).collect();
        bail!(
            "there is no guest {name:?}; the guests are {}",
            all.join(", ")
        );
    }
    let named = |guest: &&Guest| names.iter().any(|name| name == guest.name);
    Ok(GUESTS.iter().filter(named).collect())
}

/// The packages that are built for a target, so that one call of cargo does.
fn packages(guests: &[&Guest], wanted: Target) -> Vec<&'static str> {
    let package = |guest: &&Guest| match guest.kind {
        Kind::Rust { package, target } if target == wanted => Some(package),
        _ => None,
    };
    guests.iter().filter_map(package).collect()
}

/// The finished file.
fn finish(places: &Places, guest: &Guest) -> Result<Vec<u8>> {
    let source = places.root.join(guest.source);
    let driver = match guest.kind {
        Kind::Wat => return wat::read(&source),
        Kind::Rust { package, target } => {
            let built = rust::read(places, target, package)?;
            match target {
                Target::Bare => component::encode(&built)?,
                // Its linker has made a component already.
                Target::Wasi => built,
            }
        }
        Kind::C => component::encode(&c::build(places, guest.name, &source)?)?,
        Kind::WatModule => component::encode(&wat::module(places, &source)?)?,
    };
    let shared = places.root.join("sdk/rust/manifest");
    let calls = component::calls(&driver)?;
    component::finish(driver, &manifest::read(&source, &shared, &calls)?)
}
