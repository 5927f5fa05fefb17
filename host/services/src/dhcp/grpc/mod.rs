//! One unary call of gRPC (`doc/PROTOCOL-HTTP2.md` in gRPC) over a Unix socket.

mod frame;
mod status;

use std::io;
use std::path::Path;

use h2::RecvStream;
use h2::client::ResponseFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use prost::Message;
use prost::bytes::Bytes;
use tokio::net::UnixStream;

use super::error::Status;
use super::wire::{Lease, NetworkConfig};
pub(super) use frame::MESSAGE_MAX;

/// The service's name, with its package (`src/proto/proxy.proto` in netavark).
const SERVICE: &str = "netavark_proxy.NetavarkProxy";
/// The media type of gRPC.
const GRPC: &str = "application/grpc";
/// The most bytes of headers that are read.
const HEADERS_MAX: u32 = 16 * 1024;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The socket can't be reached.
    Connect(io::Error),
    /// The connection failed later.
    Broken(h2::Error),
    /// The answer isn't what the protocol allows. The text is the fault.
    Malformed(String),
    /// The answer is an error.
    Status(Status),
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Self {
        Self::Broken(error)
    }
}

/// Calls a method that answers with a lease.
pub(super) async fn call(
    socket: &Path,
    method: &str,
    message: &NetworkConfig,
) -> Result<Lease, Failure> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(Failure::Connect)?;
    let body = frame::wrap(&message.encode_to_vec())?;
    let response = send(stream, method, body).await?.await?;
    let (head, body) = response.into_parts();
    check_head(head.status, &head.headers)?;
    // A status in the head ends an answer without a message.
    status::check_early(&head.headers)?;
    let message = read(body).await?;
    Lease::decode(frame::unwrap(&message)?)
        .map_err(|error| Failure::Malformed(format!("no lease: {error}")))
}

/// Sends a request. The connection lives as a task of the runtime.
async fn send(stream: UnixStream, method: &str, body: Bytes) -> Result<ResponseFuture, Failure> {
    let (client, connection) = h2::client::Builder::new()
        .enable_push(false)
        .max_header_list_size(HEADERS_MAX)
        .handshake(stream)
        .await?;
    // Its errors reach the request as well.
    tokio::spawn(connection);
    let mut client = client.ready().await?;
    let (response, mut sender) = client.send_request(request(method)?, false)?;
    sender.send_data(body, true)?;
    Ok(response)
}

fn request(method: &str) -> Result<Request<()>, Failure> {
    // A Unix socket has no name, but HTTP/2 wants one.
    Request::post(format!("http://localhost/{SERVICE}/{method}"))
        .header(CONTENT_TYPE, GRPC)
        .header("te", "trailers")
        .body(())
        .map_err(|error| Failure::Malformed(error.to_string()))
}

fn check_head(status: StatusCode, headers: &HeaderMap) -> Result<(), Failure> {
    if status != StatusCode::OK {
        return Err(Failure::Malformed(format!("HTTP status {status}")));
    }
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind.is_some_and(|kind| kind.starts_with(GRPC.as_bytes())) {
        return Ok(());
    }
    Err(Failure::Malformed(format!("the content isn't {GRPC}")))
}

/// Reads the message and the status behind it.
async fn read(mut body: RecvStream) -> Result<Vec<u8>, Failure> {
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        if message.len().saturating_add(data.len()) > frame::FRAME_MAX {
            return Err(Failure::Malformed(format!(
                "more than {MESSAGE_MAX} bytes, the most that a lease can have"
            )));
        }
        message.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len())?;
    }
    status::check_last(body.trailers().await?)?;
    Ok(message)
}
