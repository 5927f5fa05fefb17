//! A driver for tests that tries what WASI offers and prints what it got, a line
//! each: `env=0`, `file=denied:…`, `clock=ok`.

use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmvark_guest::types::{CreateRequest, Error, NetworkChange, Request, SetupAnswer};
use wasmvark_guest::{Guest, export, find};

/// 2020-01-01: no clock that works shows less.
const PAST: Duration = Duration::from_secs(1_577_836_800);

/// How often to look at a clock that may be coarse.
const PATIENCE: u32 = 1_000_000;

struct Wasi;
export!(Wasi);

impl Guest for Wasi {
    fn create(_: CreateRequest) -> Result<Vec<NetworkChange>, Error> {
        println!("create on stdout");
        Ok(Vec::new())
    }

    #[expect(clippy::panic, reason = "the test finds out what is told of it")]
    fn setup(request: Request) -> Result<SetupAnswer, Error> {
        eprintln!("setup on stderr");
        if find(&request.options, "panic").is_some() {
            panic!("the option says so");
        }
        println!("args={}", std::env::args_os().count());
        println!("env={}", std::env::vars_os().count());
        println!("{}", attempt("file", std::fs::read("/etc/passwd")));
        println!("{}", attempt("folder", std::fs::read_dir("/")));
        println!(
            "{}",
            attempt("write", std::fs::write("/tmp/wasi-guest", "x"))
        );
        println!("{}", attempt("tcp", TcpStream::connect("127.0.0.1:1")));
        // Longer than any test waits.
        std::thread::sleep(Duration::from_secs(3600));
        println!("sleep=ok");
        println!("clock={}", ok(clock()));
        println!("random={}", ok(random()));
        Ok(SetupAnswer {
            dns_servers: Vec::new(),
            search_domains: Vec::new(),
        })
    }

    fn teardown(_: Request) -> Result<(), Error> {
        println!("teardown on stdout");
        Ok(())
    }
}

fn attempt<T>(what: &str, result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => format!("{what}=allowed"),
        Err(error) => format!("{what}=denied:{error}"),
    }
}

fn ok(good: bool) -> &'static str {
    if good { "ok" } else { "wrong" }
}

/// The wall clock is right, and the monotonic one runs.
fn clock() -> bool {
    let start = Instant::now();
    let runs = (0..PATIENCE).any(|_| start.elapsed() > Duration::ZERO);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH);
    runs && wall.is_ok_and(|since| since > PAST)
}

/// The keys of a hasher are random, so it makes something else of nothing than
/// the one whose keys are zero.
fn random() -> bool {
    RandomState::new().build_hasher().finish() != DefaultHasher::new().finish()
}
