//! Hears what any server has committed, by `LISTEN`.
//!
//! Each batch of the platform's lane notifies the channel `stockhold` with its tenant's id and the
//! number of its last event.

use std::time::Duration;

use domain::ids::TenantId;
use futures_util::future::poll_fn;
use tokio_postgres::{AsyncMessage, Notification};
use tokio_util::sync::CancellationToken;

use crate::address::Address;
use crate::error::Error;
use crate::tls;

/// What is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Some server has committed something of this tenant, up to this event.
    Committed(TenantId, i64),
    /// The line was cut or has just been opened: anything may have happened in between.
    Gap,
}

/// Seconds after which a lost line is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Listens until `stop` is cancelled, over outages, and hands on what it hears.
pub async fn listen(address: Address, stop: CancellationToken, hear: impl Fn(News)) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            ended = line(&address, &hear) => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "listening for other servers was cut");
                }
            }
        }
        hear(News::Gap);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

async fn line(address: &Address, hear: &impl Fn(News)) -> Result<(), Error> {
    let tls = tls::connector(&address.trust)?;
    let (client, mut connection) = address.config.connect(tls).await?;
    let listening = client.batch_execute("LISTEN stockhold");
    let hearing = async {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(notification) = message?
                && let Some(news) = read(&notification)
            {
                hear(news);
            }
        }
        Ok(())
    };
    let opened = async {
        listening.await?;
        hear(News::Gap);
        // The line ends with the connection, not before.
        std::future::pending::<Result<(), Error>>().await
    };
    tokio::select! {
        ended = hearing => ended,
        failed = opened => failed,
    }
}

fn read(notification: &Notification) -> Option<News> {
    let (tenant, seq) = notification.payload().split_once(' ')?;
    Some(News::Committed(tenant.parse().ok()?, seq.parse().ok()?))
}
