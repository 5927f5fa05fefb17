//! A driver for tests that does what its options say: `create-script`,
//! `script` for setup and `teardown-script`. The language
//! stands in `script.rs`.

mod arguments;
mod calls;
mod changes;
mod create;
mod excess;
mod firewall;
mod hostile;
mod layer3;
mod neighbours;
mod rules;
mod script;
mod settings;
mod traffic;
mod tunnels;
mod vfs;

use script::Run;
use wasmvark_guest::types::{
    CreateRequest, Error, NetworkChange, OptionValue, Request, SetupAnswer,
};
use wasmvark_guest::{Guest, export, find};

struct Probe;
export!(Probe);

impl Guest for Probe {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        Ok(run(&request.network.options, "create-script")?.changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let run = run(&request.network.options, "script")?;
        Ok(SetupAnswer {
            dns_servers: run.dns_servers,
            search_domains: run.results,
        })
    }

    fn teardown(request: Request) -> Result<(), Error> {
        run(&request.network.options, "teardown-script").map(drop)
    }
}

fn run(options: &[OptionValue], name: &str) -> Result<Run, Error> {
    let mut run = Run::default();
    run.all(find(options, name).unwrap_or_default())?;
    Ok(run)
}
