//! What is wanted of an integration, as its events tell it.

use model::integration::{Current, Event, Families, Integration, Order, Recorded};
use model::log::Stream;

/// What is wanted of an integration that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(crate) current: Current,
    /// Its configuration, by the sequence of the event that made it.
    pub(crate) version: u64,
    /// When the log received that event: microseconds since 1970.
    pub(crate) configured_at: i64,
    /// The last event after which what was suspended is tried again.
    pub(crate) touched: u64,
    /// The event that enabled it first: its sequence, and when the log received it. What happened before is not
    /// delivered.
    pub(crate) begun: Option<Begun>,
    /// What someone wants done once, with the sequence of the event that says so.
    pub(crate) orders: Vec<(u64, Order)>,
}

/// Where delivery begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) sequence: u64,
    /// Microseconds since 1970.
    pub(crate) received_at: i64,
}

/// Everything that is known of one integration. Its events are folded into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    integration: Integration,
    version: u64,
    configured_at: i64,
    touched: u64,
    begun: Option<Begun>,
    orders: Vec<(u64, Order)>,
}

impl Followed {
    /// Takes in an event that stands at `sequence` of the integration stream.
    pub(crate) fn apply(&mut self, sequence: u64, received_at: i64, recorded: Recorded) {
        match &recorded.event {
            Event::Created(_) | Event::Updated(_) => {
                self.version = sequence;
                self.configured_at = received_at;
                self.touched = sequence;
            }
            Event::Resumed(_) => self.touched = sequence,
            Event::ReplayRequested(data) => self.orders.push((sequence, Order::Replay(data.from))),
            Event::RedriveRequested(_) => self.orders.push((sequence, Order::Redrive)),
            Event::Paused(_) | Event::Deleted(_) => {}
        }
        self.integration.apply(recorded.event, recorded.time);
        let is_enabled = matches!(&self.integration, Integration::Present(current) if current.enabled);
        if is_enabled && self.begun.is_none() {
            self.begun = Some(Begun { sequence, received_at });
        }
    }

    /// What is wanted of it; `None` when it is not there (any more).
    pub(crate) fn desired(&self) -> Option<Desired> {
        let Integration::Present(current) = &self.integration else { return None };
        Some(Desired {
            current: current.clone(),
            version: self.version,
            configured_at: self.configured_at,
            touched: self.touched,
            begun: self.begun,
            orders: self.orders.clone(),
        })
    }
}

impl Desired {
    /// Whether it delivers, as far as people decide.
    pub(crate) fn is_on(&self) -> bool {
        self.current.enabled && !self.current.paused
    }

    /// The streams it reads. Integration and access events are audit events too.
    pub(crate) fn streams(&self) -> Vec<Stream> {
        let Families { audit, traffic, reads } = Families::of(&self.current.config);
        let mut streams = Vec::new();
        if audit || reads {
            streams.push(Stream::Audit);
        }
        if audit {
            streams.extend([Stream::Integration, Stream::Access]);
        }
        if traffic {
            streams.push(Stream::Traffic);
        }
        streams
    }
}

#[cfg(test)]
mod tests {
    use model::access::Actor;
    use model::integration::{Created, Platform, Steered, Updated, Value};
    use model::time::Timestamp;

    use super::*;

    fn created(enabled: bool) -> Event {
        let (platform, config, by) = (Platform::GenericHttp, model::integration::Config::new(), Actor::system());
        Event::Created(Created { platform, config, enabled, by })
    }

    fn updated(enabled: bool, events: &str) -> Event {
        let config = [("events".to_owned(), Value::Text(events.to_owned()))].into();
        let (platform, changed, by) = (Platform::GenericHttp, Vec::new(), Actor::system());
        Event::Updated(Updated { platform, config, enabled, changed, by })
    }

    fn steered() -> Steered {
        Steered { platform: Platform::GenericHttp, by: Actor::system() }
    }

    /// After events at the sequences 10, 20, ...
    fn after(events: Vec<Event>) -> Option<Desired> {
        let mut followed = Followed::default();
        for (number, event) in (1..).zip(events) {
            let recorded = Recorded { event_id: String::new(), time: Timestamp::EPOCH, id: 1, event };
            followed.apply(number * 10, i64::try_from(number).unwrap(), recorded);
        }
        followed.desired()
    }

    #[test]
    fn it_begins_when_it_is_first_enabled() {
        assert_eq!(after(vec![created(false)]).unwrap().begun, None);
        let later = after(vec![created(false), updated(true, "both"), updated(false, "both"), updated(true, "both")]);
        assert_eq!(later.unwrap().begun, Some(Begun { sequence: 20, received_at: 2 }));
    }

    #[test]
    fn pausing_turns_it_off_and_resuming_on() {
        let paused = after(vec![created(true), Event::Paused(steered())]).unwrap();
        assert!(!paused.is_on());
        let resumed = after(vec![created(true), Event::Paused(steered()), Event::Resumed(steered())]).unwrap();
        assert_eq!((resumed.is_on(), resumed.version, resumed.touched), (true, 10, 30));
    }

    #[test]
    fn it_reads_the_streams_of_the_families_that_its_configuration_names() {
        let audit = [Stream::Audit, Stream::Integration, Stream::Access];
        let streams = |events| after(vec![created(true), updated(true, events)]).unwrap().streams();
        assert_eq!(streams("audit"), audit);
        assert_eq!(streams("traffic"), [Stream::Traffic]);
        assert_eq!(streams("reads"), [Stream::Audit]);
        assert_eq!(streams("both"), after(vec![created(true)]).unwrap().streams());
    }

    #[test]
    fn nothing_is_wanted_of_what_is_deleted() {
        let deleted = model::integration::Deleted { platform: Platform::GenericHttp, by: Actor::system() };
        assert_eq!(after(vec![created(true), Event::Deleted(deleted)]), None);
    }
}
