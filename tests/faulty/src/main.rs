//! The program with faults on request. [`faults`] lists them.

mod faults;

fn main() {
    failpoint::install(Box::new(faults::Faults::from_environment()));
    wasmvark::main();
}
