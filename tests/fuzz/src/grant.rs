//! Grant files.

use std::path::Path;

use policy::{Edit, Grant, Widening};
use types::Digest;

const DRIVER: &str = "d";

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let path = Path::new("d.toml");
    let Ok(grant) = Grant::parse(DRIVER, path, text) else {
        return;
    };
    let written = Grant::text(DRIVER, grant.digest(), grant.limits(), grant.calls());
    let again = Grant::parse(DRIVER, path, &written).expect("a grant that was written");
    assert_eq!(again.calls(), grant.calls(), "{written}");
    assert_eq!(again.limits().entries(), grant.limits().entries());
    let calls: Vec<_> = grant.calls().clone().into_iter().collect();
    let needed = Widening::needed(Some(&grant), &calls);
    assert!(needed.is_empty(), "{:?}", needed.lines());
    edits(&grant, path, text);
}

/// An edit changes what it is for, and nothing else.
fn edits(grant: &Grant, path: &Path, text: &str) {
    let other = Digest::of(b"another");
    let mut edit = Edit::new(path, text).expect("a grant's text");
    edit.set_digest(&other);
    let edited = Grant::parse(DRIVER, path, &edit.text()).expect("an edited grant");
    assert_eq!(edited.digest(), &other);
    assert_eq!(edited.calls(), grant.calls());
    let Some(call) = grant.calls().keys().next().copied() else {
        return;
    };
    edit.remove_call(call).expect("a call that is there");
    let edited = Grant::parse(DRIVER, path, &edit.text()).expect("a grant without the call");
    let mut left = grant.calls().clone();
    left.remove(&call);
    assert_eq!(edited.calls(), &left, "{}", edit.text());
}
