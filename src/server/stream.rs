//! A socket with deadlines, which hands over one request at a time and closes so that its last answer arrives.

use super::ConnectionLimits;
use super::connections::ConnectionPlace;
use super::framing::{MessagePart, REFUSED};
use bytes::{Buf, BytesMut};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a closing connection still reads what its client sends, and how many bytes at most: an upload of the
/// largest program. Closing a socket with unread bytes resets it, and the reset can overtake the answer (RFC 9112,
/// 9.6).
const MAX_LINGERING: Duration = Duration::from_secs(1);
const MAX_LINGERING_BYTES: usize = 32 * 1024 * 1024;

/// The bytes that a slow client must read in a second.
const MIN_BYTES_PER_SECOND: u64 = 4 * 1024;

/// The stream of one connection.
pub(super) struct ConnectionStream {
    socket: TcpStream,
    place: Arc<ConnectionPlace>,
    limits: ConnectionLimits,
    /// The first byte of an incomplete head: the number of requests before it, and its time.
    head: Option<(u64, Instant)>,
    /// Since when the client has been slow to read, and how many bytes it has read since.
    behind: Option<(Instant, u64)>,
    /// Never fires later than the current deadline. If it fires too early, it is set to the deadline.
    timer: Pin<Box<Sleep>>,
    /// The task that the timer will wake; none if the timer must be polled first.
    sleeper: Option<Waker>,
    lingering: Option<(Instant, usize)>,
    /// The part of a message that the next byte to be handed over belongs to.
    part: MessagePart,
    /// The number of heads whose body's length is known.
    understood: u64,
    /// Bytes that were received together with an earlier request and are not handed over yet.
    held: BytesMut,
}

impl ConnectionStream {
    pub(super) fn new(socket: TcpStream, place: Arc<ConnectionPlace>, limits: ConnectionLimits) -> Self {
        let now = Instant::now();
        let timer = Box::pin(sleep_until(now + limits.header));
        // A connection on which nothing arrives counts as a slow head.
        let (part, held) = (MessagePart::default(), BytesMut::new());
        Self {
            socket,
            place,
            limits,
            head: Some((0, now)),
            behind: None,
            timer,
            sleeper: None,
            lingering: None,
            part,
            understood: 0,
            held,
        }
    }

