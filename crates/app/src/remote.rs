//! A running server, as the command line speaks to it.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use outbound::client::{Client, Reply};
use serde_json::Value;
use tokio::runtime::Runtime;

/// How long an answer may take: an import's hundred products wait behind a busy shop's orders.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server's address and a key for it.
pub(crate) struct Remote {
    client: Client,
    runtime: Runtime,
    address: String,
    key: String,
}

impl Remote {
    /// The server at an address such as `http://127.0.0.1:3000`.
    pub(crate) fn new(address: &str, key: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            client: Client::with_timeout(PATIENCE)?,
            runtime,
            address: address.trim_end_matches('/').to_owned(),
            key: key.to_owned(),
        })
    }

    /// Sends a body as it is, and takes whatever is answered.
    pub(crate) fn raw(
        &self,
        (method, path): (&str, &str),
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Reply> {
        let headers = [("content-type", content_type.to_owned())];
        self.with_headers((method, path), &headers, body)
    }

    /// The same with headers of one's own; an absolute `path` is sent without the key.
    pub(crate) fn with_headers(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<Reply> {
        let foreign = path.starts_with("http");
        let url = if foreign {
            path.to_owned()
        } else {
            format!("{}{path}", self.address)
        };
        let mut headers = headers.to_vec();
        if !foreign && !self.key.is_empty() {
            headers.push(("authorization", format!("Bearer {}", self.key)));
        }
        let sent = self.client.send((method, &url), &headers, body);
        let reply = self.runtime.block_on(sent);
        reply.with_context(|| format!("{} cannot be reached", self.address))
    }

    /// Sends JSON; the JSON that a success answers.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let path = format!("/api/v1{path}");
        let body = body.map(ToString::to_string).unwrap_or_default();
        let reply = self.raw((method, &path), "application/json", body.into_bytes())?;
        if (200..300).contains(&reply.status) {
            return Ok(serde_json::from_slice(&reply.body)?);
        }
        Err(self.problem(&reply))
    }

    /// Reads JSON.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, None)
    }

    /// What a refusal says.
    pub(crate) fn problem(&self, reply: &Reply) -> anyhow::Error {
        let document: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        let (code, detail, status) = (text("code"), text("detail"), reply.status);
        let faults = document["errors"].as_array().cloned().unwrap_or_default();
        let fault = |fault: &Value| {
            let part = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
            format!("; {} {}", part("pointer"), part("message"))
        };
        let faults: String = faults.iter().map(fault).collect();
        anyhow!(
            "{} answered {status} {code}: {detail}{faults}",
            self.address
        )
    }
}
