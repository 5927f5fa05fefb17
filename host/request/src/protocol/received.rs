//! A document together with its text.

use super::{NetworkDocument, ProtocolError, SetupDocument};

/// A document as it came, and what stands in it. Drivers get the text too, byte
/// for byte.
#[derive(Debug, Clone)]
pub struct Received<T> {
    text: String,
    document: T,
}

impl<T> Received<T> {
    /// The text that came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands in it.
    pub fn document(&self) -> &T {
        &self.document
    }

    fn new(name: &'static str, input: &[u8], document: T) -> Result<Self, ProtocolError> {
        // Parsing passes over the fields that nobody knows.
        let text = str::from_utf8(input).map_err(|error| ProtocolError::NotUtf8 {
            document: name,
            error,
        })?;
        Ok(Self {
            text: text.to_owned(),
            document,
        })
    }
}

impl Received<SetupDocument> {
    /// Parses the input of `setup` and `teardown`.
    ///
    /// # Errors
    ///
    /// It's no such document, or not UTF-8.
    pub fn setup(input: &[u8]) -> Result<Self, ProtocolError> {
        let name = "setup";
        let document = serde_json::from_slice(input).map_err(|error| ProtocolError::Malformed {
            document: name,
            error,
        })?;
        Self::new(name, input, document)
    }
}

impl Received<NetworkDocument> {
    /// Parses the input of `create`.
    ///
    /// # Errors
    ///
    /// It's no such document, or not UTF-8.
    pub fn network(input: &[u8]) -> Result<Self, ProtocolError> {
        Self::new("network", input, NetworkDocument::parse(input)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETUP: &str = r#"{"container_id":"c","network":{"name":"n","id":"i","driver":"d"},
        "network_options":{"interface_name":"eth0"},"later":"KEY"}"#;

    #[test]
    fn the_text_stays_as_it_came() {
        let received = Received::setup(SETUP.as_bytes()).unwrap();
        assert_eq!(received.text(), SETUP);
        assert_eq!(received.document().container_id, "c");
        let network = r#" {"driver":"d" ,"id":"i","name":"n","new":1.50}"#;
        let received = Received::network(network.as_bytes()).unwrap();
        assert_eq!(received.text(), network);
        assert_eq!(received.document().network().name, "n");
    }

    #[test]
    fn what_is_no_utf8_is_refused_wherever_it_stands() {
        for place in ["KEY", "c\"", "eth0"] {
            let mut input = SETUP.as_bytes().to_vec();
            let at = SETUP.find(place).unwrap();
            input[at] = 0xff;
            let error = Received::setup(&input).unwrap_err().to_string();
            assert!(error.contains("not a valid setup document"), "{error}");
        }
        let input = b"{\"name\":\"n\",\"id\":\"i\",\"driver\":\"d\",\"later\":\"\xff\"}";
        let error = Received::network(input).unwrap_err().to_string();
        assert!(error.contains("not a valid network document"), "{error}");
    }
}
