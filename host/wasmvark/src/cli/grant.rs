//! `wasmvark grant` and `wasmvark revoke`: one call of a driver's grant.

use engine::driver::Description;
use policy::{Call, Edit, Grant, GrantError, Reach, ReachKey, line};

use super::{CliError, output};
use crate::store::{DriverName, Store};

/// The arguments of both.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The driver's name
    name: DriverName,
    /// The call, as in links.get
    call: Call,
    /// A link of the host by name, "container:NAME" for one of the container's,
    /// "*" or "container:*" for all; may be given more than once, as all of these
    #[arg(long, value_name = "PATTERN")]
    link: Vec<String>,
    /// Where on the host new links may be: "host" for one container's, "shared" for
    /// those of all containers of a network
    #[arg(long, value_name = "PLACE")]
    place: Vec<String>,
    /// A network that addresses come from, or "*"
    #[arg(long, value_name = "NETWORK")]
    address: Vec<String>,
    /// A network that routes lead to, or "*"
    #[arg(long, value_name = "NETWORK")]
    destination: Vec<String>,
    /// The number of a routing table of the host's, or "*"
    #[arg(long, value_name = "NUMBER")]
    table: Vec<String>,
    /// Numbers of VLANs, as in 7 or 10-20, or "*"
    #[arg(long, value_name = "NUMBERS")]
    vlan: Vec<String>,
    /// Numbers of VXLANs, as in 7 or 10-20, or "*"
    #[arg(long, value_name = "NUMBERS")]
    vni: Vec<String>,
    /// A kernel setting, in which "*" stands for a part
    #[arg(long, value_name = "PATTERN")]
    key: Vec<String>,
    /// The name of a secret, or "*"
    #[arg(long, value_name = "NAME")]
    secret: Vec<String>,
    /// Ports of the host, as in 8080/tcp or 8000-8100/udp, or "*"
    #[arg(long, value_name = "PORTS")]
    port: Vec<String>,
}

impl Arguments {
    /// The patterns, each with its key.
    fn patterns(&self) -> Vec<(ReachKey, &str)> {
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

    fn check_keys(&self) -> Result<(), CliError> {
        for (key, _) in self.patterns() {
            self.call.check_reach_key(key)?;
        }
        Ok(())
    }
}

/// A grant that is there.
struct Granted {
    text: String,
    grant: Grant,
}

/// Lets a driver make a call, or widens its reach.
pub(super) fn give(store: &Store, arguments: &Arguments) -> Result<(), CliError> {
    let Arguments { name, call, .. } = arguments;
    arguments.check_keys()?;
    let mut reach = Reach::default();
    for (key, text) in arguments.patterns() {
        reach.add(key, text)?;
    }
    let _lock = store.lock()?;
    let digest = store.find(name)?.digest;
    let granted = Granted::find(store, name)?;
    granted.grant.check_digest(&digest)?;
    let description = Description::read(&store.component(name, &digest)?)?;
    if !description.can_make(*call) {
        return Err(CliError::NotImported {
            name: name.clone(),
            call: *call,
        });
    }
    let had = granted.grant.calls().get(call);
    let wanted = had.cloned().unwrap_or_default().joined(&reach);
    granted.change(store, name, *call, Some(&wanted))
}

/// Takes a call away from a driver, or narrows its reach.
pub(super) fn take(store: &Store, arguments: &Arguments) -> Result<(), CliError> {
    let Arguments { name, call, .. } = arguments;
    arguments.check_keys()?;
    let _lock = store.lock()?;
    let granted = Granted::find(store, name)?;
    let had = granted.grant.calls().get(call);
    let had = had.ok_or_else(|| CliError::NotListed {
        call: *call,
        path: granted.grant.path().to_owned(),
    })?;
    let patterns = arguments.patterns();
    if patterns.is_empty() {
        return granted.change(store, name, *call, None);
    }
    let less = patterns
        .into_iter()
        .try_fold(had.clone(), |reach, (key, text)| reach.without(key, text))?;
    granted.change(store, name, *call, Some(&less))
}

impl Granted {
    fn find(store: &Store, name: &DriverName) -> Result<Self, CliError> {
        let path = store.layout().grant(name);
        let text = store.grant_text(name)?.ok_or_else(|| GrantError::Missing {
            driver: name.to_string(),
            path: path.clone(),
        })?;
        let grant = Grant::parse(name.as_str(), &path, &text)?;
        Ok(Self { text, grant })
    }

    /// Gives a call this reach or takes it away, and shows its line before and
    /// after.
    fn change(
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
        // It must be a grant still, and say just this.
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
