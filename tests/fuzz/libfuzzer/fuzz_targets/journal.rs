#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("journal"), |input: &[u8]| {
    wasmvark_fuzz::run("journal", input);
});
