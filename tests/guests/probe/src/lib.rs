//! A driver for tests that does what its options say: `create-script`,
//! `script` for setup and `teardown-script`. The language
//! stands in `script.rs`. Where scripts are stamped into it, it does what they
//! say instead.

mod arguments;
mod calls;
mod changes;
mod describe;
mod excess;
mod hostile;
mod script;
mod stamp;

use wasmvark_guest::types::{
    CreateRequest, Error, NetworkChange, Request, RequestOption, SetupAnswer,
};
use wasmvark_guest::{Guest, export, find};

use script::Run;
use stamp::At;

struct Probe;
export!(Probe);

impl Guest for Probe {
    fn create(request: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        Ok(run(At::Create, &request.options, "create-script")?.changes)
    }

    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        let run = run(At::Setup, &request.options, "script")?;
        Ok(SetupAnswer {
            dns_servers: run.dns_servers,
            search_domains: run.results,
        })
    }

    fn teardown(request: Request) -> Result<(), Error> {
        run(At::Teardown, &request.options, "teardown-script").map(drop)
    }
}

fn run(at: At, options: &[RequestOption], name: &str) -> Result<Run, Error> {
    let script = stamp::script(at).or_else(|| find(options, name));
    let mut run = Run::default();
    run.all(script.unwrap_or_default())?;
    Ok(run)
}
