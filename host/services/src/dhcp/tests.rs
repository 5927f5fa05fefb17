//! Tests of the client against a proxy in this process.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use super::fake_proxy::{Answer, FakeProxy, Reply};
use super::wire::Lease as Message;
use super::*;

/// A time that is far enough for every answer.
fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn request() -> LeaseRequest {
    LeaseRequest {
        host_link: "host0".parse().unwrap(),
        container_link: "eth0".parse().unwrap(),
        container_mac: "02:00:00:00:00:0A".parse().unwrap(),
        domain: None,
        host_name: Some("web".to_owned()),
        netns: "/run/netns/web".into(),
        container: "0123456789abcdef".to_owned().try_into().unwrap(),
    }
}

/// A lease as the proxy of netavark 1.14 sends it.
fn message() -> Message {
    Message {
        lease_time: 120,
        mtu: 1400,
        domain_name: String::new(),
        mac_address: "02:00:00:00:00:0a".to_owned(),
        is_v6: false,
        yiaddr: "192.0.2.50".to_owned(),
        subnet_mask: "255.255.255.0".to_owned(),
        dns_servers: vec!["192.0.2.1".to_owned(), "192.0.2.2".to_owned()],
        gateways: vec!["192.0.2.1".to_owned()],
        ntp_servers: vec!["192.0.2.3".to_owned()],
        host_name: "web".to_owned(),
    }
}

fn lease(reply: Reply) -> Result<Lease, DhcpError> {
    let fake = FakeProxy::start(reply);
    let result = DhcpProxy::at(fake.socket()).lease(&request(), later());
    fake.seen();
    result
}

