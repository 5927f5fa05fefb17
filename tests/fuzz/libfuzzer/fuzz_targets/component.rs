#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("component"), |input: &[u8]| {
    wasmvark_fuzz::run("component", input);
});
