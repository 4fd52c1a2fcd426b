//! The one HTTP client.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Bytes of the longest answer that is read.
const ANSWER_MAX: usize = 16 * 1024 * 1024;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It was not sent, or not answered.
    #[error("the request failed: {0}")]
    Failed(#[from] reqwest::Error),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The answer is too long.
    #[error("the answer is longer than {ANSWER_MAX} bytes")]
    TooLong,
}

impl ClientError {
    /// Whether the answer did not come in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_timeout())
    }
}

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

/// TLS by rustls and ring, with the roots that this machine trusts.
fn tls() -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(provider);
    Ok(builder
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
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
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
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
        let mut response = request.send().await?;
        let status = response.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let pairs = response.headers().iter();
        let headers = pairs
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await? {
            body.extend(&part);
            if body.len() > ANSWER_MAX {
                return Err(ClientError::TooLong);
            }
        }
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
