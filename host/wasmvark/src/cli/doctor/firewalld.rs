//! The check of firewalld, which rejects what containers send unless their subnets are
//! in its zone `trusted`.

use std::time::{Duration, Instant};

use ipnet::IpNet;
use services::firewalld::{Firewalld, FirewalldError, State};

use super::finding::Finding;
use crate::plugin;
use crate::store::Store;

const CHECK: &str = "firewalld";
/// The time that firewalld may take. It answers nothing while it starts.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at firewalld. There is nothing to say where it doesn't run.
pub(super) fn check(store: &Store) -> Vec<Finding> {
    match look(store, Instant::now() + PATIENCE) {
        Ok(findings) => findings,
        Err(error) => vec![Finding::unknown(
            CHECK,
            error.to_string(),
            "look at it with: firewall-cmd --state",
        )],
    }
}

fn look(store: &Store, deadline: Instant) -> Result<Vec<Finding>, FirewalldError> {
    let Some(firewalld) = Firewalld::connect(deadline)? else {
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    match firewalld.state(deadline)? {
        State::Running => {}
        state => findings.push(Finding::warning(
            CHECK,
            format!("firewalld is on the bus, but not ready: {state:?}"),
            "look at its log: journalctl -u firewalld",
        )),
    }
    if firewalld.strict_forward_ports(deadline)? {
        findings.push(Finding::warning(
            CHECK,
            "StrictForwardPorts is on, so published ports are refused",
            "set StrictForwardPorts=no in firewalld.conf and restart firewalld, if containers are \
             to publish ports",
        ));
    }
    for source in plugin::trusted_sources(store) {
        findings.extend(look_at(&firewalld, source, deadline)?);
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            CHECK,
            "it runs, and lets the packets of containers pass",
        ));
    }
    Ok(findings)
}

/// Looks whether the packets of a subnet in use pass.
fn look_at(
    firewalld: &Firewalld,
    source: IpNet,
    deadline: Instant,
) -> Result<Vec<Finding>, FirewalldError> {
    if !firewalld.is_trusted(source, deadline)? {
        return Ok(vec![Finding::problem(
            CHECK,
            format!("it rejects what containers in {source} send, since a reload as a rule"),
            "run `wasmvark reload`, and have it done after each reload: systemctl enable --now \
             wasmvark-firewalld.service",
        )]);
    }
    let overlaps = firewalld.overlaps(source, deadline)?;
    let finding = |overlap: services::firewalld::Overlap| {
        let (zone, other) = (overlap.zone, overlap.source);
        Finding::warning(
            CHECK,
            format!("{source} is trusted, but {other} is a source of the zone {zone}, too"),
            format!(
                "the first zone by priority and name gets the packets; if they don't pass, run \
                 `firewall-cmd --zone={zone} --remove-source={other}`"
            ),
        )
    };
    Ok(overlaps.into_iter().map(finding).collect())
}
