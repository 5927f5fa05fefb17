# The one target, so that everything is compiled once.
target := arch() + "-unknown-linux-musl"
flags := "--locked --release --target " + target

# Lists what can be done.
default:
    @just --list --unsorted

# Installs what building and testing need.
setup:
    scripts/setup.sh

# Builds the program and all drivers.
build:
    cargo build {{ flags }} --package wasmvark
    cargo xtask guests

# Sets a container's network up through a driver, in namespaces of its own.
demo: setup build
    scripts/demo.sh target/{{ target }}/release/wasmvark target/guests

# Checks the form of the code, then runs all tests.
test: setup lint build
    cargo test {{ flags }} --workspace

# Checks formatting, lints and documentation.
lint:
    cargo fmt --all --check
    cargo clippy {{ flags }} --workspace --all-targets -- --deny warnings
    RUSTDOCFLAGS="--deny warnings" cargo doc {{ flags }} --workspace --no-deps
