//! The known name that is most similar to an unknown one.

/// The least similarity of two names, from 0 to 1. A less similar proposal would mislead.
const SIMILARITY_MIN: f64 = 0.6;

/// Returns the known name that is most similar to an unknown one, if one is similar
/// enough. The interface of a call may be left out.
pub(super) fn name<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let similarity = |known: &str| {
        let known = match known.split_once('.') {
            Some((_, function)) if !unknown.contains('.') => function,
            _ => known,
        };
        let edits = strsim::normalized_damerau_levenshtein(unknown, known);
        // If the edits are equal, the common letters decide.
        (edits, strsim::sorensen_dice(unknown, known))
    };
    known
        .into_iter()
        .map(|known| (known, similarity(known)))
        .filter(|(_, (edits, _))| *edits >= SIMILARITY_MIN)
        .max_by(|(_, one), (_, other)| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)))
        .map(|(known, _)| known)
}

/// Returns the end of an error's text that proposes a name.
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
