//! The arguments of a line.

use core::str::FromStr;

use wasmvark_guest::types::Error;

/// What a line has, or a word that stands for a record.
pub(crate) struct Arguments<'a> {
    rest: &'a str,
    /// What stood at the end as `KEY=VALUE`.
    keys: Vec<(&'a str, &'a str)>,
    /// Whether it is a word, whose parts have commas between them.
    is_word: bool,
}

/// A value that the words of a line stand for.
pub(crate) trait Read: Sized {
    /// The keys of a record's fields that may be left out.
    const KEYS: &'static [&'static str] = &[];

    fn read(arguments: &mut Arguments<'_>) -> Result<Self, Error>;
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self {
            rest: line.trim(),
            keys: Vec::new(),
            is_word: false,
        }
    }

    /// The next word, where there is one. `""` stands for an empty one.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let is_end = |c: char| match self.is_word {
            true => c == ',',
            false => c.is_whitespace(),
        };
        let (word, rest) = self.rest.split_once(is_end).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        match word {
            "" => None,
            "\"\"" => Some(""),
            word => Some(word),
        }
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> Result<&'a str, Error> {
        self.next().ok_or_else(|| invalid("an argument is missing"))
    }

    /// The next word; `-` stands for none, and so does the end.
    pub(crate) fn optional(&mut self) -> Option<&'a str> {
        self.next().filter(|word| *word != "-")
    }

    /// A value.
    pub(crate) fn read<T: Read>(&mut self) -> Result<T, Error> {
        T::read(self)
    }

    /// A value that may be left out.
    pub(crate) fn read_optional<T: Read>(&mut self) -> Result<Option<T>, Error> {
        self.optional().map(of_word).transpose()
    }

    /// A record that is left out with all of its fields.
    pub(crate) fn read_record<T: Read>(&mut self) -> Result<Option<T>, Error> {
        let has_key = self.keys.iter().any(|(key, _)| T::KEYS.contains(key));
        match self.rest {
            "" if !has_key => Ok(None),
            rest if rest == "-" || rest.starts_with("- ") => {
                self.next();
                Ok(None)
            }
            _ => self.read().map(Some),
        }
    }

    /// All that's left, each word a value.
    pub(crate) fn read_all<T: Read>(&mut self) -> Result<Vec<T>, Error> {
        core::iter::from_fn(|| self.next()).map(of_word).collect()
    }

    /// Takes what stands at the end with one of these keys. A key alone stands for
    /// `KEY=on`.
    pub(crate) fn take_keys(&mut self, known: &[&str]) {
        loop {
            let word = self.rest.rsplit(char::is_whitespace).next();
            let word = word.unwrap_or_default();
            let (key, value) = word.split_once('=').unwrap_or((word, "on"));
            if !known.contains(&key) {
                break;
            }
            self.keys.push((key, value));
            let rest = self.rest.strip_suffix(word).unwrap_or_default();
            self.rest = rest.trim_end();
        }
        self.keys.reverse();
    }

    /// A record's field that may be left out.
    pub(crate) fn field<T: Read>(&mut self, key: &str) -> Result<Option<T>, Error> {
        match self.is_word {
            true => self.read_optional(),
            false => self.values(key).next().map(of_word).transpose(),
        }
    }

    /// A record's field that is off where it's left out.
    pub(crate) fn flag(&mut self, key: &str) -> Result<bool, Error> {
        Ok(self.field(key)?.unwrap_or_default())
    }

    /// A record's list: the key as often as wanted.
    pub(crate) fn list<T: Read>(&self, key: &str) -> Result<Vec<T>, Error> {
        self.values(key).map(of_word).collect()
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let pairs = self.keys.iter().filter(move |(its, _)| *its == key);
        pairs.map(|(_, value)| *value)
    }

    /// All that's left, spaces and all.
    pub(crate) fn rest(&mut self) -> &'a str {
        core::mem::take(&mut self.rest)
    }

    /// All that's left as a text.
    pub(crate) fn text(&mut self) -> &'a str {
        match self.rest() {
            "\"\"" => "",
            text => text,
        }
    }

    /// All that's left as bytes; `*N` stands for N zeros.
    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        let text = self.rest();
        match text.strip_prefix('*') {
            Some(count) => Ok(vec![0; number(count)?]),
            None => Ok(text.as_bytes().to_vec()),
        }
    }

    /// Whether what's left begins with a character.
    pub(crate) fn peek(&self, first: char) -> bool {
        self.rest.starts_with(first)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(invalid(&format!("too many arguments: {}", self.rest)))
    }
}

/// The value that a word stands for: of a record, the fields with commas between
/// them.
fn of_word<T: Read>(word: &str) -> Result<T, Error> {
    let mut arguments = Arguments {
        is_word: true,
        ..Arguments::new(word)
    };
    let value = arguments.read()?;
    arguments.end()?;
    Ok(value)
}

