//! A body while it is sent. The rows that are still to be written, and their share of the memory
//! for answers, are kept until the client has read them, but not for one that does not.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use parking_lot::Mutex;
use tokio::task::JoinHandle;

/// About how long a piece of a body is.
const PIECE_BYTES: usize = 64 << 10;
/// How long a client may read nothing.
pub(super) const STALL_MAX: Duration = Duration::from_secs(60);

/// What is still to be sent.
struct Rest<W, H> {
    /// Nothing, when the client was given up.
    writing: Mutex<Option<(W, H)>>,
    pieces: AtomicU64,
}

/// Gives a client up that does not read, for as long as this is held.
struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Watch {
    fn start<W, H>(rest: &Arc<Rest<W, H>>, stall: Duration) -> Self
    where
        W: Send + 'static,
        H: Send + 'static,
    {
        let rest: Weak<Rest<W, H>> = Arc::downgrade(rest);
        Self(tokio::spawn(async move {
            let mut seen = 0;
            loop {
                tokio::time::sleep(stall).await;
                let Some(rest) = rest.upgrade() else { return };
                let pieces = rest.pieces.load(Ordering::Relaxed);
                if pieces == seen {
                    tracing::info!("a client does not read its answer, and was given up");
                    drop(rest.writing.lock().take());
                    return;
                }
                seen = pieces;
            }
        }))
    }
}

/// The pieces of a body: `write` writes a little more of it and says whether there may be more.
/// `held` is dropped with the last of it. When none is taken for as long as `stall`, or twice that,
/// the rest is dropped, and the body ends with an error.
pub(super) fn pieces<W, H>(
    stall: Duration,
    held: H,
    write: W,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static
where
    W: FnMut(&mut Vec<u8>) -> bool + Send + 'static,
    H: Send + 'static,
{
    let rest = Rest { writing: Mutex::new(Some((write, held))), pieces: AtomicU64::new(0) };
    let start = Some((Arc::new(rest), None));
    futures::stream::unfold(start, move |state| async move {
        let (rest, watch): (_, Option<Watch>) = state?;
        let Some((piece, is_more)) = next(&rest) else {
            return Some((Err(io::ErrorKind::TimedOut.into()), None));
        };
        // Most bodies are one piece, and need no watch.
        let state = is_more.then(|| {
            let watch = watch.unwrap_or_else(|| Watch::start(&rest, stall));
            (rest, Some(watch))
        });
        Some((Ok(piece), state))
    })
}

fn next<W: FnMut(&mut Vec<u8>) -> bool, H>(rest: &Rest<W, H>) -> Option<(Bytes, bool)> {
    let mut writing = rest.writing.lock();
    let (write, _) = writing.as_mut()?;
    let mut piece = Vec::with_capacity(PIECE_BYTES + 4096);
    let mut is_more = true;
    while is_more && piece.len() < PIECE_BYTES {
        is_more = write(&mut piece);
    }
    if !is_more {
        *writing = None;
    }
    rest.pieces.fetch_add(1, Ordering::Relaxed);
    Some((Bytes::from(piece), is_more))
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_client_that_reads_nothing_holds_nothing() {
        let (held, is_held) = oneshot::channel::<()>();
        let endless = |to: &mut Vec<u8>| {
            to.extend_from_slice(&[b'x'; 4096]);
            true
        };
        let mut body = Box::pin(pieces(Duration::from_millis(1), held, endless));
        assert!(body.next().await.is_some_and(|piece| piece.is_ok()));
        is_held.await.expect_err("it is dropped without being sent");
        let error = body.next().await.expect("not a good end").expect_err("cut short");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(body.next().await.is_none());
    }

    #[tokio::test]
    async fn what_is_held_goes_with_the_last_piece() {
        let (held, mut is_held) = oneshot::channel::<()>();
        let mut left = 40;
        let forty = move |to: &mut Vec<u8>| {
            to.extend_from_slice(&[b'x'; 4096]);
            left -= 1;
            left > 0
        };
        let mut body = Box::pin(pieces(STALL_MAX, held, forty));
        let mut bytes = 0;
        for is_last in [false, false, true] {
            let piece = body.next().await.expect("a piece").expect("a good one");
            bytes += piece.len();
            let is_dropped = is_held.try_recv() == Err(oneshot::error::TryRecvError::Closed);
            assert_eq!(is_dropped, is_last);
        }
        assert_eq!(bytes, 40 * 4096);
        assert!(body.next().await.is_none());
    }
}
