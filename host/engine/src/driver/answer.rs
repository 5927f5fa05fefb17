//! The limits of a driver's answer.

use super::NetworkChange;
use super::bindings::wasmvark::driver::types::SetupAnswer;
use super::run::RunError;

/// The most DNS servers in an answer: MAXNS of resolv.conf(5).
const SERVERS: usize = 3;
/// The most search domains in an answer. glibc read 6 of them (MAXDNSRCH) before 2.26,
/// and has no limit since.
const DOMAINS: usize = 32;
/// The most changes of a network.
const CHANGES: usize = 64;
/// The greatest length of these changes together, in bytes.
const CHANGES_BYTES: usize = 16 << 10;

/// Checks the answer of `setup`.
pub(super) fn check(answer: &SetupAnswer) -> Result<(), RunError> {
    within(
        "as DNS servers",
        answer.dns_servers.len(),
        SERVERS,
        "addresses",
    )?;
    within(
        "as search domains",
        answer.search_domains.len(),
        DOMAINS,
        "names",
    )
}

/// Checks the changes that `create` returned.
pub(super) fn check_changes(changes: &[NetworkChange]) -> Result<(), RunError> {
    check_changes_made(changes.len())?;
    let what = "as changes of the network";
    let bytes = changes.iter().map(length);
    let bytes = bytes.fold(0, usize::saturating_add);
    within(what, bytes, CHANGES_BYTES, "bytes")
}

/// Checks the number of changes of a network. A merge patch counts as the changes that
/// it consists of.
pub fn check_changes_made(count: usize) -> Result<(), RunError> {
    within("as changes of the network", count, CHANGES, "of them")
}

fn length(change: &NetworkChange) -> usize {
    match change {
        NetworkChange::DnsEnabled(_) => 0,
        NetworkChange::NetworkInterface(text)
        | NetworkChange::IpamDriver(text)
        | NetworkChange::RemoveOption(text)
        | NetworkChange::MergePatch(text) => text.len(),
        NetworkChange::SetOption(option) => option.key.len().saturating_add(option.value.len()),
    }
}

fn within(
    what: &'static str,
    count: usize,
    max: usize,
    unit: &'static str,
) -> Result<(), RunError> {
    match count <= max {
        true => Ok(()),
        false => Err(RunError::Answer {
            what,
            count,
            max,
            unit,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(servers: usize, domains: usize) -> SetupAnswer {
        SetupAnswer {
            dns_servers: vec!["192.0.2.1".to_owned(); servers],
            search_domains: vec!["example.org".to_owned(); domains],
        }
    }

    #[test]
    fn an_answer_has_so_many_and_no_more() {
        assert!(check(&answer(SERVERS, DOMAINS)).is_ok());
        let error = check(&answer(SERVERS + 1, 0)).unwrap_err().to_string();
        assert_eq!(
            error,
            "the driver returned 4 addresses as DNS servers, and at most 3 are allowed"
        );
        assert!(check(&answer(0, DOMAINS + 1)).is_err());
    }

    #[test]
    fn changes_are_so_many_and_so_long_and_no_more() {
        let patch = |length| NetworkChange::MergePatch("x".repeat(length));
        let many = |count| vec![patch(1); count];
        assert!(check_changes(&many(CHANGES)).is_ok());
        assert!(check_changes(&many(CHANGES + 1)).is_err());
        let two = |length| [patch(length), patch(CHANGES_BYTES / 2)];
        assert!(check_changes(&two(CHANGES_BYTES / 2)).is_ok());
        let error = check_changes(&two(CHANGES_BYTES / 2 + 1)).unwrap_err();
        assert!(error.to_string().contains("16385 bytes"), "{error}");
    }
}
