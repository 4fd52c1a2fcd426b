//! Reads a `postgres://` URL.
//!
//! Beside what libpq's URLs may say, `sslmode` and `sslrootcert` mean what they mean there
//! (PostgreSQL's manual, 34.1.2 and 34.19): `prefer` and `require` encrypt and believe any
//! certificate; `verify-ca` and `verify-full`, or a given `sslrootcert`, check it with its name.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

/// Whom to believe to be the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Any certificate.
    Anybody,
    /// A certificate of the system's authorities, for the host's name.
    System,
    /// A certificate of the authorities in this PEM file, for the host's name.
    File(PathBuf),
}

/// Where a database is, and how it is reached.
#[derive(Clone, Debug)]
pub struct Address {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
}

/// A URL that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the database's URL cannot be used: {0}")]
pub struct BadAddress(String);

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(url: &str) -> Result<Self, BadAddress> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut trust, mut mode) = (None, None);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslrootcert", "system")) => trust = Some(Trust::System),
                Some(("sslrootcert", path)) => trust = Some(Trust::File(path.into())),
                Some(("sslmode", value)) => mode = Some(value),
                _ => rest.push(pair),
            }
        }
        let plain = [base, &rest.join("&")].join("?");
        let mut config = Config::from_str(plain.trim_end_matches('?')).map_err(|error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            BadAddress(why.unwrap_or_else(|| error.to_string()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(BadAddress("it names no host".to_owned()));
        }
        let (ssl, usual) = ssl_mode(mode)?;
        config.ssl_mode(ssl);
        config.application_name("stockhold");
        // Of several hosts, and after a failover, only the one that takes writes is meant.
        if !query.contains("target_session_attrs=") {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(3));
        }
        // A database that has vanished is noticed by what was sent to it and never acknowledged.
        config.tcp_user_timeout(Duration::from_secs(10));
        config.keepalives_idle(Duration::from_secs(10));
        config.keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(2);
        Ok(Self {
            config,
            trust: trust.unwrap_or(usual),
        })
    }
}

fn ssl_mode(mode: Option<&str>) -> Result<(SslMode, Trust), BadAddress> {
    Ok(match mode {
        Some("disable") => (SslMode::Disable, Trust::Anybody),
        None | Some("allow" | "prefer") => (SslMode::Prefer, Trust::Anybody),
        Some("require") => (SslMode::Require, Trust::Anybody),
        Some("verify-ca" | "verify-full") => (SslMode::Require, Trust::System),
        Some(other) => return Err(BadAddress(format!("there is no sslmode {other:?}"))),
    })
}

impl Address {
    /// The same for a stand-by, which takes no writes.
    #[must_use]
    pub fn for_reading(mut self) -> Self {
        self.config.target_session_attrs(TargetSessionAttrs::Any);
        self
    }

    /// The address for people: without the password.
    #[must_use]
    pub fn shown(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            tokio_postgres::config::Host::Tcp(name) => name.clone(),
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<_> = hosts.collect();
        let ports: Vec<_> = self.config.get_ports().iter().map(u16::to_string).collect();
        let ports = if ports.is_empty() {
            String::new()
        } else {
            format!(":{}", ports.join(","))
        };
        let user = self.config.get_user().unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or(user);
        format!("postgres://{}{ports}/{database}", hosts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says_about_tls() {
        for (query, ssl, trust) in [
            ("", SslMode::Prefer, Trust::Anybody),
            ("?sslmode=disable", SslMode::Disable, Trust::Anybody),
            ("?sslmode=require", SslMode::Require, Trust::Anybody),
            ("?sslmode=verify-full", SslMode::Require, Trust::System),
            (
                "?connect_timeout=7&sslmode=require&sslrootcert=/ca.pem",
                SslMode::Require,
                Trust::File("/ca.pem".into()),
            ),
        ] {
            let url = format!("postgres://me:secret@localhost:5433/shop{query}");
            let address: Address = url.parse().expect(query);
            assert_eq!(address.config.get_ssl_mode(), ssl, "{query}");
            assert_eq!(address.trust, trust, "{query}");
            assert_eq!(address.shown(), "postgres://localhost:5433/shop");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url() {
        for (url, word) in [
            ("postgres://localhost/shop?sslmode=maybe", "maybe"),
            ("postgres:///shop", "host"),
            ("postgres://localhost:port/shop", "port"),
        ] {
            let refused = url.parse::<Address>().expect_err(url).to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }
}
