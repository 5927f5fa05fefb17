//! A driver that is called directly, in the same way as by netavark.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Need;
use wasmvark_tests::process::Output;
use wasmvark_tests::wasmvark::{Wasmvark, error_of};
use wasmvark_tests::world::World;

/// What tests need that make links.
pub(crate) const LINKS: &[Need] = &[Need::Root, Need::Macvlan];

/// What tests need that make none.
pub(crate) const NO_LINKS: &[Need] = &[Need::Root];

/// The component of a real driver, which would change a lot if it ran.
pub(crate) const GUEST: &str = "macvlan";

/// The name of the driver.
pub(crate) const DRIVER: &str = "wasm-macvlan";

/// The component of a driver that does what its script says; without one it
/// does nothing and succeeds.
pub(crate) const PROBE: &str = "probe";

/// A request that would succeed.
pub(crate) fn good() -> Connection {
    Connection::dual(DRIVER)
}

/// An installation of the driver.
pub(crate) fn installed(world: &World) -> Wasmvark<'_> {
    let wasmvark = Wasmvark::new(world);
    wasmvark.install(GUEST, DRIVER, &Grant::macvlan());
    wasmvark
}

/// An installation of the probe under a name, with no call granted.
pub(crate) fn with_probe<'a>(world: &'a World, name: &str) -> Wasmvark<'a> {
    let wasmvark = Wasmvark::new(world);
    let grant = Grant::nothing().call("answer.dns", r#"{ address = "*" }"#);
    wasmvark.install(PROBE, name, &grant);
    wasmvark
}

/// Checks that a run fails cleanly with an error that mentions all of
/// `mentions`, and changes nothing.
#[track_caller]
pub(crate) fn fails(world: &World, title: &str, mentions: &[&str], run: impl FnOnce() -> Output) {
    let before = world.dump();
    let error = error_of(&run());
    for mention in mentions {
        assert!(
            error.contains(mention),
            "{title}: {error:?} doesn't mention {mention:?}"
        );
    }
    world.assert_unchanged(&before);
}
