//! Builds drivers as WebAssembly components.

mod c;
mod component;
mod guests;
mod manifest;
mod places;
mod rust;
mod tool;
mod wat;

use std::process::ExitCode;

use places::Places;

const USAGE: &str = "\
usage: cargo xtask guests [NAME...]   build all drivers, or those named, into target/guests";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, names)) if command == "guests" => report(build(names)),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn build(names: &[String]) -> anyhow::Result<()> {
    let places = Places::find()?;
    guests::build(&places, names)
}

fn report(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
