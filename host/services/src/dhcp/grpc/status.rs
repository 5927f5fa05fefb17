//! The status of a call, which is in the head or behind the message.

use http::HeaderMap;
use percent_encoding::percent_decode;

use super::{Failure, Status};

/// Checks the status in the head of an answer, if it is there already.
pub(super) fn check_early(head: &HeaderMap) -> Result<(), Failure> {
    match head.contains_key("grpc-status") {
        true => check(head),
        false => Ok(()),
    }
}

/// Checks the status behind a message.
pub(super) fn check_last(trailers: Option<HeaderMap>) -> Result<(), Failure> {
    check(&trailers.unwrap_or_default())
}

fn check(headers: &HeaderMap) -> Result<(), Failure> {
    let code = headers.get("grpc-status");
    let code = code.and_then(|code| code.to_str().ok()?.parse().ok());
    match code {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Status(Status::new(code, &message(headers)))),
        None => Err(Failure::Malformed("no gRPC status".to_owned())),
    }
}

fn message(headers: &HeaderMap) -> String {
    let message = headers.get("grpc-message");
    message.map_or_else(String::new, |message| {
        percent_decode(message.as_bytes())
            .decode_utf8_lossy()
            .into_owned()
    })
}
