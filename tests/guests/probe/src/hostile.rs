//! What a driver may do to its host.

use core::hint::black_box;

use wasmvark_guest::log::{self, Level};
use wasmvark_guest::types::Error;

const KIB: usize = 1024;

/// Takes memory, MiB by MiB, touches it and keeps it.
pub(crate) fn alloc(mib: u32) {
    for _ in 0..mib {
        // Filled with something: a zeroed block might never be touched.
        black_box(vec![1_u8; KIB * KIB].leak());
    }
}

/// Writes lines of 1 KiB.
pub(crate) fn flood(lines: u32) -> Result<(), Error> {
    let line = "x".repeat(KIB);
    for _ in 0..lines {
        log::write(Level::Warn, &line)?;
    }
    Ok(())
}

/// Never ends.
pub(crate) fn spin() {
    loop {
        black_box(());
    }
}

/// Panics. The library's hook logs the text.
#[expect(clippy::panic, reason = "that's the point")]
pub(crate) fn panic() {
    panic!("the script says so");
}

/// Uses up the stack.
pub(crate) fn recurse() {
    #[expect(unconditional_recursion, reason = "that's the point")]
    fn deeper(depth: u64) -> u64 {
        // Without these the compiler makes a loop of it.
        black_box(deeper(black_box(depth + 1))) + 1
    }
    black_box(deeper(0));
}

/// Runs into the `unreachable` instruction.
pub(crate) fn trap() {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}
