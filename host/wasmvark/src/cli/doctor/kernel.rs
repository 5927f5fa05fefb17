//! The check of the kernel features that drivers need. It only reads the kernel's
//! configuration and its modules, and loads nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use flate2::read::GzDecoder;
use policy::{Call, KernelFeature};

use super::finding::Finding;
use crate::podman::System;
use crate::store::DriverName;

const CHECK: &str = "kernel";
/// The largest configuration that is read, in bytes. That of a kernel has about 300
/// KiB.
const CONFIGURATION: u64 = 4 << 20;

/// The kernel's own description.
#[derive(Debug)]
pub(super) struct Kernel {
    /// The release, as `uname -r` prints it.
    release: String,
    /// The options that are `y` or `m`, if the configuration can be read.
    configuration: Option<BTreeMap<String, Setting>>,
    /// The modules that are loaded or built in.
    present: BTreeSet<String>,
    /// The modules that can be loaded, if they are known.
    loadable: Option<BTreeSet<String>>,
    /// Whether nothing can be loaded until the next boot.
    sealed: bool,
}

/// The value of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setting {
    BuiltIn,
    Module,
}

/// The presence of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Yes,
    /// The kernel was built without the feature.
    No,
    /// The feature was built as a module that isn't on the machine.
    NoModule,
    /// The module is on the machine, but can't be loaded until the next boot.
    Sealed,
    Unknown,
}

impl Kernel {
    /// Reads the kernel's own description.
    pub(super) fn read(system: &System) -> Self {
        let release = system
            .read("/proc/sys/kernel/osrelease")
            .unwrap_or_default();
        let release = release.trim().to_owned();
        let modules = |file: &str| {
            let folders = ["/lib/modules", "/usr/lib/modules"].iter();
            let mut texts =
                folders.filter_map(|folder| system.read(format!("{folder}/{release}/{file}")));
            texts.next()
        };
        let loaded = system.list("/sys/module");
        let mut present: BTreeSet<String> = loaded
            .iter()
            .filter_map(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()))
            .collect();
        present.extend(
            modules("modules.builtin")
                .iter()
                .flat_map(|text| module_names(text)),
        );
        let loadable = modules("modules.dep").map(|text| module_names(&text).collect());
        let sealed = system.read("/proc/sys/kernel/modules_disabled");
        Self {
            configuration: configuration(system, &release),
            present,
            loadable,
            sealed: sealed.is_some_and(|value| value.trim() == "1"),
            release,
        }
    }

    fn presence(&self, feature: KernelFeature) -> Presence {
        if let Some(module) = feature.module() {
            if self.present.contains(module) {
                return Presence::Yes;
            }
            if self
                .loadable
                .as_ref()
                .is_some_and(|all| all.contains(module))
            {
                return if self.sealed {
                    Presence::Sealed
                } else {
                    Presence::Yes
                };
            }
        }
        let setting = self
            .configuration
            .as_ref()
            .map(|all| all.get(feature.option()));
        match (setting, &self.loadable) {
            (Some(Some(Setting::BuiltIn)), _) => Presence::Yes,
            // A feature without a module of its own is part of another feature's
            // module.
            (Some(Some(Setting::Module)), _) if feature.module().is_none() => Presence::Yes,
            (Some(None), _) => Presence::No,
            (Some(Some(Setting::Module)), Some(_)) => Presence::NoModule,
            // A container sees the kernel's configuration, but not its modules.
            (Some(Some(Setting::Module)), None) => Presence::Unknown,
            // modules.dep comes with modules.builtin, and neither lists the module.
            (None, Some(_)) if feature.module().is_some() => Presence::No,
            (None, _) => Presence::Unknown,
        }
    }
}

/// Returns the modules in a list of files, such as `kernel/net/8021q/8021q.ko.xz: …`.
fn module_names(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let file = line.split(':').next()?.rsplit('/').next()?;
        let (name, _) = file.split_once(".ko")?;
        Some(name.replace('-', "_"))
    })
}

/// Reads the configuration that the kernel was built with.
fn configuration(system: &System, release: &str) -> Option<BTreeMap<String, Setting>> {
    let files = [
        format!("/boot/config-{release}"),
        format!("/lib/modules/{release}/config"),
        format!("/usr/lib/modules/{release}/config"),
    ];
    let text = unpacked(system).or_else(|| files.iter().find_map(|file| system.read(file)))?;
    let options = text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("CONFIG_")?.split_once('=')?;
        let setting = match value {
            "y" => Setting::BuiltIn,
            "m" => Setting::Module,
            _ => return None,
        };
        Some((name.to_owned(), setting))
    });
    Some(options.collect())
}

fn unpacked(system: &System) -> Option<String> {
    let file = std::fs::File::open(system.path("/proc/config.gz")).ok()?;
    let mut text = String::new();
    let mut unpacked = GzDecoder::new(file).take(CONFIGURATION);
    unpacked.read_to_string(&mut text).ok()?;
    Some(text)
}

