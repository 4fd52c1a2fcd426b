//! The one HTTP client.

use std::time::Duration;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("the request failed: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Sends requests.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client that follows no redirects.
    pub fn new() -> Result<Self, ClientError> {
        Self::with_timeout(TIMEOUT)
    }

    /// The same, for answers that may take as long as this.
    pub fn with_timeout(timeout: Duration) -> Result<Self, ClientError> {
        let builder = reqwest::Client::builder();
        let client = builder
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self(client))
    }

    /// Sends a request, and reads its whole answer.
    pub async fn send(
        &self,
        (method, url): (&str, &str),
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<Reply, ClientError> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let mut request = self.0.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let pairs = response.headers().iter();
        let headers = pairs
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        let body = response.bytes().await?.to_vec();
        Ok(Reply {
            status,
            headers,
            body,
        })
    }

    /// Posts a body with headers; returns the status.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<u16, ClientError> {
        Ok(self.send(("POST", url), headers, body).await?.status)
    }
}
