//! A connection whose client must take what it asked for: one that does not read holds memory, and is cut off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How fast an answer must be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// While there is something left to send, at least so many bytes ...
    pub(super) bytes: usize,
    /// ... in every such time.
    pub(super) within: Duration,
}

/// A stream that fails when its other end reads too slowly.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    pace: Pace,
    /// What is done to the stream before it fails.
    give_up: fn(&S),
    /// Runs since a write had to wait; until then the client is not slow.
    window: Option<Pin<Box<Sleep>>>,
    /// What was sent in the window.
    sent: usize,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, pace: Pace, give_up: fn(&S)) -> Self {
        Self { stream, pace, give_up, window: None, sent: 0 }
    }

    /// Judges a write. That one waits is not wrong yet.
    fn judge(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(count)) = &written {
            self.sent += count;
            if self.sent >= self.pace.bytes {
                self.start_window_over();
            }
        }
        if written.is_pending() {
            let window = self.window.get_or_insert_with(|| Box::pin(sleep(self.pace.within)));
            ready!(window.as_mut().poll(context));
            (self.give_up)(&self.stream);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")));
        }
        written
    }

    fn start_window_over(&mut self) {
        self.window = None;
        self.sent = 0;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Hyper flushes when nothing is left to send, so a pause from here on is not the client's.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.start_window_over();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PACE: Pace = Pace { bytes: 100, within: Duration::from_millis(200) };

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_cut_off() {
        let (_client, server) = duplex(10);
        let failure = Paced::new(server, PACE, |_| ()).write_all(&[0; 11]).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn an_answer_that_is_read_byte_by_byte_is_cut_off() {
        let (mut client, server) = duplex(10);
        let mut server = Paced::new(server, PACE, |_| ());
        let dripping = async {
            while client.read_u8().await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let failure = tokio::select! {
            written = server.write_all(&[0; 1000]) => written.unwrap_err(),
            () = dripping => panic!("it went on"),
        };
        assert_eq!(failure.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn an_answer_that_is_read_arrives_whatever_the_pauses_between_two_are() {
        let (mut client, server) = duplex(10);
        let mut server = Paced::new(server, PACE, |_| ());
        for _ in 0..3 {
            let writing = async {
                server.write_all(&[0; 50]).await.unwrap();
                server.flush().await.unwrap();
            };
            let mut answer = [0; 50];
            let (_, read) = tokio::join!(writing, client.read_exact(&mut answer));
            read.unwrap();
            sleep(PACE.within).await;
        }
    }
}
