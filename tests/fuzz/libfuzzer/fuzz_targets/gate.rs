#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("gate"), |input: &[u8]| {
    wasmvark_fuzz::run("gate", input);
});
