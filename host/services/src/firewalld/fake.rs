//! A message bus of the tests' own, and a process on it that answers as firewalld does.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use zbus::message::Type;
use zbus::wire::Variant;
use zbus::{Connection, Message, MessageStream, connection};

use super::{BusAddress, NAME, PATH};

/// firewalld's own error (firewalld.dbus(5)).
pub(super) const EXCEPTION: &str = "org.fedoraproject.FirewallD1.Exception";
/// The error that firewalld 2.3 has for an unknown property, with the beginning of its text.
pub(super) const PYTHON: &str = "org.freedesktop.DBus.Python.dbus.exceptions.DBusException";

/// A deadline that no test reaches unless something hangs.
pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// A message bus in a folder of its own. It ends with this value.
pub(super) struct TestBus {
    daemon: Child,
    folder: TempDir,
}

impl TestBus {
    /// Starts a bus, or returns `None` and says so if there is no `dbus-daemon`.
    pub(super) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bus.conf"), settings(folder.path())).unwrap();
        let mut settings = std::ffi::OsString::from("--config-file=");
        settings.push(folder.path().join("bus.conf"));
        let daemon = Command::new("dbus-daemon")
            .arg(settings)
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut daemon = match daemon {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: dbus-daemon is not installed");
                return None;
            }
            daemon => daemon.unwrap(),
        };
        // The address comes once the bus listens.
        let mut line = String::new();
        let mut output = BufReader::new(daemon.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with("unix:path="), "{line}");
        Some(Self { daemon, folder })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn address(&self) -> BusAddress {
        let path = self.folder.path().join("socket");
        format!("unix:path={}", path.display()).parse().unwrap()
    }
}

impl Drop for TestBus {
    fn drop(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
}

/// Returns the settings of a bus that allows all, and that would start firewalld by
/// touching the file `started`.
fn settings(folder: &Path) -> String {
    let at = folder.display();
    let service = format!("[D-BUS Service]\nName={NAME}\nExec=/usr/bin/touch {at}/started\n");
    fs::write(folder.join(format!("{NAME}.service")), service).unwrap();
    format!(
        "<busconfig><listen>unix:path={at}/socket</listen><servicedir>{at}</servicedir>\
         <policy context='default'><allow own='*'/>\
         <allow send_destination='*'/><allow receive_sender='*'/></policy></busconfig>"
    )
}

/// A connection of a test to the bus, in the place of `firewall-cmd` or of a stranger.
pub(super) struct Client {
    connection: Connection,
    runtime: Runtime,
}

impl Client {
    pub(super) fn connect(bus: &TestBus) -> Self {
        let runtime = runtime();
        Self {
            connection: runtime.block_on(builder(&bus.address()).build()).unwrap(),
            runtime,
        }
    }

    /// Calls a method of firewalld without arguments.
    pub(super) fn call(&self, method: &str) {
        let (to, interface) = (Some(NAME), Some(NAME));
        let call = self
            .connection
            .call_method(to, PATH, interface, method, &());
        self.runtime.block_on(call).unwrap();
    }

    /// Sends `Reloaded` to one process, as firewalld broadcasts it. The bus has passed it
    /// on when this returns.
    pub(super) fn forge_reloaded(&self, to: &str) {
        let forge = self
            .connection
            .emit_signal(Some(to), PATH, NAME, "Reloaded", &());
        self.runtime.block_on(forge).unwrap();
        let bus = "org.freedesktop.DBus";
        let (path, interface) = ("/org/freedesktop/DBus", Some(bus));
        let ask = self
            .connection
            .call_method(Some(bus), path, interface, "GetId", &());
        self.runtime.block_on(ask).unwrap();
    }
}

/// The behaviour of the fake firewalld.
#[derive(Clone)]
pub(super) struct Behaviour {
    /// The value of `StrictForwardPorts`, if it has the setting.
    pub(super) strict: Option<&'static str>,
    /// The sources of each zone.
    pub(super) zones: BTreeMap<&'static str, Vec<String>>,
    /// The method that it never answers.
    pub(super) silent: Option<&'static str>,
    /// The method that it answers with a number.
    pub(super) odd: Option<&'static str>,
    /// The text of its refusal of all changes.
    pub(super) refusal: Option<String>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            strict: Some("no"),
            zones: [("trusted", Vec::new()), ("public", Vec::new())].into(),
            silent: None,
            odd: None,
            refusal: None,
        }
    }
}

/// A fake firewalld on a thread of its own.
pub(super) struct Fake {
    client: Client,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Starts it, and waits until it owns firewalld's name.
    pub(super) fn start(bus: &TestBus, behaviour: Behaviour) -> Self {
        let address = bus.address();
        let (ready, is_ready) = mpsc::channel();
        let thread = std::thread::spawn(move || serve(&address, behaviour, &ready));
        is_ready.recv().unwrap();
        Self {
            client: Client::connect(bus),
            thread: Some(thread),
        }
    }

    /// Forgets the sources and says so, as `firewall-cmd --reload` makes it do.
    pub(super) fn reload(&self) {
        self.client.call("reload");
    }

