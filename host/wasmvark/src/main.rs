//! The released program: see [`wasmvark::main`].

fn main() {
    wasmvark::main()
}
