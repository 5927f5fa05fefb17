//! Components with scripts of their own. The scripts are written into the probe's data,
//! so that no part of them comes from a request.

use std::fs;
use std::path::PathBuf;

use wasmvark_tests::places;
use wasmvark_tests::world::World;

/// What the probe has where nothing is stamped.
const MARK: &[u8] = b"tests may stamp scripts over this: ";
/// What a stamp begins with.
const STAMPED: &str = "stamped\n";
/// How much room the probe has.
const SIZE: usize = 8192;

/// What a driver does at each of its functions, in the probe's language.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scripts {
    pub(crate) create: &'static str,
    pub(crate) setup: &'static str,
    pub(crate) teardown: &'static str,
}

impl Scripts {
    /// Makes a component that does this.
    pub(crate) fn component(self, world: &World) -> PathBuf {
        let mut bytes = fs::read(places::guest("probe")).expect("the probe is built");
        let lines = [self.create, self.setup, self.teardown];
        assert!(lines.iter().all(|line| !line.contains('\n')));
        let mut stamp = format!("{STAMPED}{}\n", lines.join("\n")).into_bytes();
        assert!(stamp.len() <= SIZE, "the scripts are too long");
        stamp.resize(SIZE, b'~');
        let place = place(&bytes);
        bytes[place..place + SIZE].copy_from_slice(&stamp);
        let path = world.file("hostile.wasm");
        fs::write(&path, bytes).expect("a component can be written");
        path
    }
}

/// Where the probe can be stamped: the mark stands there once, with its room.
fn place(bytes: &[u8]) -> usize {
    let mut places = (0..bytes.len() - SIZE).filter(|at| {
        let rest = bytes[at + MARK.len()..at + SIZE].iter();
        bytes[*at..].starts_with(MARK) && rest.copied().all(|byte| byte == b'~')
    });
    let place = places.next().expect("the probe has room for a stamp");
    assert_eq!(places.next(), None, "there is one such place");
    place
}
