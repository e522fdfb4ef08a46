//! Bodies of requests: read piece by piece, never slower than a bound, never more than a bound.

use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, header};
use ledgerline_api::code::Code;
use ledgerline_api::object::object;
use serde::de::{Deserialize, DeserializeOwned};
use tokio::time::Sleep;

use crate::error::{Failure, Result};

/// How long a body may pause.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// How long a body may take.
const TIME_MAX: Duration = Duration::from_secs(600);
/// The largest body of a request that brings no events.
const CONTROL_BYTES_MAX: usize = 1 << 20;

/// The pieces of a body, in order.
#[derive(Debug)]
pub(crate) struct Pieces {
    stream: axum::body::BodyDataStream,
    deadline: Pin<Box<Sleep>>,
}

impl Pieces {
    pub(crate) fn new(body: Body) -> Self {
        let deadline = Box::pin(tokio::time::sleep(TIME_MAX));
        Self { stream: body.into_data_stream(), deadline }
    }

    /// The next piece; none at the end.
    ///
    /// # Errors
    /// `request_timeout` when none comes, `invalid_body` when the connection breaks.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        let too_slow = |detail| Failure::new(Code::RequestTimeout, detail);
        let next = tokio::select! {
            next = tokio::time::timeout(IDLE_MAX, self.stream.next()) => next,
            () = &mut self.deadline => {
                let detail = format!("the body took longer than {} seconds", TIME_MAX.as_secs());
                return Err(too_slow(detail));
            }
        };
        match next {
            Err(_) => Err(too_slow(format!("nothing came for {} seconds", IDLE_MAX.as_secs()))),
            Ok(None) => Ok(None),
            Ok(Some(Ok(piece))) => Ok(Some(piece)),
            Ok(Some(Err(_))) => {
                Err(Failure::new(Code::InvalidBody, "the body ended before it was complete"))
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// `body_too_large`, and as [`Pieces::next`].
    pub(crate) async fn whole(self, bytes_max: usize) -> Result<Vec<u8>> {
        self.whole_if(bytes_max, |_| Ok(())).await
    }

    /// The whole body, whose length `may_have` is asked about before more of it is kept.
    ///
    /// # Errors
    /// As [`Pieces::whole`], and what `may_have` says.
    pub(crate) async fn whole_if(
        mut self,
        bytes_max: usize,
        mut may_have: impl FnMut(usize) -> Result<()> + Send,
    ) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            let bytes = whole.len() + piece.len();
            if bytes > bytes_max {
                let detail = format!("the body is longer than {bytes_max} bytes");
                return Err(Failure::new(Code::BodyTooLarge, detail));
            }
            may_have(bytes)?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

/// The media type of a body, in lower case and without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default().split(';').next().unwrap_or_default();
    value.trim().to_ascii_lowercase()
}

/// A small JSON body of a closed shape: unknown fields and fields that come twice are refused.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if media_type(request.headers()) != "application/json" {
            let detail = "the body must be application/json";
            return Err(Failure::new(Code::UnsupportedMediaType, detail));
        }
        if request.headers().contains_key(header::CONTENT_ENCODING) {
            let detail = "the body must not be compressed";
            return Err(Failure::new(Code::UnsupportedEncoding, detail));
        }
        let body = Pieces::new(request.into_body()).whole(CONTROL_BYTES_MAX).await?;
        parse(&body).map(Self)
    }
}

/// A JSON body that may be absent, or `null`.
#[derive(Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let body = Pieces::new(request.into_body()).whole(CONTROL_BYTES_MAX).await?;
        if is_absent(&body) { Ok(Self(T::default())) } else { parse(&body).map(Self) }
    }
}

/// Whether a body that may be left out is.
pub(crate) fn is_absent(body: &[u8]) -> bool {
    body.is_empty() || body.trim_ascii() == b"null"
}

/// Reads a body that is one JSON object.
///
/// # Errors
/// Those of [`unread`].
pub(crate) fn parse<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T> {
    let mut from = serde_json::Deserializer::from_slice(body);
    let read = object(&mut from).and_then(|value| from.end().map(|()| value));
    read.map_err(|error| unread(&error))
}

/// A body that is no JSON, or not what is meant.
pub(crate) fn unread(error: &serde_json::Error) -> Failure {
    let code = match error.classify() {
        serde_json::error::Category::Data => Code::InvalidRequest,
        _ => Code::InvalidJson,
    };
    Failure::new(code, error.to_string())
}
