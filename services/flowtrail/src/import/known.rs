//! Which events of a batch the account has already. They are left out where a record may say less than the event of its
//! id: published, it would be another event of that id, which is a dead letter.

use std::collections::HashSet;

use bus::Bus;
use model::log::AccountId;
use views::audit::Known;

use super::batch::Batch;
use crate::client;

/// The batch without the events whose ids the account has.
///
/// # Errors
/// When nobody answers for the views.
pub(super) async fn without_known(bus: &Bus, account: &AccountId, batch: Batch) -> anyhow::Result<Batch> {
    if batch.ids.is_empty() {
        return Ok(batch);
    }
    let ids = batch.ids.iter().map(|(id, _)| id.clone()).collect();
    let known: HashSet<String> = client::ask(bus, Known { account: account.clone(), ids }).await?.into_iter().collect();
    Ok(batch.without(&known))
}
