//! The program with faults and payloads on request. [`faults`] and [`payload`] list them.

mod faults;
mod payload;

fn main() {
    payload::at_start();
    failpoint::install(Box::new(faults::Faults::from_environment()));
    wasmvark::main();
}
