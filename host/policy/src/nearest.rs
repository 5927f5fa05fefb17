//! What somebody who wrote an unknown name most likely meant.

/// How alike two names must be, from 0 to 1. Below it a proposal would only
/// mislead.
const ALIKE: f64 = 0.6;

/// The known name that is most like another, if one is like it at all. Where a
/// call's interface is left out, that doesn't count.
pub(super) fn name<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |known: &str| {
        let known = match known.split_once('.') {
            Some((_, function)) if !unknown.contains('.') => function,
            _ => known,
        };
        let edits = strsim::normalized_damerau_levenshtein(unknown, known);
        // Among as many edits, the letters in common decide.
        (edits, strsim::sorensen_dice(unknown, known))
    };
    known
        .into_iter()
        .map(|known| (known, likeness(known)))
        .filter(|(_, (edits, _))| *edits >= ALIKE)
        .max_by(|(_, one), (_, other)| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)))
        .map(|(known, _)| known)
}

/// The end of an error's text.
pub(super) fn did_you_mean(near: &Option<&'static str>) -> String {
    match near {
        Some(near) => format!("; did you mean {near:?}?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::Call;

    #[track_caller]
    fn expect(unknown: &str, near: Option<&str>) {
        let known = Call::ALL.iter().map(|call| call.name());
        assert_eq!(super::name(unknown, known), near, "{unknown}");
    }

    #[test]
    fn the_nearest_call_is_found() {
        expect("links.gett", Some("links.get"));
        expect("link.get", Some("links.get"));
        expect("links.create_macvlan", Some("links.create-macvlan"));
        expect("create-macvlan", Some("links.create-macvlan"));
        expect("links.destory", Some("links.delete"));
        expect("adresses.add", Some("addresses.add"));
        expect("sysctl.write", Some("sysctl.set"));
        expect("unheard", None);
        expect("", None);
    }
}
