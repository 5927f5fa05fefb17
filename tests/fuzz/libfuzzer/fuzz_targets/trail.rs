#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("trail"), |input: &[u8]| {
    wasmvark_fuzz::run("trail", input);
});
