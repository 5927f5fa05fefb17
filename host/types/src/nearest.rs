//! The known name that is most similar to an unknown one.

/// The least similarity of two names, from 0 to 1. A less similar proposal would mislead.
const SIMILARITY_MIN: f64 = 0.6;

/// The longest name that is compared, in bytes. The time grows with the square of it.
const COMPARED_MAX: usize = 128;

/// Returns the known name that is most similar to an unknown one, if one is similar
/// enough. Capital letters count as small ones. The interface of a call may be left out.
pub fn name<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if unknown.len() > COMPARED_MAX {
        return None;
    }
    let unknown = &unknown.to_lowercase();
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
pub fn did_you_mean(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("; did you mean {near:?}?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let known = ["mtu", "metric", "peer.NAME.key", "ingress_rate"];
        for (unknown, near) in [
            ("mtuu", Some("mtu")),
            ("MTU", Some("mtu")),
            ("ingres_rate", Some("ingress_rate")),
            ("peer.a.key", Some("peer.NAME.key")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(name(unknown, known), near, "{unknown}");
        }
        let long = "m".repeat(100_000);
        assert_eq!(name(&long, [long.as_str()]), None);
    }
}
