//! AWS VPC flow logs as text: the default format of version 2, or any other with a line before it that names the
//! fields (`version account-id interface-id ..`, also in the form `${version} ${account-id} ..`).
//!
//! | VPC flow log | Flowtrail |
//! |---|---|
//! | the line, with the names of its fields | event id and, by that, `flow_id`: a hash. There are no ids of connections |
//! | `interface-id` | `reporter_id`; else `aws-vpc-flow` |
//! | `start`, `end` | `window_start`, `window_end`; the event's time is `start` |
//! | `action` `ACCEPT` | `TYPE_START` at `start`, `TYPE_END` at `end` |
//! | `action` `REJECT` | `TYPE_DROP` at `start` |
//! | no `action` among the fields | `TYPE_UNKNOWN` at `start` and at `end` |
//! | `srcaddr`, `srcport` | `source.address`; port 0 where there is none |
//! | `dstaddr`, `dstport` | `destination.address` |
//! | `pkt-srcaddr`, `pkt-dstaddr` | in place of an address that is not among the fields |
//! | `protocol` | `protocol` |
//! | `packets`, `bytes` | `tx_packets`, `tx_bytes`: a line counts one way, from source to destination |
//! | `flow-direction` | `direction` |
//! | `log-status` `NODATA`, `SKIPDATA` | nothing: the line is skipped, as it tells of no flow |

use std::borrow::Cow;
use std::net::IpAddr;
use std::str::FromStr;

use model::time::Timestamp;
use model::traffic::{Direction, Endpoint, EventType, Reported, SubEvent};

use super::draft::{Draft, Rejected, address, hash_of, to_text};

/// The reporter where neither the log nor the command line names one.
const REPORTER: &str = "aws-vpc-flow";
/// The fields of version 2, in their order.
const DEFAULT_FIELDS: [&str; 14] = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
];
/// What stands where there is no value.
const NOTHING: &str = "-";

/// The names of a file's fields.
pub(super) struct Fields(Vec<String>);

impl Default for Fields {
    fn default() -> Self {
        Self(DEFAULT_FIELDS.map(str::to_owned).to_vec())
    }
}

impl Fields {
    /// Reads a line that names the fields; `None` when it is a line of values.
    fn parse(text: &str) -> Option<Self> {
        let name = |word: &str| word.trim_start_matches("${").trim_end_matches('}').replace('_', "-");
        let names: Vec<String> = text.split_ascii_whitespace().map(name).collect();
        let is_name = |name: &String| name == "srcaddr" || name == "pkt-srcaddr";
        names.iter().any(is_name).then_some(Self(names))
    }
}

/// Maps one line. `None`: it names the fields of those that follow, or tells of no flow.
pub(super) fn map(text: &str, fields: &mut Fields, reporter: Option<&str>) -> Result<Option<Draft<'static>>, Rejected> {
    if let Some(named) = Fields::parse(text) {
        *fields = named;
        return Ok(None);
    }
    let line = Line::parse(text, fields)?;
    if matches!(line.text("log-status"), Some("NODATA" | "SKIPDATA")) {
        return Ok(None);
    }
    let (start, end) = (line.time("start")?, line.time("end")?);
    let in_log = line.text("interface-id").unwrap_or(REPORTER);
    let data = Reported {
        reporter_id: Some(reporter.unwrap_or(in_log).to_owned()),
        source: line.endpoint("srcaddr", "srcport")?,
        destination: line.endpoint("dstaddr", "dstport")?,
        protocol: line.number::<u8>("protocol")?.map(u16::from),
        direction: line.direction()?,
        tx_bytes: line.number("bytes")?.unwrap_or_default(),
        tx_packets: line.number("packets")?.unwrap_or_default(),
        window_start: Some(start),
        window_end: Some(end),
        events: line.events(start, end)?,
        ..Reported::default()
    };
    let id = hash_of(std::iter::once("aws-vpc-flow").chain(line.words()).map(str::as_bytes));
    Ok(Some(Draft { id, time: Some(start), data: Cow::Owned(to_text(&data)?) }))
}

/// A line of values, each with its name.
struct Line<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Line<'a> {
    fn parse(text: &'a str, fields: &'a Fields) -> Result<Self, Rejected> {
        let values: Vec<&str> = text.split_ascii_whitespace().collect();
        let (wanted, found) = (fields.0.len(), values.len());
        if wanted != found {
            return Err(Rejected::field("line", format!("has {found} fields, but {wanted} are named")));
        }
        Ok(Self(fields.0.iter().map(String::as_str).zip(values).collect()))
    }

    fn words(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().flat_map(|(name, value)| [*name, *value])
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| *value).filter(|value| *value != NOTHING)
    }

    fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, Rejected> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| Rejected::field(name, format!("{text:?} is not a number that fits")));
        number.map(Some)
    }

    fn time(&self, name: &str) -> Result<Timestamp, Rejected> {
        let seconds: i64 = self.number(name)?.ok_or_else(|| Rejected::missing(name))?;
        let time = Timestamp::from_micros(seconds.saturating_mul(1_000_000));
        time.map_err(|_| Rejected::field(name, "must be seconds since 1970"))
    }

    fn endpoint(&self, address_name: &str, port_name: &str) -> Result<Endpoint, Rejected> {
        let text = self.text(address_name).or_else(|| self.text(&format!("pkt-{address_name}")));
        let text = text.ok_or_else(|| Rejected::missing(address_name))?;
        let ip: IpAddr = text.parse().map_err(|_| Rejected::field(address_name, format!("{text:?} is no address")))?;
        let port = self.number(port_name)?.unwrap_or_default();
        Ok(Endpoint { address: address(ip, port), ..Endpoint::default() })
    }

    fn direction(&self) -> Result<Direction, Rejected> {
        match self.text("flow-direction") {
            None => Ok(Direction::Unknown),
            Some("ingress") => Ok(Direction::Ingress),
            Some("egress") => Ok(Direction::Egress),
            Some(_) => Err(Rejected::field("flow-direction", "must be ingress or egress")),
        }
    }

    fn events(&self, start: Timestamp, end: Timestamp) -> Result<Vec<SubEvent>, Rejected> {
        let event = |timestamp, event_type| SubEvent { timestamp, event_type };
        match self.text("action") {
            Some("ACCEPT") => Ok(vec![event(start, EventType::Start), event(end, EventType::End)]),
            Some("REJECT") => Ok(vec![event(start, EventType::Drop)]),
            None => Ok(vec![event(start, EventType::Unknown), event(end, EventType::Unknown)]),
            Some(_) => Err(Rejected::field("action", "must be ACCEPT or REJECT")),
        }
    }
}

#[cfg(test)]
mod tests;
