//! A small HTTP/1.1 client over a plain socket: it sends any bytes it is given, also ones no HTTP library would, and reads
//! answers with a `Content-Length`.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer of the emulator takes longer in these tests.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// One connection to the emulator.
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(port: u16) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { reader: BufReader::new(stream) }
    }

    /// Sends `bytes` as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    /// Like `send`, for a peer that may be gone.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Tells the emulator that nothing more comes.
    pub(crate) fn finish_sending(&mut self) {
        // A peer that has hung up needs no telling.
        let _ = self.reader.get_mut().shutdown(Shutdown::Write);
    }

    /// The next answer, `100 Continue` skipped.
    pub(crate) fn read(&mut self) -> Response {
        self.read_answer(true).expect("the connection ended without an answer")
    }

    /// The next answer, which is one to `HEAD`: it announces a body and has none.
    pub(crate) fn read_head(&mut self) -> Response {
        self.read_answer(false).expect("the connection ended without an answer")
    }

    /// The next answer, or `None` when the connection ends instead.
    pub(crate) fn try_read(&mut self) -> Option<Response> {
        self.read_answer(true)
    }

    /// Whether the emulator closes the connection without another byte.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.reader.read(&mut [0]) {
            Ok(length) => length == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    fn read_answer(&mut self, has_body: bool) -> Option<Response> {
        let status = self.read_line()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.read_line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if status == 100 {
            return self.read_answer(has_body);
        }
        let mut response = Response { status, headers, body: Vec::new() };
        let length = response.header("content-length").map_or(0, |text| text.parse().unwrap());
        response.body.resize(if has_body { length } else { 0 }, 0);
        self.reader.read_exact(&mut response.body).ok()?;
        Some(response)
    }

    fn read_line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end().to_owned())
    }
}

impl Response {
    /// The value of a header, by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `code` of a JSON answer; `None` when it has none.
    pub(crate) fn code(&self) -> Option<String> {
        self.json()["code"].as_str().map(str::to_owned)
    }
}

/// A request as bytes. `Host` is the loopback and the length is announced, unless `headers` says otherwise.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let has = |name: &str| headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !has("host") {
        head.push_str("Host: 127.0.0.1\r\n");
    }
    if !has("content-length") && !has("transfer-encoding") && (!body.is_empty() || method != "GET") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// `pieces` as the chunks of a body with `Transfer-Encoding: chunked`, its end included.
pub(crate) fn chunked<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// A multipart form with the boundary `BOUNDARY`; a part named `file` has a file name too.
pub(crate) fn form(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        let file = if *name == "file" { "; filename=\"f\"\r\nContent-Type: application/octet-stream" } else { "" };
        bytes.extend_from_slice(
            format!("--BOUNDARY\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
        );
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"--BOUNDARY--\r\n");
    bytes
}

/// The content type of `form`.
pub(crate) const FORM: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=BOUNDARY");
