//! The change of one call in a driver's grant, for `grant` and `revoke`.

use policy::{Call, Edit, Grant, GrantError, Reach, ReachKey, line};

use super::{CliError, output};
use crate::store::{DriverName, Store};

/// The arguments of `grant` and `revoke`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The driver's name
    pub(super) name: DriverName,
    /// The call, such as links.get
    pub(super) call: Call,
    /// A link of the host by name, "container:NAME" for one of the container's,
    /// "*" or "container:*" for all; this and the options below can be repeated
    #[arg(long, value_name = "PATTERN")]
    link: Vec<String>,
    /// Where on the host new links may be: "host" for a container's own, "shared"
    /// for those that all containers of a network share
    #[arg(long, value_name = "PLACE")]
    place: Vec<String>,
    /// A subnet that contains the addresses, or "*"
    #[arg(long, value_name = "NETWORK")]
    address: Vec<String>,
    /// A subnet that contains the destinations of routes, or "*"
    #[arg(long, value_name = "NETWORK")]
    destination: Vec<String>,
    /// The number of a routing table of the host, or "*"
    #[arg(long, value_name = "NUMBER")]
    table: Vec<String>,
    /// VLAN ids, such as 7 or 10-20, or "*"
    #[arg(long, value_name = "NUMBERS")]
    vlan: Vec<String>,
    /// VXLAN ids (VNIs), such as 7 or 10-20, or "*"
    #[arg(long, value_name = "NUMBERS")]
    vni: Vec<String>,
    /// A kernel setting, in which "*" stands for one part of the name
    #[arg(long, value_name = "PATTERN")]
    key: Vec<String>,
    /// The name of a secret, or "*"
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,
    /// Ports of the host, such as 8080/tcp or 8000-8100/udp, or "*"
    #[arg(long, value_name = "PORTS")]
    port: Vec<String>,
}

impl Arguments {
    /// Returns the patterns, each with its key.
    pub(super) fn patterns(&self) -> Vec<(ReachKey, &str)> {
        let of = |key| match key {
            ReachKey::Link => &self.link,
            ReachKey::Place => &self.place,
            ReachKey::Address => &self.address,
            ReachKey::Destination => &self.destination,
            ReachKey::Table => &self.table,
            ReachKey::Vlan => &self.vlan,
            ReachKey::Vni => &self.vni,
            ReachKey::Key => &self.key,
            ReachKey::Secret => &self.secret,
            ReachKey::Port => &self.port,
        };
        let keys = ReachKey::ALL.into_iter();
        keys.flat_map(|key| of(key).iter().map(move |text| (key, text.as_str())))
            .collect()
    }

    /// Checks that the call takes reach of the given kinds.
    pub(super) fn check_keys(&self) -> Result<(), CliError> {
        for (key, _) in self.patterns() {
            self.call.check_reach_key(key)?;
        }
        Ok(())
    }
}

/// A driver's grant in its file.
pub(super) struct Granted {
    text: String,
    /// The parsed text.
    pub(super) grant: Grant,
}

impl Granted {
    /// Reads the grant of a driver.
    pub(super) fn find(store: &Store, name: &DriverName) -> Result<Self, CliError> {
        let path = store.layout().grant(name);
        let text = store.grant_text(name)?.ok_or_else(|| GrantError::Missing {
            driver: name.to_string(),
            path: path.clone(),
        })?;
        let grant = Grant::parse(name.as_str(), &path, &text)?;
        Ok(Self { text, grant })
    }

    /// Gives a call this reach, or removes the call. Shows the call's line before and
    /// after.
    pub(super) fn change(
        &self,
        store: &Store,
        name: &DriverName,
        call: Call,
        reach: Option<&Reach>,
    ) -> Result<(), CliError> {
        let path = self.grant.path();
        let had = self.grant.calls().get(&call);
        if had == reach {
            return output::text(&format!("{} has this already.\n", path.display()));
        }
        let mut edit = Edit::new(path, &self.text)?;
        match reach {
            Some(reach) => edit.set_call(call, reach)?,
            None => edit.remove_call(call)?,
        }
        let text = edit.text();
        // The edited text must still be a valid grant, with exactly this reach.
        let now = Grant::parse(name.as_str(), path, &text)?;
        if now.calls().get(&call) != reach {
            return Err(CliError::NotEdited {
                call,
                path: path.to_owned(),
            });
        }
        store.change_grant(name, &text)?;
        let shown = |mark: char, reach: Option<&Reach>| {
            let line = reach.map(|reach| format!("{mark} {}\n", line(call, reach)));
            line.unwrap_or_default()
        };
        let (before, after) = (shown('-', had), shown('+', reach));
        output::text(&format!("{}:\n{before}{after}", path.display()))
    }
}
