//! Compiling a component, in a process of its own that is confined to that: the compiler
//! gets bytes that somebody else made.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use confine::{Alarm, Needs, Wall};
use engine::driver::{Code, ComponentError, EngineError};
use nix::sys::signal::Signal;

/// The name by which this program calls itself to compile. It can't be a driver's.
pub(crate) const NAME: &str = "wasmvark compile";

/// This program.
const ITSELF: &str = "/proc/self/exe";
/// The memory that the compiler may take, in bytes.
const MEMORY: u64 = 4 << 30;
/// What the compiler's error says of a forbidden system call.
const FORBIDDEN: [&str; 2] = [
    "the compiler made the system call ",
    ", which it doesn't need: the component may have taken it over, so report it",
];

/// Why a component can't be compiled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompileError {
    /// The compiler can't be started or spoken to.
    #[error("can't run the compiler: {0}")]
    Process(#[from] std::io::Error),
    /// The compiler refuses the component.
    #[error("{0}")]
    Refused(String),
    /// The compiler ended without a word.
    #[error("the compiler ended before the component was compiled ({0}): free memory first")]
    Ended(std::process::ExitStatus),
}

/// Compiles a component and checks that it fits the world. Returns the code.
///
/// # Errors
///
/// The component can't be compiled, or isn't a driver.
pub(crate) fn precompile(component: &[u8]) -> Result<Vec<u8>, CompileError> {
    let mut child = Command::new(ITSELF)
        .arg0(NAME)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let answer = speak(&mut child, component);
    let ended = child.wait()?;
    let answer = answer?;
    match (ended.success(), answer.is_empty()) {
        (_, true) => Err(CompileError::Ended(ended)),
        (true, false) => Ok(answer),
        (false, false) => Err(CompileError::Refused(
            String::from_utf8_lossy(&answer).into_owned(),
        )),
    }
}

/// Gives the compiler the component, and returns its answer.
fn speak(child: &mut Child, component: &[u8]) -> std::io::Result<Vec<u8>> {
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early says why.
        let _ = stdin.write_all(component);
    }
    let mut answer = Vec::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_end(&mut answer)?;
    }
    Ok(answer)
}

/// Compiles the component on standard input to standard output, and returns the exit
/// code.
pub(crate) fn main() -> i32 {
    let (answer, code) = match compile() {
        Ok(code) => (code, 0),
        Err(error) => (error.to_string().into_bytes(), 1),
    };
    match std::io::stdout().write_all(&answer) {
        Ok(()) => code,
        Err(_) => 1,
    }
}

/// Why the compiler gives up.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("can't read the component: {0}")]
    Read(#[from] std::io::Error),
    #[error("can't confine the compiler: {0}")]
    Confine(#[from] confine::ConfineError),
    #[error("can't end with its caller: {0}")]
    Orphan(#[from] nix::errno::Errno),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Component(#[from] ComponentError),
}

fn compile() -> Result<Vec<u8>, Failure> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    let needs = Needs {
        memory: MEMORY,
        ..Needs::default()
    };
    let alarm = Alarm {
        trail: None,
        error: FORBIDDEN.map(str::to_owned),
    };
    // Compiling works on each kernel: what one can't hold, `wasmvark doctor` says.
    let _ = Wall::new(needs)?.around_process(0, alarm)?;
    let mut component = Vec::new();
    std::io::stdin().read_to_end(&mut component)?;
    let code = Code::precompile(&component)?;
    check(&code)?;
    Ok(code)
}

#[allow(unsafe_code, reason = "code that was just made is loaded")]
fn check(code: &[u8]) -> Result<(), Failure> {
    // SAFETY: `code` comes from `Code::precompile` in this process.
    let code = unsafe { Code::load(code) }?;
    Ok(code.check_world()?)
}
