//! The one HTTP client.

use std::time::Duration;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("the request failed: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Sends requests.
#[derive(Clone, Debug)]
pub struct Client(reqwest::Client);

impl Client {
    /// A client that follows no redirects.
    pub fn new() -> Result<Self, ClientError> {
        let builder = reqwest::Client::builder();
        let client = builder
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self(client))
    }

    /// Posts a body with headers; returns the status.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<u16, ClientError> {
        let mut request = self.0.post(url).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        Ok(request.send().await?.status().as_u16())
    }
}
