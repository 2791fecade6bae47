//! What a client may ask of the traffic list.

use model::traffic::{Connection, Direction, EventType, Filter};

use crate::describe::{Operation, schema};
use crate::lists::language::{ABOUT_Q, Q};
use crate::lists::query::Parameters;
use crate::render::refusal::Refusal;

const MAX_LIMIT: usize = 50_000;
const DEFAULT_LIMIT: usize = 1000;

const EVENT_TYPES: [(&str, EventType); 4] = [
    ("TYPE_UNKNOWN", EventType::Unknown),
    ("TYPE_START", EventType::Start),
    ("TYPE_END", EventType::End),
    ("TYPE_DROP", EventType::Drop),
];
const CONNECTIONS: [(&str, Connection); 2] = [("P2P", Connection::PeerToPeer), ("ROUTED", Connection::Routed)];
const DIRECTIONS: [(&str, Direction); 3] =
    [("INGRESS", Direction::Ingress), ("EGRESS", Direction::Egress), ("DIRECTION_UNKNOWN", Direction::Unknown)];

/// Which page, by number.
pub(super) struct PageNumber {
    /// From 1 on; with a cursor it says nothing, and is 1.
    pub(super) page: u64,
    /// From 1 to 50,000.
    pub(super) limit: usize,
}

pub(super) fn page_number(parameters: &Parameters) -> Result<PageNumber, Refusal> {
    let page = parameters.number("page", 1..=u64::MAX)?;
    if page.is_some() && parameters.text("cursor")?.is_some() {
        return Err(Refusal::field("page", "cannot be given with a cursor"));
    }
    let page_size = parameters.number("page_size", 1..=MAX_LIMIT)?;
    Ok(PageNumber { page: page.unwrap_or(1), limit: page_size.unwrap_or(DEFAULT_LIMIT) })
}

pub(super) fn filter(parameters: &Parameters) -> Result<Filter, Refusal> {
    Ok(Filter {
        user_id: parameters.text("user_id")?,
        reporter_id: parameters.text("reporter_id")?,
        source_id: parameters.text("source_id")?,
        destination_id: parameters.text("destination_id")?,
        protocol: parameters.integer("protocol")?,
        event_type: parameters.choice("type", &EVENT_TYPES)?,
        connection: parameters.choice("connection_type", &CONNECTIONS)?,
        direction: parameters.choice("direction", &DIRECTIONS)?,
        search: parameters.text("search")?,
        period: parameters.period()?,
    })
}

/// Adds all of them to the description.
pub(super) fn described(operation: Operation) -> Operation {
    let (page, page_size) = (schema::whole(1..=u64::MAX, 1), schema::whole(1..=MAX_LIMIT, DEFAULT_LIMIT));
    operation
        .query("page", "Which page; not together with a cursor.", page)
        .query("page_size", "How many records a page has.", page_size)
        .query("cursor", "Out of the `Link` of the page before.", schema::text())
        .query("user_id", "Records of this user.", schema::text())
        .query("reporter_id", "Records of this reporter.", schema::text())
        .query("source_id", "Records from this endpoint.", schema::text())
        .query("destination_id", "Records to this endpoint.", schema::text())
        .query("protocol", "Records of this IP protocol, by number.", schema::integer())
        .query("type", "Records with an event of this type.", schema::choice(&EVENT_TYPES))
        .query(
            "connection_type",
            "`P2P`: the reporter is one of the two endpoints; `ROUTED`: it is neither.",
            schema::choice(&CONNECTIONS),
        )
        .query("direction", "Records of this direction, seen from the reporter.", schema::choice(&DIRECTIONS))
        .query(
            "search",
            "A part of the user's address or of an endpoint's name or address, in any case.",
            schema::text(),
        )
        .query(Q, ABOUT_Q, schema::text())
        .query("start_date", "Records at this time or later.", schema::time())
        .query("end_date", "Records at this time or earlier.", schema::time())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> Parameters {
        Parameters::parse(Some(query)).unwrap()
    }

    #[test]
    fn every_parameter_is_part_of_the_filter() {
        let filter = filter(&parsed(
            "user_id=u&reporter_id=r&source_id=s&destination_id=d&protocol=6&type=TYPE_END&connection_type=ROUTED\
             &direction=EGRESS&search=x&start_date=2024-01-01T00:00:00Z&end_date=2024-01-02T00:00:00Z&sort=up",
        ));
        let filter = filter.unwrap();
        let texts = [&filter.user_id, &filter.reporter_id, &filter.source_id, &filter.destination_id, &filter.search];
        assert_eq!(texts.map(|text| text.as_deref().unwrap()), ["u", "r", "s", "d", "x"]);
        assert_eq!((filter.protocol, filter.event_type), (Some(6), Some(EventType::End)));
        assert_eq!((filter.connection, filter.direction), (Some(Connection::Routed), Some(Direction::Egress)));
        assert!(filter.period.from < filter.period.to);
    }

    #[test]
    fn every_name_in_the_tables_is_the_one_on_the_wire() {
        let wire = |value: serde_json::Value| value.as_str().unwrap().to_owned();
        for (name, value) in EVENT_TYPES {
            assert_eq!(wire(serde_json::to_value(value).unwrap()), name);
        }
        for (name, value) in CONNECTIONS {
            assert_eq!(wire(serde_json::to_value(value).unwrap()), name);
        }
        for (name, value) in DIRECTIONS {
            assert_eq!(wire(serde_json::to_value(value).unwrap()), name);
        }
    }

    #[test]
    fn a_page_has_bounds_and_defaults() {
        let PageNumber { page, limit } = page_number(&parsed("")).unwrap();
        assert_eq!((page, limit), (1, 1000));
        for query in ["page=0", "page_size=0", "page_size=50001", "page=1&cursor=x"] {
            assert!(page_number(&parsed(query)).is_err(), "{query}");
        }
        assert!(page_number(&parsed("page_size=50000&cursor=x")).is_ok());
    }
}
