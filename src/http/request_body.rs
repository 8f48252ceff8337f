//! A request's body: its codings, a cap on its length and a deadline for the whole of it.
//!
//! hyper puts no time limit on a body. Frames are copied into one buffer, so that a client cannot make the
//! server hold a page of memory for every byte that it sends.
//!
//! 1. A transfer coding other than one `chunked`: 501, and the connection closes, since another server may see the request
//!    end elsewhere (RFC 9112, 6.1 and 7).
//! 2. A content coding other than `identity`: 415 with Accept-Encoding (RFC 9110, 8.4 and 15.5.16).
//! 3. A length over the cap, announced or received: 413.
//! 4. Incomplete at the deadline: 408.
//! 5. Broken off or badly chunked: 400.

use super::Problem;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, TRANSFER_ENCODING};
use http_body::Body;
use http_body_util::BodyExt;
use std::pin::{Pin, pin};
use std::time::Duration;

/// Rule 1.
pub(super) fn check_transfer_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(line) = lines.next() else { return Ok(()) };
    let is_chunked = line.to_str().is_ok_and(|line| line.trim().eq_ignore_ascii_case("chunked"));
    if is_chunked && lines.next().is_none() { Ok(()) } else { Err(Problem::TransferCoding) }
}

/// Rule 2.
pub(super) fn check_content_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    let mut codings = lines.flat_map(|line| line.to_str().unwrap_or("?").split(',')).map(str::trim);
    if codings.all(is_plain) { Ok(()) } else { Err(Problem::ContentCoding) }
}

/// A body that is read only if its handler gets that far.
pub(super) struct UnreadBody<'a>(Option<BodyFuture<'a>>);

type BodyFuture<'a> = Pin<Box<dyn Future<Output = Result<Bytes, Problem>> + Send + 'a>>;

impl<'a> UnreadBody<'a> {
    /// A body of at most `cap` bytes that must be complete `timeout` after reading began. With a cap of 0 it is never read.
    pub(super) fn new<B>(body: B, cap: usize, timeout: Duration) -> Self
    where
        B: Body<Data = Bytes> + Send + 'a,
    {
        let is_read = cap > 0 && !body.is_end_stream();
        Self(is_read.then(|| Box::pin(read(body, cap, timeout)) as BodyFuture<'a>))
    }

    /// Whether there is nothing to read.
    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    pub(super) async fn read(self) -> Result<Bytes, Problem> {
        match self.0 {
            Some(body) => body.await,
            None => Ok(Bytes::new()),
        }
    }
}

async fn read<B>(body: B, cap: usize, timeout: Duration) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes>,
{
    if usize::try_from(body.size_hint().lower()).map_or(true, |least| least > cap) {
        return Err(Problem::TooLarge(cap));
    }
    let gather = async {
        let mut body = pin!(body);
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return Err(Problem::BadBody("the body broke off".to_owned())) };
            let Ok(piece) = frame.into_data() else { continue };
            if whole.len() + piece.len() > cap {
                return Err(Problem::TooLarge(cap));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(timeout, gather).await.unwrap_or(Err(Problem::TooSlow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;
    use http_body::Frame;
    use http_body_util::Full;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// Frames, then silence or a failure.
    struct Frames(Vec<&'static str>, bool);

    impl Body for Frames {
        type Data = Bytes;
        type Error = &'static str;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            match self.0.pop() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece))))),
                None if self.1 => Poll::Ready(Some(Err("gone"))),
                None => Poll::Pending,
            }
        }
    }

    const TIMEOUT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_body_up_to_the_cap_is_read() {
        let body = Full::new(Bytes::from_static(b"12345"));
        assert_eq!(read(body, 5, TIMEOUT).await.unwrap(), "12345");
    }

    #[tokio::test]
    async fn an_announced_length_over_the_cap_is_rejected_before_reading() {
        let body = Full::new(Bytes::from_static(b"123456"));
        assert!(matches!(read(body, 5, TIMEOUT).await, Err(Problem::TooLarge(5))));
    }

    #[tokio::test]
    async fn an_unannounced_length_over_the_cap_is_rejected_when_it_is_reached() {
        assert!(matches!(
            read(Frames(vec!["456", "123"], false), 5, TIMEOUT).await,
            Err(Problem::TooLarge(5))
        ));
    }

    #[tokio::test]
    async fn a_body_that_stalls_times_out() {
        assert!(matches!(read(Frames(vec!["1"], false), 5, TIMEOUT).await, Err(Problem::TooSlow)));
    }

    #[tokio::test]
    async fn a_broken_body_is_a_bad_request() {
        assert!(matches!(read(Frames(vec!["1"], true), 5, TIMEOUT).await, Err(Problem::BadBody(_))));
    }

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_only_transfer_coding_is_chunked() {
        for good in [&[][..], &["chunked"], &["Chunked"], &[" chunked\t"]] {
            assert!(check_transfer_coding(&headers(TRANSFER_ENCODING, good)).is_ok(), "{good:?}");
        }
        for bad in [&["gzip, chunked"][..], &["chunked, chunked"], &["chunked", "chunked"], &["gzip"], &[""]]
        {
            assert!(check_transfer_coding(&headers(TRANSFER_ENCODING, bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_content_coding_is_rejected() {
        for good in [&[][..], &["identity"], &["Identity, identity"], &[""]] {
            assert!(check_content_coding(&headers(CONTENT_ENCODING, good)).is_ok(), "{good:?}");
        }
        for bad in [&["gzip"][..], &["identity", "br"], &["identity, gzip"], &["x"], &["\u{e9}"]] {
            assert!(check_content_coding(&headers(CONTENT_ENCODING, bad)).is_err(), "{bad:?}");
        }
    }
}
