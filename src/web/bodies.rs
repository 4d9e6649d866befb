//! [`Bodies`]: reads requests' bodies, within a time each and within a memory that all share.
//!
//! A caller that sends slowly, or half of what it announced, delays only itself.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What bodies may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyLimits {
    /// The largest body, in bytes.
    pub largest: u32,
    /// The memory of all bodies whose requests are not answered yet, in bytes.
    pub together: usize,
    /// How long a body may be on its way.
    pub within: Duration,
}

/// Reads bodies. Clones share the memory.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    limits: BodyLimits,
    memory: Arc<Semaphore>,
}

/// A body that was read. Its memory is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct ReadBody {
    /// What was sent.
    pub bytes: Bytes,
    memory: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is larger than one may be.
    #[error("the request is too large")]
    TooLarge,
    /// It did not come in time.
    #[error("the request was not sent in time")]
    Slow,
    /// The bodies of others take all memory.
    #[error("the memory for requests is used up by other requests")]
    Full,
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
}

impl Bodies {
    /// Nothing is read yet.
    pub(crate) fn new(limits: BodyLimits) -> Self {
        Self { limits, memory: Arc::new(Semaphore::new(limits.together)) }
    }

    /// The largest body, in bytes.
    pub(crate) const fn largest(&self) -> u32 {
        self.limits.largest
    }

    /// Reads a body to its end.
    ///
    /// # Errors
    /// If it is too large or too slow, or there is no memory for it now.
    pub(crate) async fn read<B>(&self, body: B) -> Result<ReadBody, BodyError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        if body.size_hint().lower() > u64::from(self.limits.largest) {
            return Err(BodyError::TooLarge);
        }
        let read = tokio::time::timeout(self.limits.within, self.collect(body)).await;
        read.unwrap_or(Err(BodyError::Slow))
    }

    async fn collect<B>(&self, mut body: B) -> Result<ReadBody, BodyError>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (mut bytes, mut memory) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_broken| BodyError::Broken)?.into_data() else { continue };
            let length = u32::try_from(data.len()).map_err(|_wider| BodyError::TooLarge)?;
            let read = u32::try_from(bytes.len()).map_err(|_wider| BodyError::TooLarge)?;
            if read.saturating_add(length) > self.limits.largest {
                return Err(BodyError::TooLarge);
            }
            let more = Arc::clone(&self.memory).try_acquire_many_owned(length);
            let more = more.map_err(|_none_left| BodyError::Full)?;
            match &mut memory {
                Some(memory) => memory.merge(more),
                None => memory = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(ReadBody { bytes: bytes.freeze(), memory })
    }
}

impl ReadBody {
    /// The bytes, and what gives their memory back when it is dropped.
    pub(crate) fn into_parts(self) -> (Bytes, Option<OwnedSemaphorePermit>) {
        (self.bytes, self.memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use futures::{StreamExt, stream};
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    const LIMITS: BodyLimits = BodyLimits { largest: 8, together: 10, within: Duration::from_secs(30) };

    fn frame(bytes: &'static [u8]) -> Result<Frame<Bytes>, Infallible> {
        Ok(Frame::data(Bytes::from_static(bytes)))
    }

    #[tokio::test]
    async fn a_body_is_read_and_its_memory_released() {
        let bodies = Bodies::new(LIMITS);
        for _ in 0..3 {
            let parts = StreamBody::new(stream::iter([frame(b"{\"a\""), frame(b":1}")]));
            assert_eq!(bodies.read(parts).await.unwrap().bytes, b"{\"a\":1}".as_slice());
        }
    }

    #[tokio::test]
    async fn a_too_large_body_is_refused_before_and_while_it_is_read() {
        let bodies = Bodies::new(LIMITS);
        let announced = bodies.read(Full::new(Bytes::from_static(&[0; 9]))).await;
        assert_eq!(announced.unwrap_err(), BodyError::TooLarge);
        let parts = StreamBody::new(stream::iter([frame(&[0; 5]), frame(&[0; 5])]));
        assert_eq!(bodies.read(parts).await.unwrap_err(), BodyError::TooLarge);
    }

    #[tokio::test]
    async fn the_memory_is_shared() {
        let bodies = Bodies::new(LIMITS);
        let first = bodies.read(Full::new(Bytes::from_static(&[0; 8]))).await.unwrap();
        let second = || bodies.read(Full::new(Bytes::from_static(&[0; 4])));
        assert_eq!(second().await.unwrap_err(), BodyError::Full);
        drop(first);
        assert!(second().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_incomplete_body_times_out() {
        let bodies = Bodies::new(LIMITS);
        let half = StreamBody::new(stream::iter([frame(b"{")]).chain(stream::pending()));
        assert_eq!(bodies.read(half).await.unwrap_err(), BodyError::Slow);
        // What it had taken is there for others again.
        assert!(bodies.read(Full::new(Bytes::from_static(&[0; 8]))).await.is_ok());
    }
}
