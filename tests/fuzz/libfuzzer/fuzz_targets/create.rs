#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("create"), |input: &[u8]| {
    wasmvark_fuzz::run("create", input);
});
