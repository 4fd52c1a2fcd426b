//! Hears that any server has committed a batch of the platform's lane, by `LISTEN`: each one
//! notifies the channel `stockhold`.

use std::time::Duration;

use futures_util::future::poll_fn;
use tokio_postgres::AsyncMessage;
use tokio_util::sync::CancellationToken;

use crate::address::Address;
use crate::error::Error;
use crate::tls;

/// How long until a lost line is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Listens until `stop` is cancelled, over outages. `hear` is called for each batch, and whenever the
/// line was cut or has just been opened: anything may have happened in between.
pub async fn listen(address: Address, stop: CancellationToken, hear: impl Fn()) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            ended = line(&address, &hear) => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "listening for other servers was cut");
                }
            }
        }
        hear();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

async fn line(address: &Address, hear: &impl Fn()) -> Result<(), Error> {
    let tls = tls::connector(address)?;
    let (client, mut connection) = address.config.connect(tls).await?;
    let listening = client.batch_execute("LISTEN stockhold");
    let hearing = async {
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let AsyncMessage::Notification(_) = message? {
                hear();
            }
        }
        Ok(())
    };
    let opened = async {
        listening.await?;
        hear();
        // The line ends with the connection, not before.
        std::future::pending::<Result<(), Error>>().await
    };
    tokio::select! {
        ended = hearing => ended,
        failed = opened => failed,
    }
}
