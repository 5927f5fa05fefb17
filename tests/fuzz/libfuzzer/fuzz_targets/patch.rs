#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("patch"), |input: &[u8]| {
    wasmvark_fuzz::run("patch", input);
});
