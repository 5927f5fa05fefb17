//! WireGuard keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A Curve25519 key or a preshared key: 32 bytes, written in base64. Its debug output
/// hides the bytes, because they may be secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WireguardKey([u8; 32]);

/// A text that isn't a key. The error doesn't repeat it, because it may be a secret.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error(
    "the text is not a WireGuard key: write 44 characters of base64, as `wg genkey` prints them"
)]
pub struct InvalidKey;

impl WireguardKey {
    /// Returns the key's bytes.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Returns the text of a public key.
    pub fn to_public_text(self) -> String {
        STANDARD.encode(self.0)
    }
}

impl From<[u8; 32]> for WireguardKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for WireguardKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let bytes = STANDARD.decode(text).map_err(|_| InvalidKey)?;
        bytes.try_into().map(Self).map_err(|_| InvalidKey)
    }
}

impl fmt::Debug for WireguardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireguardKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_and_keeps_to_itself() {
        let text = "YAnz5TF+lXXJte14tji3zlMNftqCFsxyBk7sJ5Yj7HQ=";
        let key: WireguardKey = text.parse().unwrap();
        assert_eq!(key.to_public_text(), text);
        assert_eq!(format!("{key:?}"), "WireguardKey(…)");
        for wrong in ["", "AAAA", &text[1..], &format!("{text}\n")] {
            let error = wrong.parse::<WireguardKey>().unwrap_err();
            assert!(wrong.is_empty() || !error.to_string().contains(wrong));
        }
    }
}