/// Checks that the kernel has the features that a driver's calls need.
pub(super) fn check(kernel: &Kernel, driver: &DriverName, calls: &[Call]) -> Vec<Finding> {
    let mut users: BTreeMap<KernelFeature, Vec<Call>> = BTreeMap::new();
    for call in calls {
        for feature in call.needs() {
            users.entry(*feature).or_default().push(*call);
        }
    }
    let names: Vec<_> = users.keys().map(|feature| feature.option()).collect();
    let names = names.join(", ");
    let findings: Vec<_> = users
        .into_iter()
        .filter_map(|(feature, users)| lack(kernel, driver, feature, (&users, calls)))
        .collect();
    let release = &kernel.release;
    match findings.is_empty() {
        true if names.is_empty() => vec![Finding::ok(
            CHECK,
            format!("{driver}: needs nothing special of the kernel"),
        )],
        true => vec![Finding::ok(
            CHECK,
            format!("{driver}: {release} has what it needs: {names}"),
        )],
        false => findings,
    }
}

fn lack(
    kernel: &Kernel,
    driver: &DriverName,
    feature: KernelFeature,
    (users, granted): (&[Call], &[Call]),
) -> Option<Finding> {
    let presence = kernel.presence(feature);
    let option = feature.option();
    let names: Vec<_> = users.iter().map(|call| call.name()).collect();
    let names = names.join(", ");
    let release = &kernel.release;
    let what = |why: &str| format!("{driver}: the kernel {release} {why}, which {names} needs");
    let (what, remedy) = match presence {
        Presence::Yes => return None,
        Presence::Unknown => {
            return Some(Finding::unknown(
                CHECK,
                what(&format!("doesn't tell whether it has {option}")),
                match feature.module() {
                    Some(module) => format!("`modinfo {module}` on the machine itself tells"),
                    None => format!("look for CONFIG_{option} in its configuration"),
                },
            ));
        }
        Presence::No => (
            what(&format!("was built without {option}")),
            format!("run a kernel with CONFIG_{option}, such as Debian's"),
        ),
        Presence::NoModule => (
            what(&format!(
                "was built with {option} as a module that isn't on the machine"
            )),
            format!("install the modules of the kernel {release}"),
        ),
        Presence::Sealed => (
            what(&format!(
                "loads no modules any more (kernel.modules_disabled), so not {option}"
            )),
            format!(
                "load it at boot, before that is set: a file in /etc/modules-load.d with {}",
                feature.module().unwrap_or(option)
            ),
        ),
    };
    // A driver that can't make a container's link can do nothing.
    Some(match users.iter().any(|call| makes_link(*call, granted)) {
        true => Finding::problem(CHECK, what, remedy),
        false => Finding::warning(CHECK, what, remedy),
    })
}

/// Whether a driver makes containers' links by a call. Drivers that make other links, as
/// macvlan, make VLANs for their parents only.
fn makes_link(call: Call, granted: &[Call]) -> bool {
    let mut others = granted.iter().filter(|other| **other != call);
    let is_for_parents =
        call == Call::LinksCreateVlan && others.any(|other| other.makes_interface());
    call.makes_interface() && !is_for_parents
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMMY: KernelFeature = KernelFeature::Dummy;
    const RULES: KernelFeature = KernelFeature::IpMultipleTables;

    fn kernel(files: &[(&str, &str)]) -> Kernel {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [("proc/sys/kernel/osrelease", "6.1-x\n")]
            .iter()
            .chain(files)
        {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Kernel::read(&System::new(root.path()))
    }

    #[test]
    fn a_feature_is_there_or_not_or_it_is_not_known() {
        let dep = (
            "lib/modules/6.1-x/modules.dep",
            "kernel/net/x-y.ko: kernel/net/z.ko\n",
        );
        let with_dummy = (
            "lib/modules/6.1-x/modules.dep",
            "kernel/drivers/net/dummy.ko.xz:\n",
        );
        let builtin = (
            "usr/lib/modules/6.1-x/modules.builtin",
            "kernel/drivers/net/dummy.ko\n",
        );
        let loaded = ("sys/module/dummy/refcnt", "0");
        let sealed = ("proc/sys/kernel/modules_disabled", "1\n");
        let config = |text: &'static str| ("boot/config-6.1-x", text);
        for (files, dummy, rules) in [
            (vec![], Presence::Unknown, Presence::Unknown),
            (vec![loaded], Presence::Yes, Presence::Unknown),
            (vec![builtin], Presence::Yes, Presence::Unknown),
            (vec![with_dummy], Presence::Yes, Presence::Unknown),
            (
                vec![with_dummy, sealed],
                Presence::Sealed,
                Presence::Unknown,
            ),
            (vec![loaded, sealed], Presence::Yes, Presence::Unknown),
            (vec![dep], Presence::No, Presence::Unknown),
            (
                vec![config(
                    "CONFIG_DUMMY=y\n# CONFIG_IP_MULTIPLE_TABLES is not set\n",
                )],
                Presence::Yes,
                Presence::No,
            ),
            (
                vec![config("CONFIG_DUMMY=m\nCONFIG_IP_MULTIPLE_TABLES=y\n")],
                Presence::Unknown,
                Presence::Yes,
            ),
            (
                vec![config("CONFIG_DUMMY=m\n"), dep],
                Presence::NoModule,
                Presence::No,
            ),
            (vec![config(""), dep], Presence::No, Presence::No),
            (
                vec![config("CONFIG_IP_MULTIPLE_TABLES=m\n"), dep],
                Presence::No,
                Presence::Yes,
            ),
        ] {
            let kernel = kernel(&files);
            assert_eq!(kernel.presence(DUMMY), dummy, "{files:?}");
            assert_eq!(kernel.presence(RULES), rules, "{files:?}");
        }
    }
}
