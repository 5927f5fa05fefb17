#![no_main]

libfuzzer_sys::fuzz_target!(init: wasmvark_fuzz::begin("netlink"), |input: &[u8]| {
    wasmvark_fuzz::run("netlink", input);
});
