//! How a run begins and ends, without a driver.

use std::path::Path;
use std::sync::Arc;

use audit::{Memory, Place, Required, Subject, Trail};
use journal::{Change, Here, Journal, NetworkLock};
use kernel::NetnsId;
use policy::Limits;
use services::SimulatedServices;
use sim::{Imagined, ImaginedReader, Simulation};
use types::Key;

use super::*;

fn key() -> Key {
    Key {
        network: "net".to_owned().try_into().unwrap(),
        container: "ctr".to_owned().try_into().unwrap(),
    }
}

fn journal(folder: &Path) -> Journal {
    let here = Here {
        host: NetnsId::new(4, 1),
        container: None,
    };
    Journal::open(&folder.join("journals"), &key(), here).unwrap()
}

fn subject() -> Subject {
    Subject {
        command: "setup",
        driver: "d".to_owned(),
        digest: String::new(),
        network: "net".to_owned(),
        container: Some("ctr".to_owned()),
    }
}

fn recorded() -> Trail {
    Trail::in_memory(&Memory::default(), subject()).unwrap()
}

/// A trail whose lines have nowhere to go.
fn unwritable(folder: &Path) -> Trail {
    let place = Place {
        file: folder.join("nowhere/audit.jsonl"),
        rotation: Err("it can't be opened".to_owned()),
        journald: folder.join("none"),
    };
    Trail::resume(&place, Required::Yes, subject())
}

/// What undoes a run that has noted one change.
fn rollback(folder: &Path, trail: Trail) -> Rollback {
    let reader = ImaginedReader(Arc::new(Imagined::default()));
    let kernel = Simulation::begin(Box::new(reader), true).unwrap();
    let mut journal = journal(folder);
    let number = journal.begin(Change::KeepState, false).unwrap();
    journal.done(number, None).unwrap();
    Rollback::new(
        Box::new(kernel),
        Box::new(SimulatedServices),
        journal,
        trail,
    )
}

fn answered<T>(
    rollback: Rollback,
    result: Result<T, SessionError>,
) -> Answered<Setup, T, SessionError> {
    Answered {
        rollback,
        result,
        kind: PhantomData,
    }
}

fn fails<T>() -> Result<T, SessionError> {
    Err(RunError::Driver("no".to_owned()).into())
}

#[test]
fn a_committed_run_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let rollback = rollback(folder.path(), recorded());
    let ended = answered(rollback, Ok(7)).commit(|left| panic!("{left}"));
    assert_eq!(ended.result.unwrap(), 7);
    assert!(journal(folder.path()).is_in_use());
}

#[test]
fn a_failed_run_is_rolled_back_and_keeps_its_error() {
    let folder = tempfile::tempdir().unwrap();
    for trail in [recorded(), unwritable(folder.path())] {
        let rollback = rollback(folder.path(), trail);
        let ended = answered(rollback, fails::<()>()).commit(|left| panic!("{left}"));
        assert_eq!(ended.result.unwrap_err().to_string(), "no");
        assert!(journal(folder.path()).entries().is_empty());
    }
}

#[test]
fn a_run_whose_end_is_not_on_record_is_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let rollback = rollback(folder.path(), unwritable(folder.path()));
    let ended = answered(rollback, Ok(())).commit(|left| panic!("{left}"));
    assert!(matches!(ended.result, Err(SessionError::Audit(_))));
    assert!(journal(folder.path()).entries().is_empty());
}

#[test]
fn what_a_killed_run_left_is_undone_first() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let rollback = rollback(folder.path(), recorded());
        Session::<Setup>::open(rollback, Watch::begin(&Limits::default()))
    };
    let lock = NetworkLock::take(&folder.path().join("locks"), &key().network, "test").unwrap();
    let ready = open().recover(&lock).unwrap();
    assert!(!ready.0.rollback.is_abandoned());
    assert!(journal(folder.path()).entries().is_empty());
    let (ready, has_others) = open().recover_alone().unwrap();
    assert!(!ready.0.rollback.is_abandoned() && !has_others);
    assert!(journal(folder.path()).entries().is_empty());
}

#[test]
fn a_teardown_clears_whatever_failed() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = Clearing::new(rollback(folder.path(), recorded()), fails());
    assert_eq!(recorded.failure().unwrap().to_string(), "no");
    let cleared = recorded.clear(None).unwrap();
    assert!(cleared.left.is_empty() && cleared.recorded.is_ok());
    assert!(journal(folder.path()).entries().is_empty());
    let trail = unwritable(folder.path());
    let unrecorded: Clearing<SessionError> = Clearing::new(rollback(folder.path(), trail), Ok(()));
    assert!(unrecorded.failure().is_none());
    let cleared = unrecorded.clear(None).unwrap();
    assert!(cleared.left.is_empty() && cleared.recorded.is_err());
    assert_eq!(cleared.rollback.unrecorded().len(), 1);
    assert!(journal(folder.path()).entries().is_empty());
}
