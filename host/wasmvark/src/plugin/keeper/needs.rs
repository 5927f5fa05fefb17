//! Whether a run needs a keeper. Starting one takes time.

use std::time::{Duration, Instant};

use engine::gate::{Firewall, Names};
use journal::{Here, Journal};
use policy::{Call, Grant};
use request::Request;
use services::firewalld::Firewalld;
use types::Key;

use super::allowed::AllowedNames;
use crate::plugin::load::{Loaded, firewall};
use crate::plugin::{lock, restore};
use crate::store::{Layout, Store, kept_settings};

/// The time that the look for firewalld may take. The system bus answers it, which takes
/// less than a millisecond as a rule.
const LOOK_TIME: Duration = Duration::from_secs(1);

/// The bytes that a run may add to the trail without a keeper. An ordinary run adds a few
/// dozen KiB.
const TRAIL_GROWTH: u64 = 256 << 10;

/// The calls that ask firewalld.
const OF_FIREWALLD: [Call; 2] = [Call::FirewallTrust, Call::FirewallPublish];

/// The needs of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// A keeper.
    Keeper,
    /// None, because there is no service that the run could use.
    Nothing {
        /// Whether firewalld may be there, though the run can't ask it.
        has_firewalld: bool,
    },
}

impl Needs {
    /// Returns the needs of a setup.
    pub(super) fn of_setup(
        loaded: &Loaded,
        request: &Request,
        names: Option<&Names>,
        here: Here,
    ) -> Self {
        let layout = loaded.store.layout();
        let grant = &loaded.grant;
        let leases = grant.calls().contains_key(&Call::DhcpLease) && layout.dhcp_proxy.exists();
        let needs_keeper = AllowedNames::of(grant, request, names).is_some()
            || leases
            || (layout.sysctl.is_some() && sets_on_host(grant, request))
            || loaded.store.trail().may_fill(TRAIL_GROWTH)
            || has_leftovers(layout, &request.key(), here);
        match needs_keeper {
            true => Self::Keeper,
            false => of_firewalld(grant),
        }
    }

    /// Returns the needs of a teardown. Its driver registers, leases and publishes
    /// nothing.
    pub(super) fn of_teardown(store: &Store, key: &Key, here: Here) -> Self {
        let layout = store.layout();
        let journal = Journal::open(&layout.journals(), key, here);
        let publishes = journal.is_ok_and(|journal| restore::publishes(&journal));
        let fills = store.trail().may_fill(TRAIL_GROWTH);
        match publishes || fills || has_leftovers(layout, key, here) {
            true => Self::Keeper,
            false => Self::Nothing {
                has_firewalld: true,
            },
        }
    }
}

/// Whether earlier runs left something that a keeper has to undo, or a run that goes on
/// may yet leave it. What can't be read may be that, too.
fn has_leftovers(layout: &Layout, key: &Key, here: Here) -> bool {
    lock::is_held(layout, &key.network)
        || kept_settings::has(layout, key)
        || may_have_records(layout, key, here)
}

fn may_have_records(layout: &Layout, key: &Key, here: Here) -> bool {
    let has_any = |journal: &Journal| {
        let mut entries = journal.entries().iter();
        entries.any(|entry| entry.change.is_of_service())
    };
    let Ok(journal) = Journal::open(&layout.journals(), key, here) else {
        return true;
    };
    has_any(&journal)
        || journal
            .abandoned_others()
            .map_or(true, |others| others.iter().any(has_any))
}

/// Whether a driver can change settings of the host, which are kept.
fn sets_on_host(grant: &Grant, request: &Request) -> bool {
    let mut calls = grant.calls().iter();
    let sets = |call: Call| call.name().starts_with("sysctl.");
    let has_own_links = || has_links_on_host(grant);
    calls.any(|(call, reach)| {
        sets(*call) && (!reach.link.is_empty() || !reach.key.is_empty())
            || (*call == Call::SysctlSetProxyNdp && request.ndp_proxy().is_some())
            || (sets(*call) && has_own_links())
    })
}

/// Whether a driver can make or use links on the host.
fn has_links_on_host(grant: &Grant) -> bool {
    let mut calls = grant.calls().iter();
    calls.any(|(call, reach)| *call == Call::LinksUseBridge || !reach.place.is_empty())
}

/// Returns the needs of a run that could only ask firewalld.
fn of_firewalld(grant: &Grant) -> Needs {
    let asks = OF_FIREWALLD
        .iter()
        .any(|call| grant.calls().contains_key(call));
    if !asks || firewall() == Firewall::LeftAlone {
        return Needs::Nothing {
            has_firewalld: true,
        };
    }
    match Firewalld::connect(Instant::now() + LOOK_TIME) {
        Ok(None) => Needs::Nothing {
            has_firewalld: false,
        },
        // The driver's own call gets the error.
        Ok(Some(_)) | Err(_) => Needs::Keeper,
    }
}
