//! A network's file. The first line has the addresses that the server listens on, and
//! the servers that it forwards to. Each further line is a container: its id, its IPv4
//! and IPv6 addresses, its names, and its own servers, which only netavark knows. Fields
//! end with a space, and the values of one field with a comma.

use std::net::IpAddr;

use types::ContainerId;

use super::{DnsName, Registration};

/// The largest file that is read, in bytes. A container takes a few hundred.
pub(super) const FILE_MAX: u64 = 64 << 20;

/// The lines of a network's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NetworkFile {
    header: String,
    containers: Vec<String>,
}

impl NetworkFile {
    /// Reads a file. An empty one is that of a run that was killed before it wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::to_owned);
        let header = lines.next()?;
        Some(Self {
            header,
            containers: lines.filter(|line| !line.is_empty()).collect(),
        })
    }

    /// Returns the file of a network's first container.
    fn begin(registration: &Registration) -> Self {
        let listen = joined(&registration.listen);
        let header = match registration.forward_to.is_empty() {
            true => listen,
            false => format!("{listen} {}", joined(&registration.forward_to)),
        };
        Self {
            header,
            containers: Vec::new(),
        }
    }

    /// Adds a container in the place of an earlier entry. While others are in the file,
    /// its servers are the user's to change (`podman network update`), and the addresses
    /// that it has are in use.
    pub(super) fn with(file: Option<Self>, registration: &Registration) -> Self {
        let id = &registration.record.container;
        let file = file.map(|file| file.without(id));
        let there = file.filter(|file| !file.is_empty());
        let mut file = there.unwrap_or_else(|| Self::begin(registration));
        file.listen_on(&registration.listen);
        file.containers.push(line(registration));
        file
    }

    /// Adds the missing ones of some addresses to those that the server listens on.
    fn listen_on(&mut self, addresses: &[IpAddr]) {
        let (there, servers) = match self.header.split_once(' ') {
            Some((there, servers)) => (there, Some(servers)),
            None => (self.header.as_str(), None),
        };
        let mut all: Vec<String> = there.split(',').map(str::to_owned).collect();
        for address in addresses.iter().map(ToString::to_string) {
            if !all.contains(&address) {
                all.push(address);
            }
        }
        let listen = all.join(",");
        self.header = match servers {
            Some(servers) => format!("{listen} {servers}"),
            None => listen,
        };
    }

    /// Removes a container.
    pub(super) fn without(mut self, container: &ContainerId) -> Self {
        let is_other = |line: &String| line.split(' ').next() != Some(container.as_str());
        self.containers.retain(is_other);
        self
    }

    /// Whether no container is left.
    pub(super) fn is_empty(&self) -> bool {
        self.containers.is_empty()
    }

    /// Returns the file's text.
    pub(super) fn text(&self) -> String {
        let lines = [&self.header].into_iter().chain(&self.containers);
        lines.flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

fn line(registration: &Registration) -> String {
    let of_family = |v4: bool| {
        let addresses = registration.addresses.iter();
        let family: Vec<IpAddr> = addresses.copied().filter(|ip| ip.is_ipv4() == v4).collect();
        joined(&family)
    };
    let names: Vec<&str> = registration.names.iter().map(DnsName::as_str).collect();
    let id = registration.record.container.as_str();
    let (v4, v6) = (of_family(true), of_family(false));
    format!("{id} {v4} {v6} {}", names.join(","))
}

fn joined(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::DnsRecord;

    fn registration(id: &str, names: &[&str]) -> Registration {
        Registration {
            record: DnsRecord {
                folder: "/run/dns".into(),
                network: "net".to_owned(),
                internal: false,
                container: ContainerId::try_from(id.to_owned()).unwrap(),
            },
            listen: vec!["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()],
            forward_to: Vec::new(),
            addresses: vec!["fd00::2".parse().unwrap(), "10.0.0.2".parse().unwrap()],
            names: names
                .iter()
                .map(|name| DnsName::parse(name).unwrap())
                .collect(),
        }
    }

    #[test]
    fn a_file_has_netavarks_form() {
        let mut first = registration("aa", &["web", "w"]);
        first.forward_to = vec!["192.0.2.53".parse().unwrap()];
        let file = NetworkFile::with(None, &first);
        let text = "10.0.0.1,fd00::1 192.0.2.53\naa 10.0.0.2 fd00::2 web,w\n";
        assert_eq!(file.text(), text);
        let mut second = registration("bb", &["db"]);
        second.addresses.clear();
        let file = NetworkFile::with(NetworkFile::parse(text), &second);
        assert_eq!(file.text(), format!("{text}bb   db\n"));
        assert_eq!(NetworkFile::parse(&file.text()), Some(file));
    }

    #[test]
    fn a_container_has_one_line_and_takes_only_its_own_along() {
        // The second line has the first container's id as a name.
        let there = "10.0.0.1\naa 10.0.0.2  web\nbb 10.0.0.3  aa,db 8.8.8.8\n";
        let file = NetworkFile::parse(there).unwrap();
        let again = NetworkFile::with(Some(file.clone()), &registration("aa", &["new"]));
        let expected = "10.0.0.1,fd00::1\nbb 10.0.0.3  aa,db 8.8.8.8\naa 10.0.0.2 fd00::2 new\n";
        assert_eq!(again.text(), expected);
        let id = ContainerId::try_from("aa".to_owned()).unwrap();
        let left = file.without(&id);
        assert_eq!(left.text(), "10.0.0.1\nbb 10.0.0.3  aa,db 8.8.8.8\n");
        let id = ContainerId::try_from("bb".to_owned()).unwrap();
        assert!(left.without(&id).is_empty());
    }

    #[test]
    fn the_first_line_is_new_where_no_other_container_is() {
        let stale = NetworkFile::parse("10.9.9.9\naa 10.9.9.2  web\n");
        let file = NetworkFile::with(stale, &registration("aa", &["web"]));
        assert!(file.text().starts_with("10.0.0.1,fd00::1\n"));
        assert_eq!(NetworkFile::parse(""), None);
    }

    #[test]
    fn names_that_would_end_in_the_file_are_refused() {
        for name in [
            "",
            "a,b",
            "a b",
            "a\nb",
            "a\tb",
            "a\u{a0}b",
            &"x".repeat(254),
        ] {
            DnsName::parse(name).unwrap_err();
        }
        for name in ["web", "my_container.1", "bücher", &"x".repeat(253)] {
            DnsName::parse(name).unwrap();
        }
    }
}
