//! A keep-alive HTTP/1.1 connection, as thin as a load generator wants it.

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection, one request at a time.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// A header's value; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A request's bytes; `headers` are whole lines, each ended by CRLF.
#[must_use]
pub fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

impl Connection {
    /// Connects to `127.0.0.1:port` or another loopback address.
    pub async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a request and waits for its answer.
    pub async fn send(&mut self, request: &str) -> Result<Response> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the connection was closed before an answer");
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head.get(9..12).and_then(|digits| digits.parse().ok());
        let mut response = Response {
            status: status.context("no status line")?,
            head,
            body: Vec::new(),
        };
        if response.header("transfer-encoding") == Some("chunked") {
            response.body = self.chunks(head_end).await?;
            return Ok(response);
        }
        let length = response
            .header("content-length")
            .and_then(|text| text.parse().ok());
        let whole = head_end + length.unwrap_or(0);
        while self.buffer.len() < whole {
            self.more().await?;
        }
        response.body = self.buffer[head_end..whole].to_vec();
        Ok(response)
    }

    /// A body in chunks (RFC 9112, section 7.1), from where it begins in the buffer.
    async fn chunks(&mut self, mut at: usize) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[at..], b"\r\n") {
                    break at + end;
                }
                self.more().await?;
            };
            let digits = std::str::from_utf8(&self.buffer[at..line])?;
            let size = usize::from_str_radix(digits.split(';').next().unwrap_or_default(), 16)?;
            let (begin, end) = (line + 2, line + 2 + size);
            while self.buffer.len() < end + 2 {
                self.more().await?;
            }
            body.extend_from_slice(&self.buffer[begin..end]);
            if size == 0 {
                return Ok(body);
            }
            at = end + 2;
        }
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the connection was closed within an answer");
        }
        Ok(())
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
