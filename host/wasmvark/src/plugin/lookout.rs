//! The lookout of a command: a process of its own that looks which network namespaces are
//! alive, and can do nothing else.
//!
//! Only CAP_SYS_PTRACE shows which namespaces other users' processes are in. The command
//! itself has CAP_NET_ADMIN and not that. So no process can look into others and change
//! the network, too.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kernel::{Living, living_netns, look_elsewhere};
use serde::{Deserialize, Serialize};

use super::PluginError;
use super::child::{self, Connection, ConnectionError};

/// The time that one look may take.
const TIME: Duration = Duration::from_secs(60);
/// The most namespaces and open files of one message.
const MESSAGE: usize = 30_000;

/// The question, which has nothing to choose.
#[derive(Serialize, Deserialize)]
struct Look;

/// A part of the answer.
#[derive(Serialize, Deserialize)]
enum Seen {
    /// Some of what lives.
    Part(Living),
    /// All of it was told.
    Whole,
    /// The look failed.
    Failed(String),
}

/// Starts the lookout, which from then on tells this process which network namespaces are
/// alive. Then this process gives up all capabilities but CAP_NET_ADMIN.
///
/// # Errors
///
/// The process has more than one thread, or no other can be made.
pub(crate) fn give_up_but_look_out() -> Result<(), PluginError> {
    let (connection, _) = child::start(work).map_err(PluginError::Lookout)?;
    let connection = Mutex::new(connection);
    look_elsewhere(move || {
        let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        ask(&mut connection).map_err(|error| match error {
            ConnectionError::Io(error) => error,
            error => io::Error::other(format!("the process that looks: {error}")),
        })
    });
    confine::give_up_for_command();
    Ok(())
}

/// Has the lookout look, and returns what lives.
fn ask(connection: &mut Connection) -> Result<Living, ConnectionError> {
    let until = Some(Instant::now() + TIME);
    connection.send(&Look, until)?;
    let mut living = Living::default();
    loop {
        match connection.receive(until)? {
            Seen::Part(part) => living.add(part),
            Seen::Whole => return Ok(living),
            Seen::Failed(why) => return Err(io::Error::other(why).into()),
        }
    }
}

/// Looks whenever it's asked, until the other end is closed.
fn work(mut connection: Connection) {
    if confine::only_look(connection.as_fd()).is_err() {
        return;
    }
    failpoint::in_lookout();
    while connection.receive::<Look>(None).is_ok() {
        if tell(&mut connection).is_err() {
            return;
        }
    }
}

fn tell(connection: &mut Connection) -> Result<(), ConnectionError> {
    let living = match living_netns() {
        Ok(living) => living,
        Err(error) => return connection.send(&Seen::Failed(error.to_string()), None),
    };
    for part in living.parts(MESSAGE) {
        connection.send(&Seen::Part(part), None)?;
    }
    connection.send(&Seen::Whole, None)
}
