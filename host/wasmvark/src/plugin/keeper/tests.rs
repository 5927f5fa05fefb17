use std::fs;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use services::SimulatedServices;
use services::dhcp::{Dhcp, DhcpError, Lease, LeaseRequest};
use services::dns::{Dns, DnsError, DnsRecord, Registration, Served};
use services::firewalld::FirewalldError;
use services::{Services, TrustedZone};
use types::ContainerId;

use super::*;
use crate::store::Layout;

/// The longest wait for another process.
const PATIENCE: Duration = Duration::from_secs(10);

/// Services that answer as they are told.
struct Told;

fn failure() -> FirewalldError {
    FirewalldError::Gone {
        action: "add it".to_owned(),
    }
}

impl Services for Told {
    fn set_deadline(&mut self, _: Instant) {}
}

impl Dns for Told {
    fn register(&mut self, _: &Registration) -> Result<Served, DnsError> {
        Ok(Served::Elsewhere)
    }

    fn withdraw(&mut self, _: &DnsRecord) -> Result<(), DnsError> {
        Err(DnsError::Locked)
    }
}

impl Dhcp for Told {
    fn lease(&mut self, _: &LeaseRequest) -> Result<Option<Lease>, DhcpError> {
        Ok(Some(lease()))
    }

    fn release(&mut self, _: &LeaseRequest) -> Result<(), DhcpError> {
        panic!("a bug")
    }
}

impl TrustedZone for Told {
    fn is_trusted(&mut self, _: IpNet) -> Result<Option<bool>, FirewalldError> {
        Ok(Some(true))
    }

    fn trust(&mut self, _: IpNet) -> Result<(), FirewalldError> {
        Err(failure())
    }

    fn distrust(&mut self, _: IpNet) -> Result<(), FirewalldError> {
        Ok(())
    }

    fn is_strict(&mut self) -> Result<bool, FirewalldError> {
        Ok(true)
    }
}

fn lease() -> Lease {
    Lease {
        address: "192.0.2.7/24".parse().unwrap(),
        gateways: vec!["192.0.2.1".parse().unwrap()],
        dns_servers: Vec::new(),
        ntp_servers: Vec::new(),
        domain: None,
        host_name: Some("web".to_owned()),
        mtu: Some(1400),
        lease_time: Some(Duration::from_secs(60)),
    }
}

fn container() -> ContainerId {
    ContainerId::try_from("c1".to_owned()).unwrap()
}

fn request() -> LeaseRequest {
    LeaseRequest {
        host_link: "br0".parse().unwrap(),
        container_link: "eth0".parse().unwrap(),
        container_mac: "02:00:00:00:00:01".parse().unwrap(),
        domain: None,
        host_name: None,
        netns: "/run/netns/x".into(),
        container: container(),
    }
}

fn record() -> DnsRecord {
    DnsRecord {
        folder: "/run/aardvark-dns".into(),
        network: "net".to_owned(),
        internal: false,
        container: container(),
    }
}

fn subnet() -> IpNet {
    "10.88.0.0/16".parse().unwrap()
}

fn server(store: Store, services: Box<dyn Services + Send>) -> Server {
    let key = Key {
        network: "n1".to_owned().try_into().unwrap(),
        container: container(),
    };
    let client = engine::gate::DhcpClient {
        netns: request().netns,
        container: container(),
        host_name: None,
    };
    let allowed = Allowed {
        client: Some(client),
        journals: Some(key.clone()),
        recorded: vec![
            journal::Change::RegisterNames { record: record() },
            journal::Change::TrustSource { source: subnet() },
        ],
        is_teardown: true,
        keeps_settings: true,
        ..Allowed::default()
    };
    let here = Here {
        host: kernel::NetnsId::IMAGINED,
        container: None,
    };
    let trail = Rotator::new(store.trail());
    Server {
        store,
        run: Run::Container(key),
        here,
        allowed,
        services,
        trail,
        opened: None,
    }
}

/// Works with a keeper that a thread of this process is.
fn with_keeper(services: Box<dyn Services + Send>, work: impl FnOnce(Keeper, &Layout)) {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout::choose(Some(root.path())).unwrap();
    let server = server(Store::new(layout.clone()), services);
    let (here, there) = Connection::pair().unwrap();
    let keeper = Keeper(Kind::Linked(Link::new(here, None)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = super::super::remains::contain(|| server.serve(there));
        });
        work(keeper, &layout);
    });
}

