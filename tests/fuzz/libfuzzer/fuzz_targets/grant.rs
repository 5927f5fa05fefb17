#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("grant"), |input: &[u8]| {
    wasmvark_fuzz::run("grant", input);
});