impl Read for String {
    fn read(arguments: &mut Arguments<'_>) -> Result<Self, Error> {
        arguments.word().map(str::to_owned)
    }
}

impl Read for bool {
    fn read(arguments: &mut Arguments<'_>) -> Result<Self, Error> {
        match arguments.word()? {
            "on" => Ok(true),
            "off" => Ok(false),
            word => Err(not_of("on or off", word)),
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Read for $number {
            fn read(arguments: &mut Arguments<'_>) -> Result<Self, Error> {
                number(arguments.word()?)
            }
        })*
    };
}

numbers!(u8, u16, u32, u64, i32, usize);

/// A word as a number.
pub(crate) fn number<T: FromStr>(word: &str) -> Result<T, Error> {
    word.parse()
        .map_err(|_| invalid(&format!("not a number: {word}")))
}

/// A word that is none of those that may stand there.
pub(crate) fn not_of(words: &str, word: &str) -> Error {
    invalid(&format!("{words}, not {word}"))
}

/// A mistake in the script.
pub(crate) fn invalid(text: &str) -> Error {
    Error::Invalid(format!("probe: {text}"))
}

#[cfg(test)]
mod tests {
    use wasmvark_guest::links::{VfVlan, VlanOptions};
    use wasmvark_guest::routes::RouteOptions;
    use wasmvark_guest::wireguard::Peer;

    use super::*;

    /// A record, read as the last parameter of a call.
    fn read<T: Read + core::fmt::Debug>(line: &str) -> String {
        let mut arguments = Arguments::new(line);
        arguments.take_keys(T::KEYS);
        let read = arguments.read_record::<T>();
        match read.and_then(|value| arguments.end().map(|()| value)) {
            Ok(value) => format!("{value:?}"),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn fields_are_words_and_keys() {
        let vlan = read::<VlanOptions>("5 dot1ad mtu=1400 mac=aa");
        let expected = "id: 5, protocol: VlanProtocol::Dot1ad, mac: Some(\"aa\"), mtu: Some(1400)";
        assert!(vlan.contains(expected), "{vlan}");
        let vlan = read::<VlanOptions>("5 dot1q");
        assert!(vlan.contains("mac: None, mtu: None"), "{vlan}");
        for (line, error) in [
            ("5", "an argument is missing"),
            ("5 dot1q colour=red", "too many arguments: colour=red"),
            ("5 dot1x", "dot1q or dot1ad, not dot1x"),
            ("5 dot1q mtu=much", "not a number: much"),
        ] {
            let vlan = read::<VlanOptions>(line);
            assert!(vlan.contains(&format!("probe: {error}")), "{vlan}");
        }
    }

    #[test]
    fn a_record_may_be_left_out() {
        assert_eq!(read::<VfVlan>(""), "None");
        assert_eq!(read::<VfVlan>("-"), "None");
        assert_eq!(read::<RouteOptions>(""), "None");
        let vlan = read::<VfVlan>("7 3 dot1q");
        assert!(vlan.contains("id: 7, qos: 3"), "{vlan}");
        assert!(read::<VfVlan>("7").contains("missing"));
    }

    #[test]
    fn records_in_words_have_commas_between_their_fields() {
        let line = "on-link next-hops=10.0.0.1,-,2 next-hops=-,eth0,1,on";
        let options = read::<RouteOptions>(line);
        let first = "gateway: Some(\"10.0.0.1\"), link: None, weight: 2, on-link: false";
        let second = "gateway: None, link: Some(\"eth0\"), weight: 1, on-link: true";
        let (one, two) = (options.find(first), options.find(second));
        assert!(one.is_some() && one < two, "{options}");
        assert!(options.contains("on-link: true, next-hops"), "{options}");
        let wrong = read::<RouteOptions>("next-hops=10.0.0.1,-,2,on,more");
        assert!(wrong.contains("too many arguments: more"), "{wrong}");
    }

    #[test]
    fn a_word_may_look_like_a_key() {
        let peer = read::<Peer>("AQE= endpoint=fd00::1,51820 allowed-ips=10.0.0.0/8");
        let expected = "public-key: \"AQE=\", preshared-key: None";
        assert!(peer.contains(expected), "{peer}");
        assert!(peer.contains("address: \"fd00::1\", port: 51820"), "{peer}");
        assert!(peer.contains("allowed-ips: [\"10.0.0.0/8\"]"), "{peer}");
    }

    #[test]
    fn all_that_is_left_is_a_text_or_bytes() {
        assert_eq!(Arguments::new("two words").text(), "two words");
        assert_eq!(Arguments::new("\"\"").text(), "");
        assert_eq!(Arguments::new("a b").bytes().ok(), Some(b"a b".to_vec()));
        assert_eq!(Arguments::new("*3").bytes().ok(), Some(vec![0; 3]));
    }
}
