# The one target of the program and its tests, so that everything is compiled
# once. The crates are always built together: other features would mean compiling
# wasmtime again.
target := arch() + "-unknown-linux-musl"
crates := "wasmvark wasmvark-audit wasmvark-confine wasmvark-engine wasmvark-failpoint wasmvark-faulty wasmvark-fuzz wasmvark-journal " + \
    "wasmvark-kernel wasmvark-policy wasmvark-request wasmvark-services wasmvark-sim wasmvark-tests wasmvark-trust wasmvark-types"
flags := "--locked --release --target " + target + " " + prepend("--package ", crates)

# `wasmvark --version --verbose` shows it.
export WASMVARK_COMMIT := `git describe --always --dirty --exclude '*' --abbrev=40 2>/dev/null || true`

# The drivers and their builder.
guests := "--locked --workspace " + prepend("--exclude ", crates)

# Lists these commands.
default:
    @just --list --unsorted

# Installs the packages and programs that building and testing need.
setup:
    scripts/setup.sh

# The fault tests have a program of their own, which goes by the same name.
#
# Builds the program and all drivers.
build:
    cargo build {{ flags }}
    install -D target/{{ target }}/release/wasmvark-faulty target/fault/wasmvark
    cargo xtask guests

# It takes the results of `just build`. PREFIX and DESTDIR in the environment have
# their usual meaning.
#
# Installs the program and its drivers for the whole machine, as root.
install:
    scripts/install.sh target/{{ target }}/release/wasmvark target/guests

# Makes a Debian package of the program and its drivers, in target/package.
package: setup build
    scripts/package.sh target/{{ target }}/release/wasmvark target/guests target/package

# It installs and builds only what it needs.
#
# Sets up a container's network through a driver, in namespaces of its own.
demo:
    scripts/setup.sh demo
    cargo build --locked --release --target {{ target }} --package wasmvark
    cargo xtask guests macvlan
    scripts/demo.sh target/{{ target }}/release/wasmvark target/guests

# It needs neither root nor a network and takes about two minutes once everything is
# compiled.
#
# Checks the form of the code and runs the tests beside it.
check: lint
    cargo test {{ flags }} --lib

# Checks the form of the code, then runs all tests that this kernel can run.
test: setup lint deny build
    cargo test {{ guests }}
    scripts/suites.sh {{ flags }}

# That kernel has features that the kernel at hand may lack.
#
# Runs the tests, or those whose names contain FILTER, in a complete Debian kernel.
test-vm FILTER='': setup build
    cargo test {{ flags }} --no-run --message-format=json >target/test-programs.json
    cargo test {{ flags }} --test podman --no-run --message-format=json >>target/test-programs.json
    cargo run --quiet --locked --package wasmvark-vm -- \
        "$(scripts/vm-image.sh)" "$(scripts/podman-disk.sh trixie)" target/test-programs.json {{ quote(FILTER) }}

# Their machine has an emulated card with SR-IOV, which QEMU has since 8.0, and Debian's
# whole kernel.
#
# Runs the tests of VFs, or those of NAME, which contains `sriov`.
test-sriov NAME='sriov': setup build
    cargo test {{ flags }} --test netavark --test fault --no-run --message-format=json >target/test-programs.json
    WASMVARK_VM_SUITES='netavark fault' cargo run --quiet --locked --package wasmvark-vm -- \
        "$(scripts/sriov-image.sh)" none target/test-programs.json {{ quote(NAME) }}

# Runs real Podman with the drivers, on unpacked Debian systems.
test-podman: setup build package
    scripts/podman-tree.sh trixie
    scripts/podman-tree.sh forky
    cargo test {{ flags }} --test podman -- --test-threads 4

# Runs all tests: those of `test`, in the virtual machine, and with Podman.
test-all: test test-vm test-podman

# Rewrites docs/options.md: the tests that show the effect of each driver's options.
options:
    WASMVARK_TEST_OPTIONS=write cargo test {{ flags }} --no-fail-fast --test netavark --test podman -- page-of-options

# Rewrites docs/commands.md: the program's commands.
commands:
    WASMVARK_TEST_COMMANDS=write cargo test {{ flags }} --lib -- page_of_commands

# Rewrites tests/fixtures/costs.toml: the numbers of system calls.
costs: build
    WASMVARK_TEST_COSTS=write cargo test {{ flags }} --test protocol -- costs/system-calls

# ARGUMENTS are parts of the rows' names, and `--rounds NUMBER`. The table is on the
# terminal; target/bench has a JSON document and a plot.
#
# Measures the program and its drivers against netavark's and CNI's.
bench *ARGUMENTS: build
    scripts/setup.sh bench
    cargo test {{ flags }} --bench setup -- {{ ARGUMENTS }}

# What is found stays in target/fuzz. The targets are those of tests/fuzz.
#
# Looks for inputs that break a promise: SECONDS for each of TARGETS, or for all.
fuzz SECONDS='60' TARGETS='':
    scripts/fuzz.sh {{ quote(SECONDS) }} {{ TARGETS }}

# Checks formatting, lints and documentation.
lint:
    cargo fmt --all --check
    cargo clippy {{ guests }} --all-targets -- --deny warnings
    cargo clippy {{ flags }} --all-targets -- --deny warnings
    cargo clippy {{ flags }} --test languages --test podman -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc {{ guests }} --no-deps
    RUSTDOCFLAGS="--deny warnings" cargo doc {{ flags }} --no-deps

# Advisories aren't among them: their database is not a registry's.
#
# Checks the licences, the duplicates and the sources of all crates.
deny *CHECKS:
    scripts/deny.sh {{ CHECKS }}
