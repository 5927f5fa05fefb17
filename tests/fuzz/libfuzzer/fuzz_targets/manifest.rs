#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("manifest"), |input: &[u8]| {
    wasmvark_fuzz::run("manifest", input);
});