#[test]
fn services_answer_the_same_through_a_keeper() {
    with_keeper(Box::new(Told), |keeper, _| {
        let mut services = keeper.services();
        services.set_deadline(Instant::now() + PATIENCE);
        assert_eq!(services.lease(&request()).unwrap(), Some(lease()));
        let error = services.withdraw(&record()).unwrap_err();
        assert_eq!(error.to_string(), DnsError::Locked.to_string());
        assert_eq!(services.is_trusted(subnet()).unwrap(), Some(true));
        let error = services.trust(subnet()).unwrap_err();
        assert_eq!(error.to_string(), failure().to_string());
        assert!(error.is_absence());
        services.distrust(subnet()).unwrap();
        assert!(services.is_strict().unwrap());
    });
}

#[test]
fn a_refused_task_is_not_done() {
    with_keeper(Box::new(Told), |keeper, _| {
        let mut services = keeper.services();
        services.set_deadline(Instant::now() + PATIENCE);
        let others = LeaseRequest {
            netns: "/proc/1/ns/net".into(),
            ..request()
        };
        let error = services.lease(&others).unwrap_err();
        assert!(error.is_unasked());
        assert!(
            error.to_string().contains("lease an address for 02:"),
            "{error}"
        );
        let error = services.trust("0.0.0.0/0".parse().unwrap()).unwrap_err();
        assert!(!error.is_absence() && !error.is_late());
        assert!(services.is_strict().unwrap(), "it goes on");
    });
}

#[test]
fn after_a_panic_nothing_more_is_done() {
    with_keeper(Box::new(Told), |keeper, _| {
        let mut services = keeper.services();
        services.set_deadline(Instant::now() + PATIENCE);
        for _ in 0..2 {
            let error = services.release(&request()).unwrap_err();
            assert!(error.to_string().contains("has ended"), "{error}");
            assert!(!error.is_unasked());
        }
        let error = services.is_strict().unwrap_err();
        assert!(!error.is_absence(), "{error}");
    });
}

#[test]
fn journals_are_read_once() {
    with_keeper(Box::new(SimulatedServices), |keeper, _| {
        keeper.begin().unwrap();
        keeper.begin().unwrap_err();
    });
}

#[test]
fn settings_are_kept_and_forgotten() {
    with_keeper(Box::new(SimulatedServices), |keeper, layout| {
        let settings = |path: &str| BTreeMap::from([(path.to_owned(), "1".to_owned())]);
        let folder = layout.sysctl.clone().unwrap();
        let files = || fs::read_dir(&folder).map_or(0, Iterator::count);
        keeper.keep_settings(&settings("/proc/sys/net/x")).unwrap();
        assert_eq!(files(), 1);
        let error = keeper.keep_settings(&settings("/proc/sys/kernel/x"));
        assert!(error.unwrap_err().to_string().contains("keep 1 settings"));
        keeper.end_teardown(true, false).unwrap();
        assert_eq!(files(), 0);
    });
}

#[test]
fn too_large_a_task_is_an_error_and_no_end() {
    with_keeper(Box::new(SimulatedServices), |keeper, _| {
        let value = "1".repeat(child::MESSAGE_MAX);
        let settings = BTreeMap::from([("/proc/sys/net/x".to_owned(), value)]);
        let error = keeper.keep_settings(&settings).unwrap_err();
        assert!(
            error.to_string().contains("at most 1048576 are allowed"),
            "{error}"
        );
        keeper.begin().unwrap();
    });
}

#[test]
fn a_keeper_that_hangs_is_left() {
    let (here, there) = Connection::pair().unwrap();
    let link = Link::new(here, None);
    let past = Instant::now()
        .checked_sub(Duration::from_secs(3600))
        .unwrap();
    let begun = Instant::now();
    let error = link.ask(Task::IsStrict, past).unwrap_err();
    assert!(error.to_string().contains("has ended"), "{error}");
    assert!(begun.elapsed() < 2 * PATIENCE);
    drop(there);
}

/// Tests split this process, and so they take turns.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process with one thread that does some work, and returns it. The process
/// fails if the work panics or returns no.
#[allow(unsafe_code, reason = "a process can be split in no other way")]
fn process(work: impl FnOnce() -> bool) -> Pid {
    // SAFETY: the C library, musl, takes its own locks before a process is split, and the
    // work takes none that another test's thread could hold.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let done = super::super::remains::contain(work).unwrap_or(false);
            // SAFETY: `_exit` ends the process and calls nothing of it.
            unsafe { nix::libc::_exit(i32::from(!done)) }
        }
    }
}

#[track_caller]
fn assert_succeeds(process: Pid) {
    let ended = waitpid(process, None).unwrap();
    assert_eq!(ended, WaitStatus::Exited(process, 0));
}

/// Starts a keeper that answers all tasks that nothing stands in the way of.
fn start(root: &Path) -> Keeper {
    let layout = Layout::choose(Some(root)).unwrap();
    let server = server(Store::new(layout), Box::new(Told));
    Keeper::start_with(|connection| server.serve(connection)).unwrap()
}