/// Returns the fault of an answer that must be refused.
fn fault(answer: Answer) -> String {
    match lease(Reply::Http(answer)) {
        Err(DhcpError::Malformed { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

/// Returns the fault of a lease that a change made wrong.
fn wrong(change: impl FnOnce(&mut Message)) -> String {
    let mut message = message();
    change(&mut message);
    fault(Answer::lease(&message))
}

#[test]
fn a_lease_is_asked_for_as_the_protocol_wants() {
    let fake = FakeProxy::start(Reply::Http(Answer::lease(&message())));
    let proxy = DhcpProxy::at(fake.socket());
    let lease = proxy.lease(&request(), later()).unwrap();
    assert_eq!(
        lease,
        Lease {
            address: "192.0.2.50/24".parse().unwrap(),
            gateways: vec!["192.0.2.1".parse().unwrap()],
            dns_servers: vec!["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()],
            ntp_servers: vec!["192.0.2.3".parse().unwrap()],
            domain: None,
            host_name: Some("web".to_owned()),
            mtu: Some(1400),
            lease_time: Some(Duration::from_secs(120)),
        }
    );
    let seen = fake.seen().unwrap();
    assert_eq!(seen.path, "/netavark_proxy.NetavarkProxy/Setup");
    assert_eq!(seen.headers["content-type"], "application/grpc");
    assert_eq!(seen.headers["te"], "trailers");
    assert_eq!(seen.message.host_iface, "host0");
    assert_eq!(seen.message.container_iface, "eth0");
    assert_eq!(seen.message.container_mac_addr, "02:00:00:00:00:0a");
    assert_eq!(seen.message.domain_name, "");
    assert_eq!(seen.message.host_name, "web");
    assert_eq!(seen.message.ns_path, "/run/netns/web");
    assert_eq!(seen.message.container_id, "0123456789abcdef");
}

#[test]
fn a_lease_that_was_not_there_is_released() {
    let fake = FakeProxy::start(Reply::Http(Answer::message(&[])));
    let proxy = DhcpProxy::at(fake.socket());
    proxy.release(&request(), later()).unwrap();
    let path = fake.seen().unwrap().path;
    assert_eq!(path, "/netavark_proxy.NetavarkProxy/Teardown");
}

#[test]
fn an_error_of_the_proxy_is_plain_and_says_what_to_do() {
    let answer = Answer::error("10", "no%20offer%0A%1B[2J%FF");
    let error = lease(Reply::Http(answer)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "netavark's DHCP proxy gave no lease to eth0 over host0: ABORTED: no \
         offer\u{fffd}\u{fffd}[2J\u{fffd}; check that a DHCP server on that network has a free \
         address"
    );
    let error = lease(Reply::Http(Answer::error("2", "File exists"))).unwrap_err();
    assert!(error.to_string().ends_with(
        "UNKNOWN: File exists; `journalctl --unit netavark-dhcp-proxy` shows the proxy's log"
    ));
}

#[test]
fn a_refused_release_names_the_address() {
    let fake = FakeProxy::start(Reply::Http(Answer::error("99", "")));
    let proxy = DhcpProxy::at(fake.socket());
    let error = proxy.release(&request(), later()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "netavark's DHCP proxy didn't release the lease of 02:00:00:00:00:0a: status 99; the DHCP \
         server keeps the address until the lease ends"
    );
}

#[test]
fn a_long_error_is_cut() {
    let text: &'static str = "x".repeat(10_000).leak();
    match lease(Reply::Http(Answer::error("13", text))) {
        Err(DhcpError::NoLease { status, .. }) => assert!(status.message().len() < 5000),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_headers_of_an_answer_are_bounded() {
    let text: &'static str = "x".repeat(20_000).leak();
    let error = lease(Reply::Http(Answer::error("13", text))).unwrap_err();
    assert!(matches!(error, DhcpError::Broken { .. }), "{error}");
}

#[test]
fn an_error_behind_a_message_counts() {
    let mut answer = Answer::lease(&message());
    answer.trailers = vec![("grpc-status", "13"), ("grpc-message", "late")];
    let error = lease(Reply::Http(answer)).unwrap_err();
    assert!(error.to_string().contains(": INTERNAL: late; "), "{error}");
}

#[test]
fn an_answer_has_at_most_64_kib() {
    let name = |length| Message {
        host_name: "x".repeat(length),
        ..message()
    };
    let fits = lease(Reply::Http(Answer::lease(&name(65_000)))).unwrap();
    assert_eq!(fits.host_name, None);
    for length in [grpc::MESSAGE_MAX, 1 << 20] {
        let fault = fault(Answer::lease(&name(length)));
        assert!(fault.starts_with("more than 65536 bytes"), "{fault}");
    }
}

#[test]
fn an_answer_that_is_not_grpc_is_refused() {
    let answer = || Answer::lease(&message());
    let page = Answer {
        head: vec![("content-type", "text/html")],
        ..answer()
    };
    assert_eq!(fault(page), "the content isn't application/grpc");
    let missing = Answer {
        status: 404,
        ..answer()
    };
    assert_eq!(fault(missing), "HTTP status 404 Not Found");
    for trailers in [vec![], vec![("grpc-status", "zero")]] {
        let mute = Answer {
            trailers,
            ..answer()
        };
        assert_eq!(fault(mute), "no gRPC status");
    }
}

#[test]
fn a_frame_is_one_whole_message() {
    let frame = |bytes: &[u8]| Answer {
        body: Some(bytes.to_vec()),
        ..Answer::message(&[])
    };
    assert_eq!(fault(frame(&[])), "no message");
    assert_eq!(fault(frame(&[0, 0, 0, 0])), "no message");
    assert_eq!(fault(frame(&[1, 0, 0, 0, 0])), "a compressed message");
    for bytes in [
        [0, 0, 0, 0, 2, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 255, 255, 255, 255, 0],
    ] {
        assert_eq!(fault(frame(&bytes)), "a message of the wrong length");
    }
    let garbage = fault(Answer::message(&[0xff; 20]));
    assert!(garbage.starts_with("no lease: "), "{garbage}");
}

#[test]
fn a_lease_without_a_usable_address_is_refused() {
    for address in [
        "",
        "0.0.0.0",
        "127.0.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "2001:db8::1",
    ] {
        let fault = wrong(|lease| lease.yiaddr = address.to_owned());
        assert_eq!(fault, format!("the address {address:?}"));
    }
    for mask in ["", "0.0.0.0", "255.0.255.0", "24"] {
        let fault = wrong(|lease| lease.subnet_mask = mask.to_owned());
        assert_eq!(fault, format!("the subnet mask {mask:?}"));
    }
    assert_eq!(
        wrong(|lease| lease.is_v6 = true),
        "a lease of IPv6 where IPv4 was asked for"
    );
    assert_eq!(
        wrong(|lease| lease.mac_address = "02:00:00:00:00:0b".to_owned()),
        "the lease of 02:00:00:00:00:0b instead of 02:00:00:00:00:0a"
    );
}

#[test]
fn the_options_of_a_lease_are_checked() {
    assert_eq!(wrong(|lease| lease.mtu = 67), "the MTU 67");
    assert_eq!(wrong(|lease| lease.mtu = 65_536), "the MTU 65536");
    assert_eq!(
        wrong(|lease| lease.domain_name = "a\nnameserver".to_owned()),
        "the domain \"a\u{fffd}nameserver\""
    );
    assert_eq!(
        wrong(|lease| lease.gateways.push("x".repeat(1000))),
        format!("the address \"{} …\"", "x".repeat(64))
    );
    assert_eq!(
        wrong(|lease| lease.dns_servers = vec!["192.0.2.1".to_owned(); 64]),
        "64 DNS servers, of which 63 are allowed"
    );
}

#[test]
fn absent_options_are_absent() {
    let bare = Message {
        yiaddr: "192.0.2.50".to_owned(),
        subnet_mask: "255.255.255.255".to_owned(),
        lease_time: u32::MAX,
        ..Message::default()
    };
    assert_eq!(
        lease(Reply::Http(Answer::lease(&bare))).unwrap(),
        Lease {
            address: "192.0.2.50/32".parse().unwrap(),
            gateways: vec![],
            dns_servers: vec![],
            ntp_servers: vec![],
            domain: None,
            host_name: None,
            mtu: None,
            lease_time: None,
        }
    );
}

#[test]
fn a_proxy_that_never_answers_ends_with_the_deadline() {
    let fake = FakeProxy::start(Reply::Nothing);
    let proxy = DhcpProxy::at(fake.socket());
    let soon = Instant::now() + Duration::from_millis(100);
    let error = proxy.lease(&request(), soon).unwrap_err();
    assert!(matches!(error, DhcpError::Deadline { .. }), "{error}");
    assert!(Instant::now() >= soon);
    // The end of the connection tells the proxy to give up.
    fake.seen();
}

#[test]
fn nothing_is_asked_after_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let error = DhcpProxy::at(socket).lease(&request(), Instant::now());
    assert!(
        matches!(error, Err(DhcpError::Deadline { .. })),
        "{error:?}"
    );
}

#[test]
fn a_connection_that_breaks_is_an_error() {
    for reply in [
        Reply::Close,
        Reply::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ] {
        let error = lease(reply).unwrap_err();
        assert!(matches!(error, DhcpError::Broken { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with("the connection to netavark's DHCP proxy at "),
            "{text}"
        );
    }
}

#[test]
fn a_socket_without_a_proxy_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let proxy = DhcpProxy::at(socket.clone());
    let missing = proxy.lease(&request(), later()).unwrap_err();
    // A proxy that was killed leaves the file of its socket.
    drop(UnixListener::bind(&socket).unwrap());
    let stale = proxy.release(&request(), later()).unwrap_err();
    for (error, cause) in [(missing, "No such file"), (stale, "Connection refused")] {
        let text = error.to_string();
        let start = format!(
            "can't connect to netavark's DHCP proxy at {}: {cause}",
            socket.display()
        );
        assert!(text.starts_with(&start), "{text}");
        assert!(matches!(error, DhcpError::Unreachable { .. }));
    }
}

#[test]
fn the_hint_depends_on_the_user() {
    let text = |kind: std::io::ErrorKind, rootless| {
        let socket = DEFAULT_SOCKET.into();
        let error = kind.into();
        let error = DhcpError::Unreachable {
            socket,
            error,
            rootless,
        };
        error.to_string()
    };
    let missing = std::io::ErrorKind::NotFound;
    assert!(
        text(missing, false).ends_with("; run `systemctl enable --now netavark-dhcp-proxy.socket`")
    );
    assert!(text(missing, true).contains("rootful Podman"));
    let closed = text(std::io::ErrorKind::PermissionDenied, false);
    assert!(closed.ends_with("run Podman as root"), "{closed}");
}

#[test]
fn a_path_that_means_another_namespace_to_the_proxy_is_refused() {
    let proxy = DhcpProxy::default();
    for path in [
        "",
        "netns/web",
        "/proc/self/ns/net",
        "/proc/thread-self/ns/net",
    ] {
        let request = LeaseRequest {
            netns: path.into(),
            ..request()
        };
        let error = proxy.lease(&request, later()).unwrap_err();
        assert!(matches!(error, DhcpError::NetnsPath { .. }), "{error}");
    }
}
