#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("values"), |input: &[u8]| {
    wasmvark_fuzz::run("values", input);
});
