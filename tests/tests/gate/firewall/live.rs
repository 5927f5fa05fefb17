//! Existing connections when a rule is added. They are cut, and go on if the rule is
//! removed before they time out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use wasmvark_tests::dump::Dump;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Suite;
use wasmvark_tests::netns::Netns;
use wasmvark_tests::patience;

use super::NEEDS;
use super::site::{Container, NEIGHBOUR, assert_clean, at, grant, world};
use crate::probe::Probe;

/// Long enough for a few packets that are sent again.
const SILENCE: Duration = Duration::from_millis(700);
const WAIT: Duration = Duration::from_secs(10);

pub(crate) fn register(suite: &mut Suite) {
    let mut test =
        |name: &str, test: fn()| suite.test(format!("firewall::live-{name}"), NEEDS, test);
    test("connections-are-dropped", dropped);
    test("connections-are-isolated", isolated);
}

/// A connection, from its client to its server.
struct Live {
    client: TcpStream,
    server: TcpStream,
}

impl Live {
    fn open(client: &Netns, (server, address): (&Netns, &str)) -> Self {
        let to: SocketAddr = at(address, 7).parse().unwrap();
        let listener = server.run(|| TcpListener::bind(to).unwrap());
        let client = client.run(|| TcpStream::connect(to).unwrap());
        let (server, _) = listener.accept().unwrap();
        let live = Self { client, server };
        live.passes();
        live
    }

    /// A byte comes through in each direction.
    #[track_caller]
    fn passes(&self) {
        for (mut from, mut to) in [(&self.client, &self.server), (&self.server, &self.client)] {
            from.write_all(b"x").unwrap();
            to.set_read_timeout(Some(patience::of(WAIT))).unwrap();
            to.read_exact(&mut [0]).unwrap();
        }
    }

    /// What its client sends doesn't come through, and does once `end` is done.
    #[track_caller]
    fn waits_for(&self, end: impl FnOnce()) {
        (&self.client).write_all(b"x").unwrap();
        self.server.set_read_timeout(Some(SILENCE)).unwrap();
        let read = (&self.server).read(&mut [0]);
        assert!(read.is_err(), "{read:?} came through");
        end();
        self.server
            .set_read_timeout(Some(patience::of(WAIT)))
            .unwrap();
        (&self.server).read_exact(&mut [0]).unwrap();
        self.passes();
    }
}

fn reaching() -> Grant {
    let links = r#"{ link = ["br1", "br2"] }"#;
    grant()
        .call("links.get", links)
        .call("firewall.isolate", links)
        .call("firewall.drop", r#"{ address = "*" }"#)
}

fn dropped() {
    let world = world();
    let probe = Probe::new(&world, &reaching());
    let before = Dump::of(&world.host);
    let one = Container::new(1, 2);
    one.up(&probe, "");
    let other = Container::new(3, 2);
    for (own, neighbour) in one.addresses().iter().zip(NEIGHBOUR) {
        // The neighbour knows a way from the address that the container sees.
        let outgoing = Live::open(&one.netns, (&world.neighbour, neighbour));
        let local = Live::open(&world.host, (&one.netns, own));
        for (direction, ends, stays) in [
            ("incoming", &local, &outgoing),
            ("outgoing", &outgoing, &local),
        ] {
            other.up_with(
                &probe,
                &format!("firewall.drop {direction} {own} protocol=tcp"),
            );
            stays.passes();
            ends.waits_for(|| other.down(&probe));
        }
    }
    one.down(&probe);
    assert_clean(&probe, &before);
}

fn isolated() {
    let world = world();
    let probe = Probe::new(&world, &reaching());
    let before = Dump::of(&world.host);
    let (one, two) = (Container::new(1, 2), Container::new(2, 2));
    one.up(&probe, "");
    two.up(&probe, "");
    let other = Container::new(3, 2);
    for address in two.addresses() {
        let live = Live::open(&one.netns, (&two.netns, &address));
        let local = Live::open(&world.host, (&two.netns, &address));
        other.up_with(
            &probe,
            "links.get host br1; links.get host br2; firewall.isolate 0 normal; \
             firewall.isolate 1 normal",
        );
        local.passes();
        live.waits_for(|| other.down(&probe));
    }
    one.down(&probe);
    two.down(&probe);
    assert_clean(&probe, &before);
}