    /// Receives bytes, or takes bytes that were held back, and hands over no more than one head or body.
    fn receive(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let requests = self.place.activity.requests();
        if self.part.is_unknown() && requests > self.understood {
            self.understood = requests;
            self.part = MessagePart::behind_head(self.place.activity.body_length());
        }
        if self.held.is_empty() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
            let received = buf.filled().get(before..).unwrap_or_default();
            let now = self.part.follow(received);
            self.held.extend_from_slice(received.get(now..).unwrap_or_default());
            buf.set_filled(before + now);
        } else {
            self.hand_over(buf);
        }
        if self.part.is_refused() {
            self.held.clear();
            self.held.extend_from_slice(REFUSED);
            self.part = MessagePart::Unknown;
            self.hand_over(buf);
        }
        Poll::Ready(Ok(()))
    }

    /// Hands over bytes that were held back, up to the end of the current head or body.
    fn hand_over(&mut self, buf: &mut ReadBuf<'_>) {
        let most = self.held.len().min(buf.remaining());
        let now = self.part.follow(self.held.get(..most).unwrap_or_default());
        buf.put_slice(self.held.get(..now).unwrap_or_default());
        self.held.advance(now);
    }

    /// The time by which the next byte must be read. None while an answer is being made.
    fn read_deadline(&self) -> Option<Instant> {
        if self.place.activity.is_answering() {
            return None;
        }
        match self.head {
            Some((after, since)) if after == self.place.activity.requests() => {
                Some(since + self.limits.header)
            }
            _ => Some(self.place.activity.last_moved() + self.limits.idle),
        }
    }

    /// Pending until the deadline, then an error.
    fn wait(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<io::Error> {
        if deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
            self.sleeper = None;
        }
        // Most waits end before the timer fires, so it is not polled anew for each of them.
        if self.sleeper.as_ref().is_some_and(|task| task.will_wake(cx.waker())) && !self.timer.is_elapsed() {
            return Poll::Pending;
        }
        // Without `unconstrained`, a task that has used up its budget would return before the timer knows it.
        while Pin::new(&mut unconstrained(self.timer.as_mut())).poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            self.timer.as_mut().reset(deadline);
        }
        self.sleeper = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The deadline of a slow client. Each [`MIN_BYTES_PER_SECOND`] bytes that it read add a second.
    fn write_deadline(&self, (since, taken): (Instant, u64)) -> Instant {
        since + self.limits.answer + Duration::from_secs(taken / MIN_BYTES_PER_SECOND)
    }

    /// Handles the result of a write of `whole` bytes. A client that does not read all of them gets a deadline.
    fn wrote(
        &mut self,
        written: Poll<io::Result<usize>>,
        whole: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => {
                self.place.start_waiting_for_client();
                let behind = *self.behind.get_or_insert_with(|| (Instant::now(), 0));
                let deadline =
                    self.write_deadline(behind).min(self.place.activity.last_moved() + self.limits.idle);
                self.wait(deadline, cx).map(Err)
            }
            Poll::Ready(Ok(bytes)) if bytes < whole => {
                self.place.activity.touch();
                let Some((since, taken)) = self.behind else { return Poll::Ready(Ok(bytes)) };
                let behind = (since, taken + bytes as u64);
                self.behind = Some(behind);
                // A client that reads steadily, but next to nothing, would never run into the timer.
                let is_late = Instant::now() >= self.write_deadline(behind);
                Poll::Ready(if is_late { Err(io::ErrorKind::TimedOut.into()) } else { Ok(bytes) })
            }
            Poll::Ready(written) => {
                if self.behind.take().is_some() {
                    self.place.stop_waiting_for_client();
                }
                self.place.activity.touch();
                Poll::Ready(written)
            }
        }
    }
}

impl AsyncRead for ConnectionStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let before = buf.filled().len();
        match stream.receive(cx, buf) {
            // At a stop, the connection ends as if the client had closed it. Every request that arrived is answered.
            Poll::Pending if stream.part.is_between() && stream.place.closes_when_idle() => {
                Poll::Ready(Ok(()))
            }
            Poll::Pending => match stream.read_deadline() {
                Some(deadline) => stream.wait(deadline, cx).map(Err),
                None => Poll::Pending,
            },
            done => {
                if buf.filled().len() > before {
                    let now = stream.place.activity.touch();
                    let requests = stream.place.activity.requests();
                    if !stream.place.activity.is_answering()
                        && stream.head.is_none_or(|(after, _)| after != requests)
                    {
                        stream.head = Some((requests, now));
                    }
                }
                done
            }
        }
    }
}

impl AsyncWrite for ConnectionStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = Pin::new(&mut stream.socket).poll_write(cx, buf);
        stream.wrote(written, buf.len(), cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        let written = Pin::new(&mut stream.socket).poll_write_vectored(cx, bufs);
        stream.wrote(written, bufs.iter().map(|buf| buf.len()).sum(), cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    /// Closes our side, then reads until the client has closed its own, for [`MAX_LINGERING`] at most.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let (until, mut left) = match stream.lingering {
            Some(lingering) => lingering,
            None => {
                ready!(Pin::new(&mut stream.socket).poll_shutdown(cx))?;
                (Instant::now() + MAX_LINGERING, MAX_LINGERING_BYTES)
            }
        };
        let mut scrap = [0; 16 * 1024];
        loop {
            let mut buf = ReadBuf::new(&mut scrap);
            match Pin::new(&mut stream.socket).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() && left > buf.filled().len() => {
                    left -= buf.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    stream.lingering = Some((until, left));
                    return stream.wait(until, cx).map(|_| Ok(()));
                }
            }
        }
    }
}