fn pid_of(keeper: &Keeper) -> Pid {
    match &keeper.0 {
        Kind::Linked(link) => link.process().unwrap(),
        Kind::Unneeded(_) => panic!("there is none"),
    }
}

fn write_pid(root: &Path, pid: Pid) {
    let new = root.join("pid.new");
    fs::write(&new, pid.to_string()).unwrap();
    fs::rename(new, root.join("pid")).unwrap();
}

/// Waits until a condition holds, and returns whether it does.
fn comes_true(condition: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    condition()
}

fn read_pid(root: &Path) -> Pid {
    let path = root.join("pid");
    assert!(comes_true(|| path.exists()));
    Pid::from_raw(fs::read_to_string(path).unwrap().parse().unwrap())
}

/// Whether a process has ended, waited for or not.
fn has_ended(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_none_or(|(_, rest)| rest.starts_with('Z'))
}

#[test]
fn a_process_with_threads_starts_no_keeper() {
    let error = std::thread::scope(|scope| {
        let start = || Keeper::start_with(|_| {}).err();
        scope.spawn(start).join().unwrap()
    });
    assert!(matches!(error, Some(KeeperError::Start(ChildError::Threads(threads))) if threads > 1));
}

#[test]
fn a_keeper_works_in_a_process_of_its_own() {
    let _turn = turn();
    let root = tempfile::tempdir().unwrap();
    assert_succeeds(process(|| {
        let keeper = start(root.path());
        let mut services = keeper.services();
        services.set_deadline(Instant::now() + PATIENCE);
        let process = pid_of(&keeper);
        let answers = services.lease(&request()).unwrap() == Some(lease());
        drop((keeper, services));
        answers && comes_true(|| has_ended(process))
    }));
}

#[test]
fn a_killed_keeper_is_an_error_each_time() {
    let _turn = turn();
    let root = tempfile::tempdir().unwrap();
    assert_succeeds(process(|| {
        let keeper = start(root.path());
        kill(pid_of(&keeper), Signal::SIGKILL).unwrap();
        let mut services = keeper.services();
        services.set_deadline(Instant::now() + PATIENCE);
        let mut fails = || {
            let error = services.is_strict().unwrap_err();
            error.to_string().contains("has ended")
        };
        fails() && fails()
    }));
}

#[test]
fn signals_are_left_to_the_run() {
    let _turn = turn();
    let root = tempfile::tempdir().unwrap();
    assert_succeeds(process(|| {
        let keeper = start(root.path());
        let mut services = keeper.services();
        services.set_deadline(Instant::now() + PATIENCE);
        services.is_strict().unwrap();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            kill(pid_of(&keeper), signal).unwrap();
        }
        services.is_strict().unwrap()
    }));
}

#[test]
fn a_keeper_ends_with_a_killed_run() {
    let _turn = turn();
    let root = tempfile::tempdir().unwrap();
    let run = process(|| {
        let keeper = Keeper::start_with(|_| std::thread::sleep(10 * PATIENCE)).unwrap();
        write_pid(root.path(), pid_of(&keeper));
        std::thread::sleep(10 * PATIENCE);
        true
    });
    let keeper = read_pid(root.path());
    assert!(!has_ended(keeper));
    kill(run, Signal::SIGKILL).unwrap();
    waitpid(run, None).unwrap();
    assert!(
        comes_true(|| has_ended(keeper)),
        "in the middle of its work"
    );
}

#[test]
fn a_keeper_has_nothing_of_the_run_open() {
    let _turn = turn();
    let root = tempfile::tempdir().unwrap();
    let lock = root.path().join("lock");
    let open = |path: &Path| {
        fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    };
    assert_succeeds(process(|| {
        let locked = Flock::lock(open(&lock), FlockArg::LockExclusive).unwrap();
        let keeper = start(root.path());
        // From the first answer on, the keeper has closed what it isn't to have.
        let mut services = keeper.services();
        services.set_deadline(Instant::now() + PATIENCE);
        services.is_strict().unwrap();
        let files = PathBuf::from(format!("/proc/{}/fd", pid_of(&keeper)));
        let target = |number: i32| fs::read_link(files.join(number.to_string())).unwrap();
        let count = fs::read_dir(&files).unwrap().count();
        let number = locked.as_raw_fd();
        // The run's descriptor goes without being unlocked, as when the run is killed.
        nix::unistd::close(number).unwrap();
        std::mem::forget(locked);
        let again = Flock::lock(open(&lock), FlockArg::LockExclusiveNonblock);
        let null = Path::new("/dev/null");
        count == 4 && target(0) == null && target(1) == null && again.is_ok()
    }));
}
