//! One sequence of calls by a hostile guest, and its result.

use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use audit::{Memory, Subject, Trail};
use fastrand::Rng;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use journal::{Change, Here, Journal};
use kernel::{Kernel, NetnsId, Reader};
use policy::{Authority, Call};
use services::SimulatedServices;
use sim::{Imagined, ImaginedReader, Picture, Simulation};
use trust::Secrets;
use types::{IpVersion, Key, Namespace};

use super::grants::Granted;
use super::oracle::{Oracle, Violation, left_over};
use super::steps::{Guest, Outcome, Step};
use super::words::{CONTAINER, Words};
use super::world::{
    OTHER_CONTAINER, OTHER_PORT, SHARED_BRIDGE, SHARED_NETWORK, others_entries, world,
};
use crate::gate::{CallError, Gate, Log, PoolError, Stop, SubnetPools, UsedNetworks};
use crate::rollback::Rollback;

/// The most steps of a sequence.
const STEPS_MAX: u32 = 12;

/// The machine for a driver, with its state before the sequence.
pub(super) struct Stage {
    world: Arc<Imagined>,
    pub(super) before: Picture,
    folder: tempfile::TempDir,
}

/// The conditions of a sequence.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) stage: &'a Stage,
    pub(super) granted: &'a Granted,
    pub(super) words: &'a Words,
    /// Whether the setup is marked as complete before it's undone.
    pub(super) completes: bool,
    /// The texts of the input that the steps are from. Then their seeds are digits.
    pub(super) texts: Option<&'a [String]>,
}

/// The source of the steps.
pub(super) enum Source<'a> {
    /// Steps are drawn during the sequence.
    New(&'a mut Rng),
    /// The steps are given.
    Known(&'a [Step]),
}

/// The result of a sequence.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) steps: Vec<Step>,
    pub(super) violations: Vec<Violation>,
    /// The steps in words, if they are wanted.
    pub(super) script: Vec<String>,
    /// The number of calls.
    pub(super) made: u64,
    /// The calls that succeeded.
    pub(super) done: Vec<Call>,
}

impl Played {
    /// Adds violations, each once.
    fn find(&mut self, found: Vec<Violation>) {
        for violation in found {
            if !self.violations.contains(&violation) {
                self.violations.push(violation);
            }
        }
    }
}

impl Stage {
    pub(super) fn new(driver: &str) -> Self {
        let world = Arc::new(world(driver));
        let folder = tempfile::tempdir().unwrap();
        note_other_container(&folder.path().join("journals"), driver);
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets).unwrap();
        for secret in ["key", "othersecret"] {
            write_secret(&secrets.join(secret));
        }
        let before = begin(&world).picture().unwrap();
        Self {
            world,
            before,
            folder,
        }
    }

    fn gate(&self, scene: &Scene<'_>, kernel: &Simulation) -> Gate {
        let reach = scene.words.reach();
        let key = key(scene.words.network, CONTAINER);
        let journals = self.folder.path().join("journals");
        let journal = Journal::open_for_trying(&journals, &key, here()).unwrap();
        let subject = Subject {
            command: "setup",
            driver: scene.granted.driver.clone(),
            digest: String::new(),
            network: scene.words.network.to_owned(),
            container: Some(CONTAINER.to_owned()),
        };
        let kernel: Box<dyn Kernel + Send> = Box::new(kernel.clone());
        let trail = Trail::in_memory(&Memory::default(), subject).unwrap();
        Gate::new(
            Rollback::new(kernel, Box::new(SimulatedServices), journal, trail),
            Authority {
                grant: scene.granted.grant.clone(),
                request: reach,
            },
            Log::new(String::new(), 1 << 10, None),
            Secrets::unread(self.folder.path().join("secrets")),
        )
        .with_pools(Some(Box::new(Always)))
        .with_names(Some(scene.words.names()))
        .with_dhcp(Some(scene.words.dhcp_client()))
    }
}

/// Pools that always have the same subnets. They belong to `create`, which is a part of
/// the model only in this.
struct Always;

impl SubnetPools for Always {
    fn choose(&mut self, version: IpVersion, _: &UsedNetworks) -> Result<IpNet, PoolError> {
        Ok(match version {
            IpVersion::Ipv4 => Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 24).into(),
            IpVersion::Ipv6 => Ipv6Net::new_assert("fd18::".parse().unwrap(), 64).into(),
        })
    }
}

fn begin(world: &Arc<Imagined>) -> Simulation {
    let reader: Box<dyn Reader + Send> = Box::new(ImaginedReader(Arc::clone(world)));
    Simulation::begin(reader, true).unwrap()
}

