//! What is left of a body when the answer is known: a connection can be used again only when all of
//! a request was read, and a client that is still sending may never see an answer that came early.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use futures::StreamExt;
use hyper::body::Frame;
use parking_lot::Mutex;

/// How much of a body is read that nobody wants.
const BYTES_MAX: usize = 1 << 20;
/// How long it is waited for.
const TIME_MAX: Duration = Duration::from_secs(2);

/// A body that is read by whoever has the other half, and whose rest can be taken back.
#[derive(Debug)]
pub(crate) struct Leftover(Arc<Mutex<Body>>);

/// The half that is read.
struct Lent(Arc<Mutex<Body>>);

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.0.lock().size_hint()
    }
}

/// The body to be read, and the way to what is left of it.
pub(crate) fn lend(body: Body) -> (Body, Leftover) {
    let shared = Arc::new(Mutex::new(body));
    (Body::new(Lent(Arc::clone(&shared))), Leftover(shared))
}

impl Leftover {
    /// Reads what is left, within bounds. Whether that is all.
    pub(crate) async fn read(self) -> bool {
        let body = std::mem::take(&mut *self.0.lock());
        if body.is_end_stream() {
            return true;
        }
        let mut pieces = body.into_data_stream();
        let reading = async {
            let mut bytes = 0;
            while bytes <= BYTES_MAX {
                match pieces.next().await {
                    Some(Ok(piece)) => bytes += piece.len(),
                    Some(Err(_)) => return false,
                    None => return true,
                }
            }
            false
        };
        tokio::time::timeout(TIME_MAX, reading).await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest_after(read: usize, pieces: usize) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let piece = Ok::<_, std::convert::Infallible>(Bytes::from(vec![0; 64 << 10]));
            let all = futures::stream::iter(std::iter::repeat_n(piece, pieces));
            let (body, leftover) = lend(Body::from_stream(all));
            let mut stream = body.into_data_stream();
            for _ in 0..read {
                stream.next().await.expect("a piece").expect("a good one");
            }
            leftover.read().await
        })
    }

    #[test]
    fn a_little_is_read_to_its_end_and_much_is_not() {
        assert!(rest_after(0, 0) && rest_after(0, 3) && rest_after(3, 3));
        assert!(!rest_after(0, 64) && rest_after(60, 64));
    }
}
