//! A test that is run on each system. It has a machine of its own and must leave
//! nothing.

use wasmvark_tests::harness::{Added, Need, Suite};

use crate::edition::Edition;
use crate::machine::{Account, Machine};
use crate::podman::Podman;

/// The drivers that every machine has.
pub(crate) const MACVLAN: &str = "wasm-macvlan";
pub(crate) const MACVLAN_C: &str = "wasm-macvlan-c";
pub(crate) const HOST_DEVICE: &str = "wasm-host-device";

/// What all of these tests need.
pub(crate) const NEEDS: &[Need] = &[Need::Root, Need::Macvlan, Need::PodmanTrees];

/// The usual network, on the machine's wire, in both families.
pub(crate) const LAN: &str = "-o parent=p0 --subnet 10.88.0.0/16 --gateway 10.88.0.1 \
     --subnet fd88::/64 --gateway fd88::1 lan";

/// Where the tests of one system go.
pub(crate) struct Cases<'a> {
    pub(crate) suite: &'a mut Suite,
    pub(crate) edition: Edition,
}

impl Cases<'_> {
    /// Adds a test in which root runs Podman. Containers and networks that
    /// are still there at its end are removed; after that everything must be
    /// as before.
    pub(crate) fn add(&mut self, name: &str, test: impl Fn(&Podman) + Send + 'static) -> Added {
        self.add_for(Account::Root, &[], name, test)
    }

    /// The same for a test that needs something more.
    pub(crate) fn add_with(
        &mut self,
        more: &[Need],
        name: &str,
        test: impl Fn(&Podman) + Send + 'static,
    ) -> Added {
        self.add_for(Account::Root, more, name, test)
    }

    /// Adds a test in which an ordinary user runs Podman.
    pub(crate) fn add_rootless(&mut self, name: &str, test: impl Fn(&Podman) + Send + 'static) {
        self.add_for(Account::User, &[], name, test);
    }

    /// The same for a test that needs something more.
    pub(crate) fn add_rootless_with(
        &mut self,
        more: &[Need],
        name: &str,
        test: impl Fn(&Podman) + Send + 'static,
    ) {
        self.add_for(Account::User, more, name, test);
    }

    /// Adds a test that starts with nothing of this project on the machine,
    /// and looks itself for what is left.
    pub(crate) fn add_clean(
        &mut self,
        name: &str,
        test: impl Fn(&Machine) + Send + 'static,
    ) -> Added {
        self.add_clean_with(&[], name, test)
    }

    /// The same for a test that needs something more.
    pub(crate) fn add_clean_with(
        &mut self,
        more: &[Need],
        name: &str,
        test: impl Fn(&Machine) + Send + 'static,
    ) -> Added {
        let edition = self.edition;
        let added = self.suite.test(
            format!("{}/{name}", edition.title),
            &[needs(edition), more].concat(),
            move || test(&Machine::boot_clean(edition)),
        );
        added.shown_as(name)
    }

    fn add_for(
        &mut self,
        account: Account,
        more: &[Need],
        name: &str,
        test: impl Fn(&Podman) + Send + 'static,
    ) -> Added {
        let edition = self.edition;
        let added = self.suite.test(
            format!("{}/{name}", edition.title),
            &[needs(edition), more].concat(),
            move || {
                let machine = Machine::boot(edition);
                let podman = Podman::new(&machine, account);
                podman.install("macvlan", MACVLAN);
                podman.install("macvlan-c", MACVLAN_C);
                podman.install("host-device", HOST_DEVICE);
                podman.end();
                let before = machine.before();
                test(&podman);
                podman.remove_all();
                podman.end();
                machine.assert_nothing_left(&before);
            },
        );
        added.shown_as(name)
    }
}

fn needs(edition: Edition) -> &'static [Need] {
    match edition.built_netavark {
        true => &[Need::Root, Need::Macvlan, Need::PodmanTrees, Need::Netavark],
        false => NEEDS,
    }
}
