//! A proxy for tests: it takes one connection, records the request and gives the
//! answer that the test wants.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;

use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use prost::Message;
use prost::bytes::Bytes;
use tempfile::TempDir;

use super::wire::{Lease, NetworkConfig};

pub(super) type Pairs = Vec<(&'static str, &'static str)>;

/// What the proxy does.
pub(super) enum Reply {
    /// Answers the request.
    Http(Answer),
    /// Writes these bytes at once, in place of HTTP/2.
    Bytes(&'static [u8]),
    /// Ends the connection once it has the request.
    Close,
    /// Never answers.
    Nothing,
}

/// An answer of HTTP/2.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: Pairs,
    /// The frame, if there is one.
    pub(super) body: Option<Vec<u8>>,
    pub(super) trailers: Pairs,
}

impl Answer {
    /// The answer with a lease.
    pub(super) fn lease(lease: &Lease) -> Self {
        Self::message(&lease.encode_to_vec())
    }

    /// The answer with a message of any bytes.
    pub(super) fn message(message: &[u8]) -> Self {
        let length = u32::try_from(message.len()).unwrap();
        let body = [&[0], &length.to_be_bytes()[..], message].concat();
        Self {
            status: 200,
            head: vec![("content-type", "application/grpc")],
            body: Some(body),
            trailers: vec![("grpc-status", "0")],
        }
    }

    /// An error without a message, as tonic sends it.
    pub(super) fn error(code: &'static str, message: &'static str) -> Self {
        Self {
            status: 200,
            head: vec![
                ("content-type", "application/grpc"),
                ("grpc-status", code),
                ("grpc-message", message),
                ("content-length", "0"),
            ],
            body: None,
            trailers: vec![],
        }
    }
}

/// The request that the proxy got.
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) message: NetworkConfig,
}

/// A running proxy.
pub(super) struct FakeProxy {
    folder: TempDir,
    thread: JoinHandle<Option<Seen>>,
}

impl FakeProxy {
    pub(super) fn start(reply: Reply) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("sock")).unwrap();
        let thread = std::thread::spawn(move || {
            let stream = listener.accept().unwrap().0;
            match reply {
                Reply::Bytes(bytes) => write(stream, bytes),
                reply => run(stream, reply),
            }
        });
        Self { folder, thread }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    /// Waits for the end of the connection, and returns the request.
    pub(super) fn seen(self) -> Option<Seen> {
        self.thread.join().unwrap()
    }
}

/// Writes bytes, and reads until the client ends the connection.
fn write(mut stream: UnixStream, bytes: &[u8]) -> Option<Seen> {
    stream.write_all(bytes).unwrap();
    // The client may reset the connection.
    let _end = stream.read_to_end(&mut Vec::new());
    None
}

fn run(stream: UnixStream, reply: Reply) -> Option<Seen> {
    stream.set_nonblocking(true).unwrap();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().build().unwrap();
    runtime.block_on(async { serve(stream.try_into().unwrap(), reply).await })
}

async fn serve(stream: tokio::net::UnixStream, reply: Reply) -> Option<Seen> {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    let (request, respond) = connection.accept().await?.ok()?;
    // The body comes only while somebody polls the connection.
    let driver = tokio::spawn(async move { while let Some(Ok(_)) = connection.accept().await {} });
    let seen = read(request).await;
    let held = match reply {
        Reply::Http(answer) => {
            send(respond, answer);
            None
        }
        Reply::Close => {
            driver.abort();
            None
        }
        // Dropping it would answer with a reset.
        Reply::Nothing | Reply::Bytes(_) => Some(respond),
    };
    let _aborted = driver.await;
    drop(held);
    Some(seen)
}

async fn read(request: Request<RecvStream>) -> Seen {
    let (head, mut body) = request.into_parts();
    let mut frame = Vec::new();
    while let Some(data) = body.data().await {
        frame.extend_from_slice(&data.unwrap());
    }
    let (start, message) = frame.split_at(5);
    let length = u32::try_from(message.len()).unwrap();
    assert_eq!(start, [&[0], &length.to_be_bytes()[..]].concat());
    Seen {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        message: NetworkConfig::decode(message).unwrap(),
    }
}

/// Sends what the client is willing to take: it may reset the stream.
fn send(mut respond: SendResponse<Bytes>, answer: Answer) {
    let mut head = Response::new(());
    *head.status_mut() = answer.status.try_into().unwrap();
    *head.headers_mut() = headers(answer.head);
    let Some(body) = answer.body else {
        respond.send_response(head, true).unwrap();
        return;
    };
    let mut stream = respond.send_response(head, false).unwrap();
    stream.send_data(body.into(), false).unwrap();
    stream.send_trailers(headers(answer.trailers)).unwrap();
}

fn headers(pairs: Pairs) -> HeaderMap {
    let pair = |(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    pairs.into_iter().map(pair).collect()
}
