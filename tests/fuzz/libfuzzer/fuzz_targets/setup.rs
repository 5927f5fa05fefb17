#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("setup"), |input: &[u8]| {
    wasmvark_fuzz::run("setup", input);
});
