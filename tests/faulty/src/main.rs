//! The program with faults on request: see [`faults`].

mod faults;

fn main() {
    failpoint::install(Box::new(faults::Faults::from_environment()));
    wasmvark::main();
}