fn here() -> Here {
    Here {
        host: NetnsId::new(4, 1),
        container: Some(NetnsId::new(4, 2)),
    }
}

fn key(network: &str, container: &str) -> Key {
    Key {
        network: network.to_owned().try_into().unwrap(),
        container: container.to_owned().try_into().unwrap(),
    }
}

fn write_secret(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let key = b"YAnz5TF+lXXJte14tji3zlMNftqCFsxyBk7sJ5Yj7HQ=\n";
    std::io::Write::write_all(&mut file.unwrap(), key).unwrap();
}

/// Writes the journal of the container that is on the shared network already.
fn note_other_container(folder: &Path, driver: &str) {
    let here = Here {
        container: Some(NetnsId::new(4, 3)),
        ..here()
    };
    let mut journal = Journal::open(folder, &key(SHARED_NETWORK, OTHER_CONTAINER), here).unwrap();
    for ((name, index), shared) in [(SHARED_BRIDGE, true), (OTHER_PORT, false)] {
        let change = Change::MakeLink {
            namespace: Namespace::Host,
            name: name.parse().unwrap(),
            index: None,
            table: None,
        };
        let number = journal.begin(change, shared).unwrap();
        journal.done(number, Some(index)).unwrap();
    }
    for (entry, shared) in others_entries(driver) {
        let number = journal
            .begin(Change::AddFirewall { entry }, shared)
            .unwrap();
        journal.done(number, None).unwrap();
    }
    journal.complete().unwrap();
}

/// Plays a sequence. A panic is a violation too.
pub(super) fn play(scene: Scene<'_>, source: Source<'_>, in_words: bool) -> Played {
    let mut played = Played::default();
    let result = catch_unwind(AssertUnwindSafe(|| {
        play_out(scene, source, in_words, &mut played);
    }));
    if let Err(panic) = result {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        played
            .violations
            .push(Violation::new("nothing panics", text.unwrap_or_default()));
    }
    played
}

fn play_out(scene: Scene<'_>, mut source: Source<'_>, in_words: bool, played: &mut Played) {
    let kernel = begin(&scene.stage.world);
    let (before, lines) = (&scene.stage.before, &scene.granted.lines);
    let mut gate = scene.stage.gate(&scene, &kernel);
    let mut last = before.clone();
    let mut guest = Guest::new(&mut gate, scene.words, in_words).with_texts(scene.texts);
    let count = match &mut source {
        Source::New(rng) => rng.u32(1..=STEPS_MAX),
        Source::Known(steps) => u32::try_from(steps.len()).unwrap(),
    };
    for number in 0..count {
        let step = match &mut source {
            Source::New(rng) => new_step(rng, &played.steps, scene.granted, guest.has_handles()),
            Source::Known(steps) => steps[usize::try_from(number).unwrap()],
        };
        played.steps.push(step);
        let outcome = guest.take(step);
        if in_words {
            let (number, call) = (step.number, step.call);
            let result_text = match &outcome {
                Outcome::Skipped => "-".to_owned(),
                Outcome::Done => "done".to_owned(),
                Outcome::Failed(error) => failure(error),
            };
            let words = guest.take_words();
            played
                .script
                .push(format!("{number}: {call} {words} => {result_text}"));
        }
        let Outcome::Failed(error) = outcome else {
            if matches!(outcome, Outcome::Done) {
                played.made += 1;
                played.done.push(step.call);
                let now = kernel.picture().unwrap();
                // A change counts even if a later step takes it back.
                if now != last {
                    played.find(Oracle::judge(scene.words, lines, before, &now, &[]));
                }
                last = now;
            }
            continue;
        };
        played.made += 1;
        if kernel.picture().unwrap() != last {
            played.violations.push(Violation::new(
                "a call that fails changes nothing",
                format!("{}: {}", step.call, failure(&error)),
            ));
            break;
        }
        if let CallError::Stop(stop) = error {
            if let Stop::Host(why) = stop {
                played.violations.push(Violation::new(
                    "the host goes on",
                    format!("{}: {why}", step.call),
                ));
            }
            break;
        }
    }
    let events = std::mem::take(&mut guest.events);
    let last = kernel.picture().unwrap();
    played.find(Oracle::judge(scene.words, lines, before, &last, &events));
    if scene.completes {
        gate.rollback.complete().unwrap();
    }
    for left in gate.rollback.undo() {
        played
            .violations
            .push(Violation::new("all can be undone", left.to_string()));
    }
    let after = kernel.picture().unwrap();
    played
        .violations
        .extend(left_over(before, &after, scene.words.ndp_proxy));
}

