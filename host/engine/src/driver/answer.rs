//! How much a driver may return.

use super::NetworkChange;
use super::bindings::wasmvark::driver::types::SetupAnswer;
use super::run::RunError;

/// DNS servers of an answer: as many as resolv.conf(5) takes (MAXNS).
const SERVERS: usize = 3;
/// Search domains of an answer, as glibc read them when it still had a limit by number,
/// and as many again more than once over.
const DOMAINS: usize = 32;
/// Changes of a network.
const CHANGES: usize = 64;
/// Bytes of them together.
const CHANGES_BYTES: usize = 16 << 10;

/// Checks what `setup` returned.
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

/// Checks what `create` returned.
pub(super) fn check_changes(changes: &[NetworkChange]) -> Result<(), RunError> {
    check_changes_made(changes.len())?;
    let what = "as changes of the network";
    let bytes = changes.iter().map(length);
    let bytes = bytes.fold(0, usize::saturating_add);
    within(what, bytes, CHANGES_BYTES, "bytes")
}

/// Checks how many changes there are, also once patches are taken apart.
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

fn within(what: &'static str, came: usize, max: usize, unit: &'static str) -> Result<(), RunError> {
    match came <= max {
        true => Ok(()),
        false => Err(RunError::Answer {
            what,
            came,
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
