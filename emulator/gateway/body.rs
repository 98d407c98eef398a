//! Bodies, coming in and going out. Coming in: bounded in size and in time, and read to the end. Going out: bytes in
//! memory, or a file sent in pieces. What is in a body is the endpoints' business.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use environment::ActionError;
use futures_util::{Stream, stream};
use http_body_util::{BodyExt, Full};
use hyper::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a sender may say nothing in the middle of a body.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// How much of a body nobody wants is read away, for how long, and with how long a silence in it, so that the client sees
/// its answer and no reset.
const DRAIN_BYTES: usize = 256 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(10);
const DRAIN_SILENCE: Duration = Duration::from_secs(1);

/// The piece of a file that is read at once.
const PIECE: usize = 64 << 10;

/// A response of the gateway.
pub(crate) type Answer = hyper::Response<AnswerBody>;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the request body exceeds {} MB", .limit >> 20)]
    TooLarge { limit: usize },
    #[error("the request body stopped: nothing came for {} seconds", .0.as_secs())]
    Silent(Duration),
    #[error("the request body ended early: {0}")]
    Broken(String),
}

impl From<BodyError> for ActionError {
    fn from(error: BodyError) -> ActionError {
        match error {
            BodyError::TooLarge { limit } => ActionError::body_too_large(limit),
            BodyError::Silent(_) | BodyError::Broken(_) => ActionError::invalid_param(error.to_string()),
        }
    }
}

/// The body of a request, read at most once.
#[derive(Debug)]
pub(crate) struct RequestBody {
    incoming: Incoming,
    /// The client waits for word before it sends. Reading says "go on".
    expects_word: bool,
    /// Nothing more will come: it ended or failed.
    over: bool,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, headers: &HeaderMap) -> RequestBody {
        let over = incoming.is_end_stream();
        RequestBody { incoming, expects_word: headers.contains_key(EXPECT), over }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The sender went silent or away. Nothing comes after an error.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        self.expects_word = false;
        while !self.over {
            let frame = match timeout(SILENCE_LIMIT, self.incoming.frame()).await {
                Ok(frame) => frame.transpose().map_err(|error| BodyError::Broken(error.to_string())),
                Err(_) => Err(BodyError::Silent(SILENCE_LIMIT)),
            };
            self.over = !matches!(frame, Ok(Some(_))) || self.incoming.is_end_stream();
            match frame?.map(Frame::into_data) {
                Some(Ok(data)) => return Ok(Some(data)),
                Some(Err(_trailers)) => {}
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The pieces as a stream. It ends after an error.
    pub(crate) fn chunks(&mut self) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + '_ {
        stream::try_unfold(self, |body| async move { Ok(body.chunk().await?.map(|chunk| (chunk, body))) })
    }

    /// The whole body, up to `limit` bytes. Copies nothing when it came in one piece.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<Bytes, BodyError> {
        let announced = usize::try_from(self.incoming.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(BodyError::TooLarge { limit });
        }
        let Some(first) = self.chunk().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.chunk().await? else { return Ok(first) };
        let mut whole = Vec::with_capacity(announced.max(first.len() + second.len()));
        whole.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if whole.len() + chunk.len() > limit {
                return Err(BodyError::TooLarge { limit });
            }
            whole.extend_from_slice(&chunk);
            next = self.chunk().await?;
        }
        Ok(Bytes::from(whole))
    }

    /// Reads away what nobody has read, within bounds. A client that still waits for word is not told to send it.
    pub(crate) async fn drain(&mut self) {
        if self.over || self.expects_word {
            return;
        }
        let deadline = Instant::now() + DRAIN_TIME;
        let mut drained = 0;
        while drained < DRAIN_BYTES {
            match timeout_at(deadline.min(Instant::now() + DRAIN_SILENCE), self.chunk()).await {
                Ok(Ok(Some(chunk))) => drained += chunk.len(),
                Ok(Ok(None) | Err(_)) | Err(_) => return,
            }
        }
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    Bytes(Full<Bytes>),
    File(FilePiece),
}

impl Default for AnswerBody {
    fn default() -> AnswerBody {
        AnswerBody::Bytes(Full::default())
    }
}

impl From<Vec<u8>> for AnswerBody {
    fn from(bytes: Vec<u8>) -> AnswerBody {
        AnswerBody::Bytes(Full::new(Bytes::from(bytes)))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            AnswerBody::Bytes(bytes) => Pin::new(bytes).poll_frame(context).map_err(|never| match never {}),
            AnswerBody::File(file) => file.poll_piece(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Bytes(bytes) => bytes.is_end_stream(),
            AnswerBody::File(file) => file.remaining == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Bytes(bytes) => bytes.size_hint(),
            AnswerBody::File(file) => SizeHint::with_exact(file.remaining),
        }
    }
}

/// `remaining` bytes of a file from where it stands. A file that turns out shorter is an error: the length is promised.
#[derive(Debug)]
pub(crate) struct FilePiece {
    file: File,
    remaining: u64,
    /// Waits here while a read is under way.
    buffer: Vec<u8>,
}

impl FilePiece {
    pub(crate) fn new(file: File, remaining: u64) -> FilePiece {
        FilePiece { file, remaining, buffer: Vec::new() }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        if self.buffer.is_empty() {
            let wanted = usize::try_from(self.remaining).unwrap_or(PIECE).min(PIECE);
            self.buffer = vec![0; wanted];
        }
        let mut read = ReadBuf::new(&mut self.buffer);
        if let Err(error) = ready!(Pin::new(&mut self.file).poll_read(context, &mut read)) {
            return Poll::Ready(Some(Err(error)));
        }
        let length = read.filled().len();
        if length == 0 {
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        let mut piece = std::mem::take(&mut self.buffer);
        piece.truncate(length);
        self.remaining = self.remaining.saturating_sub(length as u64);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(piece)))))
    }
}