/// Draws the next step of a hostile guest. Most steps are calls that the grant lists.
/// The first ones get a link, and many have the arguments of an earlier step.
pub(super) fn new_step(
    rng: &mut Rng,
    earlier: &[Step],
    granted: &Granted,
    has_handles: bool,
) -> Step {
    let listed: Vec<Call> = granted.grant.calls().keys().copied().collect();
    if let Some(last) = earlier.last()
        && rng.u8(..10) < 5
    {
        let known = match rng.bool() {
            true => last,
            false => &earlier[rng.usize(..earlier.len())],
        };
        let next = follow_ups(known.call).iter().copied();
        let next: Vec<Call> = next.filter(|call| listed.contains(call)).collect();
        if !next.is_empty() {
            return Step {
                number: u32::try_from(earlier.len()).unwrap(),
                call: next[rng.usize(..next.len())],
                seed: known.seed,
            };
        }
    }
    let gets_a_link = |call: &Call| {
        let name = call.name();
        name.starts_with("links.create-")
            || name.starts_with("links.get")
            || *call == Call::LinksUseVf
    };
    let mut calls: Vec<Call> = match rng.u8(..10) {
        0 => Call::ALL.to_vec(),
        _ if listed.is_empty() => Call::ALL.to_vec(),
        1..4 => listed.iter().copied().filter(gets_a_link).collect(),
        _ if !has_handles => listed.iter().copied().filter(gets_a_link).collect(),
        _ => listed.clone(),
    };
    if calls.is_empty() {
        calls = listed;
    }
    let call = calls[rng.usize(..calls.len())];
    let mut alike = earlier.iter().rev();
    let alike = alike.find(|step| subject(step.call) == subject(call) && rng.bool());
    let seed = alike.map(|step| step.seed).filter(|_| rng.bool());
    Step {
        number: u32::try_from(earlier.len()).unwrap(),
        call,
        seed: seed.unwrap_or_else(|| rng.u64(..)),
    }
}

/// Returns the calls that take the same arguments as another one, or that succeed only
/// on a link that it has prepared.
fn follow_ups(call: Call) -> &'static [Call] {
    const OF_VFS: [Call; 6] = [
        Call::LinksSetVfMac,
        Call::LinksSetVfVlan,
        Call::LinksSetVfSpoofCheck,
        Call::LinksSetVfTrust,
        Call::LinksSetVfLinkState,
        Call::LinksSetVfRate,
    ];
    const OF_USED_VF: [Call; 3] = [
        Call::LinksSetVfMac,
        Call::LinksSetVfTrust,
        Call::LinksMoveToContainer,
    ];
    match call {
        Call::RoutesAdd | Call::RoutesReplace => &[Call::RoutesRemove],
        Call::RulesAdd => &[Call::RulesRemove],
        Call::LinksCreateBridge => &[Call::LinksCreateVeth, Call::DnsRegister],
        Call::LinksCreateVeth => &[Call::LinksSetUp, Call::LinksSetMaster, Call::LinksSetMaster],
        Call::LinksCreateMacvlan | Call::LinksCreateDummy | Call::LinksMoveToContainer => {
            &[Call::LinksSetUp]
        }
        Call::LinksGetByPci | Call::LinksGetByPath | Call::LinksVfs => &OF_VFS,
        Call::LinksUseVf => &OF_USED_VF,
        Call::LinksSetUp => &[Call::AddressesAdd, Call::DhcpLease],
        Call::AddressesAdd => &[
            Call::AddressesRemove,
            Call::AnnounceGratuitousArp,
            Call::AnnounceNeighbourAdvertisement,
            Call::AnnounceNeighbourAdvertisement,
        ],
        Call::NeighboursAdd => &[Call::NeighboursRemove],
        Call::NeighboursAddProxy => &[Call::NeighboursRemoveProxy],
        Call::LinksGet | Call::LinksSetMaster => &[
            Call::BridgePortsSetHairpin,
            Call::BridgePortsSetIsolated,
            Call::BridgePortsSetLearning,
            Call::BridgePortsSetLearning,
            Call::BridgePortsAddVlans,
            Call::BridgePortsAddVlans,
        ],
        _ => &[],
    }
}

/// Returns the subject of a call. Calls with the same subject draw the same arguments.
fn subject(call: Call) -> &'static str {
    match call.name().split_once('.').unwrap_or_default().0 {
        "neighbours" | "announce" => "addresses",
        interface => interface,
    }
}

fn failure(error: &CallError) -> String {
    match error {
        CallError::Guest(error) => {
            let text = format!("{error:?}");
            text.chars().take(160).collect()
        }
        CallError::Stop(stop) => format!("stop: {stop}"),
    }
}
