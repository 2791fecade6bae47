//! Events that arrived one after the other, written once for all who follow their account.

use std::io::Write;
use std::ops::Range;

use axum::body::Bytes;
use feed::tail::Placed;
use model::delivery::EventPlace;
use tracing::error;

use crate::dialects::native::events::Listed;
use crate::dialects::native::wanted::Wanted;
use crate::upstream::follow::Places;

/// So much text makes a piece full.
const FULL_BYTES: usize = 128 << 10;

/// Some events.
pub(super) struct Piece<F: Listed> {
    events: Vec<Arrived<F>>,
    /// All of them as they are sent.
    text: Bytes,
    has_reads: bool,
    /// Where the piece ends.
    pub(super) after: Places,
    /// About how many bytes of memory it takes.
    pub(super) weight: usize,
}

struct Arrived<F: Listed> {
    shown: F::Shown,
    is_read: bool,
    stream: usize,
    after: EventPlace,
    /// It as it is sent.
    text: Range<usize>,
    /// Where the line of its place ends in that.
    data: usize,
}

/// A piece that is being written.
pub(super) struct Writing<F: Listed> {
    events: Vec<Arrived<F>>,
    text: Vec<u8>,
    /// Where the last event ends.
    places: Places,
    decoded_bytes: usize,
}

impl<F: Listed> Writing<F> {
    pub(super) fn new(places: Places) -> Self {
        Self { events: Vec::new(), text: Vec::new(), places, decoded_bytes: 0 }
    }

    /// Adds an event of the stream with this number; one of another family is passed over.
    pub(super) fn add(&mut self, stream: usize, placed: Placed) {
        let Placed { event, after, bytes, .. } = placed;
        self.places.pass(stream, after);
        let Some(shown) = F::arrived(event) else { return };
        let start = self.text.len();
        let written = write_place(&mut self.text, &self.places).and_then(|()| {
            let data = self.text.len();
            self.text.extend_from_slice(b"data: ");
            serde_json::to_writer(&mut self.text, &F::item(&shown)?)?;
            self.text.extend_from_slice(b"\n\n");
            Ok(data)
        });
        match written {
            Ok(data) => {
                let (is_read, text) = (F::is_read(&shown), start..self.text.len());
                self.events.push(Arrived { shown, is_read, stream, after, text, data });
                self.decoded_bytes += bytes;
            }
            Err(error) => {
                error!(%error, "an event cannot be shown as it arrives");
                self.text.truncate(start);
            }
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= FULL_BYTES
    }

    /// What was added since this was asked last; none where that is nothing.
    pub(super) fn take(&mut self) -> Option<Piece<F>> {
        if self.events.is_empty() {
            return None;
        }
        let (events, text) = (std::mem::take(&mut self.events), Bytes::from(std::mem::take(&mut self.text)));
        // A decoded event takes about twice what it takes as text.
        let weight = text.len() + 2 * std::mem::take(&mut self.decoded_bytes);
        let has_reads = events.iter().any(|event| event.is_read);
        Some(Piece { events, text, has_reads, after: self.places.clone(), weight })
    }
}

impl<F: Listed> Piece<F> {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// What is wanted of it, for one who is at `places`, and who is after it then. `is_ahead` says that some of it may
    /// stand before these: that is left out.
    pub(super) fn text_for(&self, wanted: &Wanted<F>, places: &mut Places, is_ahead: bool) -> Bytes {
        let is_all = wanted.q.is_none() && (wanted.with_reads || !self.has_reads);
        if is_all && !is_ahead {
            places.clone_from(&self.after);
            return self.text.clone();
        }
        let mut text = Vec::new();
        for event in &self.events {
            if places.has_passed(event.stream, event.after) {
                continue;
            }
            places.pass(event.stream, event.after);
            if !wanted.has(&event.shown) {
                continue;
            }
            if is_ahead {
                // Its own line would lead back behind what was seen of the other streams.
                let _ = write_place(&mut text, places);
                text.extend_from_slice(&self.text[event.data..event.text.end]);
            } else {
                text.extend_from_slice(&self.text[event.text.clone()]);
            }
        }
        places.pass_all(&self.after);
        text.into()
    }
}

/// Writes the line that says where one who got as far as this goes on.
pub(super) fn write_place(text: &mut Vec<u8>, places: &Places) -> std::io::Result<()> {
    writeln!(text, "id: {places}")
}
