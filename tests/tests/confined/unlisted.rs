//! All system calls that no class of grants has, with arguments of zero.

use syscalls::Sysno;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::world::World;

use crate::NEEDS;
use crate::calls::is_blocked;
use crate::class::Class;
use crate::count::Count;
use crate::scene::Scene;

/// The number of tests that share them, so that they run in parallel.
const SHARES: usize = 4;

/// Calls that no filter sees (`kernel/seccomp.c`). Beside the kernel's own code for probes,
/// they do nothing.
const UNSEEN: [&str; 2] = ["uprobe", "uretprobe"];

pub(crate) fn register(suite: &mut Suite, count: &Count) {
    for share in 0..SHARES {
        let count = count.clone();
        suite.test(format!("unlisted/{}", share + 1), NEEDS, move || {
            are_blocked(share, &count);
        });
    }
}

fn are_blocked(share: usize, count: &Count) {
    let class = Class::named("setup/widest");
    let allowed = class.allowed_calls();
    let is_unlisted = |name| !allowed.contains(&name) && !UNSEEN.contains(&name);
    let unlisted = Sysno::iter().filter(|call| is_unlisted(call.name()));
    let world = World::new();
    let scene = Scene::new(&world, class);
    let mut results = Vec::new();
    for call in unlisted.skip(share).step_by(SHARES) {
        let action = format!("number:{}", call.name());
        let outcome = scene.run(&[&action]);
        results.push(is_blocked(&action, call.name(), &outcome));
    }
    scene.nothing_is_changed();
    count.all_are_blocked(class, &results);
}
