//! The virtual machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The parts of every machine.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// The folder of `scripts/vm-image.sh`.
    pub(crate) image: PathBuf,
    /// The disk with the tests.
    pub(crate) tests: PathBuf,
    /// The disk of `scripts/podman-disk.sh`, if there is one.
    pub(crate) podman: Option<PathBuf>,
}

/// The task of one machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Task {
    /// The test programs to run, by name.
    pub(crate) programs: Vec<String>,
    /// The share of the tests, as `1/2`.
    pub(crate) share: String,
    /// A part of the names of the tests to run, or an empty text for all.
    pub(crate) filter: String,
}

/// The hardware. Software emulation makes all machines behave alike.
///
/// A second processor or a newer model would be slower, because the emulation of its
/// protections takes several times the work itself. The named extensions are those that
/// wasmtime needs for SIMD.
const HARDWARE: &str = "-nodefaults -no-user-config -display none -no-reboot \
    -accel tcg,tb-size=512 -cpu qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt -smp 1 -m 2048 \
    -device virtio-serial-pci \
    -netdev hubport,id=wire0,hubid=0 -device virtio-net-pci,netdev=wire0,mac=52:54:00:00:00:01,romfile= \
    -netdev hubport,id=wire1,hubid=0 -device virtio-net-pci,netdev=wire1,mac=52:54:00:00:00:02,romfile=";

/// The kernel's command line. An oops is a panic, and a panic ends the machine. Fixed
/// addresses, and no security module except the one that the program uses, save work
/// for the emulation.
const KERNEL: &str = "console=ttyS0 oops=panic panic=-1 mitigations=off norandmaps lsm=landlock audit=0 tsc=reliable \
    root=/dev/nvme0n1 rootfstype=ext4 rw init=/sbin/init";

/// The card with SR-IOV of an image that has it, in a machine whose bus takes it, and the
/// card at the other end of its wire.
const SRIOV: &str = "-machine q35 -device pcie-root-port,id=sriov,slot=1 \
    -netdev hubport,id=wire2,hubid=1 -device igb,bus=sriov,netdev=wire2,mac=52:54:00:00:00:03 \
    -netdev hubport,id=wire3,hubid=1 -device virtio-net-pci,netdev=wire3,mac=52:54:00:00:00:04,romfile=";

/// The kernel's command line for an image that is an initramfs.
const INITRAMFS: &str = "console=ttyS0 oops=panic panic=-1 mitigations=off norandmaps lsm=landlock audit=0 tsc=reliable \
    rdinit=/sbin/init";

/// Returns the command that runs a machine. It prints the report of the tests, and
/// writes the kernel's messages to `console`.
pub(crate) fn command(parts: &Parts, task: &Task, console: &Path) -> Command {
    // The machine ends with this process.
    let mut qemu = Command::new("setpriv");
    qemu.args(["--pdeathsig", "KILL"]);
    let initramfs = parts.image.join("initramfs");
    let has_initramfs = initramfs.exists();
    if has_initramfs {
        // Its emulator knows the card.
        qemu.arg(parts.image.join("qemu"));
        qemu.args(HARDWARE.split_whitespace());
        qemu.args(SRIOV.split_whitespace());
        qemu.arg("-initrd").arg(initramfs);
    } else {
        qemu.arg("qemu-system-x86_64");
        qemu.args(HARDWARE.split_whitespace());
    }
    // The disks are of different kinds, because the order of disks of one kind isn't
    // fixed.
    let root = parts.image.join("root.img");
    let mut disks = vec![("tests", "virtio-blk-pci", &parts.tests)];
    if !has_initramfs {
        disks.insert(0, ("root", "nvme,serial=root", &root));
    }
    if let Some(podman) = &parts.podman {
        qemu.args(["-device", "virtio-scsi-pci"]);
        disks.push(("podman", "scsi-hd", podman));
    }
    for (name, device, disk) in disks {
        // Writes to the disk are discarded.
        qemu.arg("-drive").arg(format!(
            "id={name},if=none,format=raw,snapshot=on,cache=unsafe,file={}",
            disk.display()
        ));
        qemu.args(["-device", &format!("{device},drive={name}")]);
    }
    qemu.args(["-chardev", "file,id=report,path=/dev/stdout"])
        .args(["-device", "virtserialport,chardev=report,name=report"])
        .arg("-serial")
        .arg(format!("file:{}", console.display()))
        .arg("-kernel")
        .arg(parts.image.join("kernel"))
        .args(["-append", &kernel_arguments(task, has_initramfs)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    qemu
}

/// Returns the kernel's command line for a task. The kernel passes unknown variables to
/// process 1 as its environment, and the words after `--` as its arguments.
fn kernel_arguments(task: &Task, has_initramfs: bool) -> String {
    let line = if has_initramfs { INITRAMFS } else { KERNEL };
    let mut line = format!("{line} WASMVARK_TEST_SHARE={}", task.share);
    if !task.filter.is_empty() {
        line = format!("{line} WASMVARK_TEST_FILTER={}", task.filter);
    }
    format!("{line} -- {}", task.programs.join(" "))
}
