//! Frames: the private channel between a worker and the emulator, over the worker's standard input and output.
//! A frame is two lengths, a JSON header and a body of bytes. Knows nothing of what the messages make anyone do.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{CallClock, Level};

/// No header or body is longer: a worker that says so has lost its mind.
const PART_BYTES_MAX: u32 = 256 << 20;

/// What the emulator says to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// The first frame: what every call of this worker has in common. No body.
    Boot(Boot),
    /// One call; the body is the event, JSON text.
    Invoke(Box<Invoke>),
}

/// What a worker must know before it can boot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Boot {
    /// The folder of all functions: the worker may read it.
    pub(crate) root: PathBuf,
    /// The folder that holds `node_modules` with the packed packages.
    pub(crate) packed: PathBuf,
    /// The worker's private folder, which user code knows as `/tmp`.
    pub(crate) private: PathBuf,
    /// Whether to load the packed SDK ahead of any call.
    pub(crate) preload: bool,
    /// The process that starts the worker: if that is no longer the parent, the worker ends at once.
    pub(crate) parent: u32,
    /// What the worker writes to its standard error when a call ends, so that whoever reads it knows the end of that call's text.
    pub(crate) marker: String,
}

/// One call of one function.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invoke {
    /// The function's folder; becomes the working folder.
    pub(crate) folder: PathBuf,
    /// The file that exports `main`.
    pub(crate) entry: PathBuf,
    /// The second argument of `main`.
    pub(crate) context: serde_json::Value,
    /// What `process.env` holds during this call, besides the base set.
    pub(crate) environment: BTreeMap<String, String>,
    /// What `Date` shows during this call.
    pub(crate) clock: CallClock,
    /// How much memory the worker may take besides what it had when it booted.
    pub(crate) memory_bytes: u64,
}

/// What a worker says to the emulator.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// Booted: calls are welcome. No body.
    Booted,
    /// User code printed the body: a piece of text, not necessarily a line.
    Printed(Level),
    /// Files of the project that were loaded since the last call, outside the function's own folder too. No body.
    Loaded(Vec<PathBuf>),
    /// `main` returned; the body is JSON text.
    Returned,
    /// User code failed; the body is the message.
    Failed,
    /// The result is longer than allowed. No body.
    TooLarge,
    /// The result is no JSON; the body says why.
    BadResult,
    /// The engine gave up for want of memory; the worker ends. No body.
    OutOfMemory,
    /// The call is over and its worker waits for the next one. No body.
    Idle,
}

/// Writes one frame and flushes.
pub(crate) fn write_frame(writer: &mut impl Write, header: &impl Serialize, body: &[u8]) -> io::Result<()> {
    writer.write_all(&encode(header, body)?)?;
    writer.flush()
}

/// Reads one frame; `None` at the end of the channel.
pub(crate) fn read_frame<H: DeserializeOwned>(reader: &mut impl Read) -> io::Result<Option<(H, Vec<u8>)>> {
    let mut lengths = [0u8; 8];
    match reader.read_exact(&mut lengths) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (header_length, body_length) = parse_lengths(lengths)?;
    let mut header = vec![0; header_length];
    reader.read_exact(&mut header)?;
    let mut body = vec![0; body_length];
    reader.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&header)?, body)))
}

/// [`write_frame`] for the emulator's side.
pub(crate) async fn send_frame<W: AsyncWrite + Unpin>(
    writer: &mut W,
    header: &impl Serialize,
    body: &[u8],
) -> io::Result<()> {
    writer.write_all(&encode(header, body)?).await?;
    writer.flush().await
}

/// [`read_frame`] for the emulator's side. Not safe to cancel: after that the channel is of no use.
pub(crate) async fn receive_frame<H: DeserializeOwned, R: AsyncRead + Unpin>(
    reader: &mut R,
) -> io::Result<Option<(H, Vec<u8>)>> {
    let mut lengths = [0u8; 8];
    match reader.read_exact(&mut lengths).await {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (header_length, body_length) = parse_lengths(lengths)?;
    let mut header = vec![0; header_length];
    reader.read_exact(&mut header).await?;
    let mut body = vec![0; body_length];
    reader.read_exact(&mut body).await?;
    Ok(Some((serde_json::from_slice(&header)?, body)))
}

fn encode(header: &impl Serialize, body: &[u8]) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(header)?;
    let mut frame = Vec::with_capacity(8 + header.len() + body.len());
    frame.extend_from_slice(&length_of(&header)?.to_le_bytes());
    frame.extend_from_slice(&length_of(body)?.to_le_bytes());
    frame.extend_from_slice(&header);
    frame.extend_from_slice(body);
    Ok(frame)
}

fn length_of(part: &[u8]) -> io::Result<u32> {
    u32::try_from(part.len()).ok().filter(|length| *length <= PART_BYTES_MAX).ok_or_else(too_long)
}

fn parse_lengths(lengths: [u8; 8]) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = lengths;
    let header = u32::from_le_bytes([a, b, c, d]);
    let body = u32::from_le_bytes([e, f, g, h]);
    if header > PART_BYTES_MAX || body > PART_BYTES_MAX {
        return Err(too_long());
    }
    Ok((header as usize, body as usize))
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a frame is too long")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written() {
        let mut channel = Vec::new();
        write_frame(&mut channel, &FromWorker::Printed(Level::Warn), "嗨\n".as_bytes()).unwrap();
        write_frame(&mut channel, &FromWorker::Idle, b"").unwrap();
        let mut reader = channel.as_slice();
        let (header, body) = read_frame::<FromWorker>(&mut reader).unwrap().unwrap();
        assert!(matches!(header, FromWorker::Printed(Level::Warn)));
        assert_eq!(body, "嗨\n".as_bytes());
        assert!(matches!(read_frame(&mut reader).unwrap().unwrap(), (FromWorker::Idle, body) if body.is_empty()));
        assert!(read_frame::<FromWorker>(&mut reader).unwrap().is_none());
    }

    #[test]
    fn garbage_is_an_error_and_allocates_nothing() {
        assert!(read_frame::<FromWorker>(&mut [0xff; 64].as_slice()).is_err());
        assert!(read_frame::<FromWorker>(&mut [2, 0, 0, 0, 0, 0, 0, 0, b'{', b'{'].as_slice()).is_err());
    }
}
