//! Whether the receiver of an integration may be reached, asked when someone names one.
//!
//! The streamer checks again when it connects, with the addresses that the name has then. Here, the one who named it is
//! still there to be told.

use std::time::Duration;

use model::integration::{Event, Receiver, Rejected};
use model::reach::Reach;
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::refusal::Refusal;

/// How long a name may take to resolve. One that does not is let through: its addresses are checked when there are any.
const LOOK_UP_TIME: Duration = Duration::from_secs(2);

/// Refuses events that name a receiver that may not be reached.
pub(crate) async fn check(reach: &Reach, events: &[Event]) -> Result<(), Refusal> {
    for event in events {
        for receiver in event.named_receivers(reach)? {
            look_up(reach, &receiver).await?;
        }
    }
    Ok(())
}

async fn look_up(reach: &Reach, receiver: &Receiver) -> Result<(), Rejected> {
    let Receiver { key, target } = receiver;
    let found = timeout(LOOK_UP_TIME, lookup_host((target.host.as_str(), target.port))).await;
    let Ok(Ok(addresses)) = found else { return Ok(()) };
    for address in addresses {
        let checked = reach.check(address.ip(), target.encrypted);
        checked.map_err(|refused| Rejected::Config { key: key.clone(), problem: refused.to_string() })?;
    }
    Ok(())
}