    /// Ends it, and waits until it doesn't own the name any more.
    pub(super) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.client.call("quit");
            thread.join().unwrap();
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

fn builder(address: &BusAddress) -> connection::Builder<'static> {
    connection::Builder::unix_stream(UnixStream::connect(address.path()).unwrap())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Serves calls until one is `quit`.
fn serve(address: &BusAddress, mut behaviour: Behaviour, ready: &mpsc::Sender<()>) {
    runtime().block_on(async {
        let builder = builder(address);
        let connection = builder.build().await.unwrap();
        let mut messages = MessageStream::from(&connection);
        connection.request_name(NAME).await.unwrap();
        ready.send(()).unwrap();
        while let Some(message) = messages.next().await {
            let message = message.unwrap();
            if message.message_type() != Type::MethodCall {
                continue;
            }
            if !answer(&connection, &mut behaviour, &message).await {
                break;
            }
        }
    });
}

/// The interfaces and sources of each zone.
type Zones = BTreeMap<&'static str, BTreeMap<&'static str, Vec<String>>>;

/// The answer to a call.
enum Answer {
    Nothing,
    Text(String),
    Texts(Vec<String>),
    Boolean(bool),
    Property(String),
    Zones(Zones),
    Error(&'static str, String),
}

/// Answers a call, and returns whether more are served.
async fn answer(connection: &Connection, behaviour: &mut Behaviour, message: &Message) -> bool {
    let header = message.header();
    let method = header.member().unwrap().to_string();
    if behaviour.silent == Some(method.as_str()) {
        return true;
    }
    if behaviour.odd == Some(method.as_str()) {
        connection.reply(&header, &7_u64).await.unwrap();
        return true;
    }
    if method == "quit" {
        connection.release_name(NAME).await.unwrap();
    }
    if method == "reload" {
        behaviour.zones.values_mut().for_each(Vec::clear);
        let signal = connection.emit_signal(None::<&str>, PATH, NAME, "Reloaded", &());
        signal.await.unwrap();
    }
    let sent = match behaviour.answer(&method, message) {
        Answer::Nothing => connection.reply(&header, &()).await,
        Answer::Text(text) => connection.reply(&header, &text).await,
        Answer::Texts(texts) => connection.reply(&header, &texts).await,
        Answer::Boolean(value) => connection.reply(&header, &value).await,
        Answer::Property(value) => connection.reply(&header, &Variant::from(value)).await,
        Answer::Zones(zones) => connection.reply(&header, &zones).await,
        Answer::Error(name, text) => connection.reply_error(&header, name, &text).await,
    };
    sent.unwrap();
    method != "quit"
}

impl Behaviour {
    fn answer(&mut self, method: &str, message: &Message) -> Answer {
        match method {
            "reload" | "quit" => Answer::Nothing,
            "Get" => self.property(&args::<(String, String)>(message).1),
            "getSources" => Answer::Texts(self.zones[args::<String>(message).as_str()].clone()),
            "getActiveZones" => Answer::Zones(self.active()),
            "getZoneOfSource" => Answer::Text(self.zone_of(&args::<String>(message)).to_owned()),
            _ => {
                let (zone, source) = args::<(String, String)>(message);
                self.source(method, &zone, source)
            }
        }
    }

    fn property(&self, name: &str) -> Answer {
        match (name, self.strict) {
            ("state", _) => Answer::Property("RUNNING".to_owned()),
            ("StrictForwardPorts", Some(value)) => Answer::Property(value.to_owned()),
            _ => Answer::Error(
                PYTHON,
                format!(
                    "Traceback (most recent call last):\ndbus.exceptions.DBusException: \
                     org.freedesktop.DBus.Error.InvalidArgs: Property '{name}' does not exist"
                ),
            ),
        }
    }

    fn active(&self) -> Zones {
        let active = self.zones.iter().filter(|(_, sources)| !sources.is_empty());
        let zones = active.map(|(zone, sources)| (*zone, [("sources", sources.clone())].into()));
        zones.collect()
    }

    fn zone_of(&self, source: &str) -> &'static str {
        let has = |sources: &Vec<String>| sources.iter().any(|one| one == source);
        let zone = self.zones.iter().find(|(_, sources)| has(sources));
        zone.map_or("", |(zone, _)| zone)
    }

    fn source(&mut self, method: &str, zone: &str, source: String) -> Answer {
        let there = self.zone_of(&source);
        let refuse = |text: String| Answer::Error(EXCEPTION, text);
        if let Some(text) = &self.refusal {
            return refuse(text.clone());
        }
        let sources = self.zones.get_mut(zone).unwrap();
        match (method, there) {
            ("querySource", there) => Answer::Boolean(there == zone),
            ("addSource", "") => {
                sources.push(source);
                Answer::Text(zone.to_owned())
            }
            ("addSource", there) if there == zone => refuse(format!(
                "ZONE_ALREADY_SET: '{source}' already bound to '{zone}'"
            )),
            ("addSource", _) => {
                refuse(format!("ZONE_CONFLICT: '{source}' already bound to a zone"))
            }
            ("removeSource", "") => {
                refuse(format!("UNKNOWN_SOURCE: '{source}' is not in any zone"))
            }
            ("removeSource", there) if there == zone => {
                sources.retain(|one| *one != source);
                Answer::Text(zone.to_owned())
            }
            ("removeSource", there) => refuse(format!("ZONE_CONFLICT: zos='{there}'")),
            (method, _) => panic!("firewalld has no {method}"),
        }
    }
}

/// Reads the arguments of a call.
fn args<T>(message: &Message) -> T
where
    T: for<'a> zbus::wire::DynamicDeserialize<'a> + Debug,
{
    message.body().deserialize().unwrap()
}
