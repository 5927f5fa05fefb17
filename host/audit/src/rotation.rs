//! The bounds of the trail's files.

use serde::Deserialize;

/// The smallest size that can be set, in bytes. It holds a few lines.
const SIZE_MIN: u64 = 4096;

/// The bounds of the trail. The operator's file `trail.toml` may set each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rotation {
    /// The largest size of a file, in bytes. A line beyond it begins the next file.
    pub size: u64,
    /// The number of old files.
    pub keep: u32,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            size: 8 << 20,
            keep: 12,
        }
    }
}

impl Rotation {
    /// Parses the operator's file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rotation: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        match (rotation.size, rotation.keep) {
            (..SIZE_MIN, _) => Err(format!("size must be {SIZE_MIN} bytes or more")),
            (_, 0) => Err("keep must be 1 or more".to_owned()),
            _ => Ok(rotation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_by_default() {
        assert_eq!(Rotation::parse("").unwrap(), Rotation::default());
        let rotation = Rotation::parse("keep = 3").unwrap();
        assert_eq!((rotation.size, rotation.keep), (8 << 20, 3));
    }

    #[test]
    fn a_trail_that_could_hold_nothing_is_an_error() {
        for text in ["size = 4095", "keep = 0", "keep = -1", "sise = 5000", "x"] {
            assert!(Rotation::parse(text).is_err(), "{text}");
        }
    }
}
