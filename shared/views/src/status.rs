//! How the views are: how far each has read the log, and what it takes on disk.

use model::log::{AccountId, Stream};
use serde::{Deserialize, Serialize};

use crate::all::access;
use crate::error::Error;
use crate::question::{Question, Views};
use crate::slot::{Freshness, Slot};
use crate::view::View;
use crate::watch::Watch;

/// How every view is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status;

/// How one view is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ViewStatus {
    /// The view.
    pub view: View,
    /// How far it has read each stream, and how many messages wait after that.
    pub streams: Vec<(Stream, u64, u64)>,
    /// How fresh its answers are.
    pub freshness: Freshness,
    /// Bytes on disk.
    pub bytes_on_disk: u64,
}

impl Question for Status {
    type Answer = Vec<ViewStatus>;
    const PATH: &'static str = "status";

    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        access::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        None
    }

    fn answer(&self, views: &Views) -> Result<Vec<ViewStatus>, Error> {
        let status = |slot: &Slot| {
            let streams = slot.observed().into_iter().map(|(stream, seen)| (stream, seen.sequence, seen.pending));
            Ok(ViewStatus {
                view: slot.view(),
                streams: streams.collect(),
                freshness: slot.freshness(),
                bytes_on_disk: slot.store().size_on_disk()?,
            })
        };
        views.slots().map(status).collect()
    }
}
