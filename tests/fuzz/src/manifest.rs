//! The wishes in manifests.

use std::collections::BTreeMap;
use std::path::Path;

use policy::{Call, Grant, Limits, Reach, read_wishes};
use types::Digest;

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let Ok(wishes) = read_wishes(text) else {
        return;
    };
    let calls: BTreeMap<Call, Reach> = wishes
        .into_iter()
        .map(|(call, wish)| (call, wish.reach))
        .collect();
    // What a manifest asks for can be granted in its own words.
    let text = Grant::text("d", &Digest::of(input), &Limits::default(), &calls);
    let grant = Grant::parse("d", Path::new("d.toml"), &text).expect("a grant of all wishes");
    assert_eq!(grant.calls(), &calls, "{text}");
}
