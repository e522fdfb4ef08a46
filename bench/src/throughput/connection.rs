//! A connection that is kept, for requests that are made beforehand: what asks must cost little
//! beside what answers, since both share the machine.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result};

const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
const PIECE_BYTES: usize = 64 << 10;

/// A connection to a server.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// A request as it goes over the wire.
pub(super) fn request(method: &str, path: &str, credential: &str, body: &str) -> Vec<u8> {
    let about = match body {
        "" => String::new(),
        body => format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()),
    };
    let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{about}");
    format!("{head}authorization: Bearer {credential}\r\n\r\n{body}").into_bytes()
}

impl Connection {
    /// Connects to an address such as `http://127.0.0.1:8080`.
    pub(super) fn open(url: &str) -> Result<Self> {
        let stream = TcpStream::connect(url.trim_start_matches("http://"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// Sends a request and reads the answer: its status and its body. A body that comes in chunks
    /// is left so.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8])> {
        self.stream.write_all(request)?;
        self.answer.clear();
        let head = loop {
            self.read()?;
            if let Some(head) = Head::find(&self.answer)? {
                break head;
            }
        };
        while !head.ends(&self.answer) {
            self.read()?;
        }
        Ok((head.status, &self.answer[head.bytes..]))
    }

    fn read(&mut self) -> Result<()> {
        let start = self.answer.len();
        self.answer.resize(start + PIECE_BYTES, 0);
        let bytes = self.stream.read(&mut self.answer[start..])?;
        self.answer.truncate(start + bytes);
        anyhow::ensure!(bytes > 0, "the server closed the connection");
        Ok(())
    }
}

/// What comes before the body of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    bytes: usize,
    /// How long the body is; nothing when it comes in chunks.
    body_bytes: Option<usize>,
}

impl Head {
    /// Reads it, once it has come whole.
    fn find(answer: &[u8]) -> Result<Option<Self>> {
        let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&answer[..end])?;
        let mut lines = text.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let body_bytes = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let status = status.with_context(|| format!("no status in {text}"))?;
        Ok(Some(Self { status, bytes: end + 4, body_bytes }))
    }

    /// Whether the answer has come whole. In JSON no chunk looks like the last one.
    fn ends(&self, answer: &[u8]) -> bool {
        match self.body_bytes {
            Some(bytes) => answer.len() >= self.bytes + bytes,
            None => answer[self.bytes - 2..].ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        let head = Head { status: 201, bytes: answer.len() - 5, body_bytes: Some(5) };
        assert!(head.ends(answer) && !head.ends(&answer[..answer.len() - 1]));
        assert_eq!(Head::find(answer).expect("a head"), Some(head));
        assert_eq!(Head::find(&answer[..30]).expect("no fault"), None);
        assert!(Head::find(b"nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_end_with_an_empty_one() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
        let head = Head::find(answer).expect("a head").expect("whole");
        assert_eq!((head.status, head.body_bytes), (200, None));
        assert!(head.ends(answer) && !head.ends(&answer[..answer.len() - 7]));
        assert!(head.ends(b"HTTP/1.1 200 OK\r\n\r\n0\r\n\r\n"));
    }

    #[test]
    fn a_request_says_how_long_it_is() {
        let text = String::from_utf8(request("POST", "/a", "key", "{}")).expect("text");
        assert!(text.starts_with("POST /a HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("\r\ncontent-length: 2\r\n"), "{text}");
        assert!(text.ends_with("\r\nauthorization: Bearer key\r\n\r\n{}"), "{text}");
    }
}
