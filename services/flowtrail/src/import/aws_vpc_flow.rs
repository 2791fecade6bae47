//! AWS VPC flow logs as text: the default format of version 2, that of transit gateways, or any other with a line before
//! it that names the fields (`version account-id interface-id ..`, also in the form `${version} ${account-id} ..`).
//! They may have passed CloudWatch or Firehose: a time and the name of a log stream before a record, and objects with
//! the record as `message`, are no part of it, so that its id is the same by every way.
//!
//! | VPC flow log | Flowtrail |
//! |---|---|
//! | the line, with the names of its fields | event id and, by that, `flow_id`: a hash. There are no ids of connections |
//! | `interface-id`, else `tgw-id` | `reporter_id`; else `aws-vpc-flow` |
//! | `start`, `end`, in seconds or milliseconds | `window_start`, `window_end`; the event's time is `start` |
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

use super::cloudwatch::{self, Message};
use super::draft::{Draft, Mapped, Rejected, hash_of, to_text};
use super::skipped::Skipped;
use super::{addresses, times};

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
/// The fields of a transit gateway's records, in their order.
const TRANSIT_GATEWAY_FIELDS: [&str; 36] = [
    "version",
    "resource-type",
    "account-id",
    "tgw-id",
    "tgw-attachment-id",
    "tgw-src-vpc-account-id",
    "tgw-dst-vpc-account-id",
    "tgw-src-vpc-id",
    "tgw-dst-vpc-id",
    "tgw-src-subnet-id",
    "tgw-dst-subnet-id",
    "tgw-src-eni",
    "tgw-dst-eni",
    "tgw-src-az-id",
    "tgw-dst-az-id",
    "tgw-pair-attachment-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "log-status",
    "type",
    "packets-lost-no-route",
    "packets-lost-blackhole",
    "packets-lost-mtu-exceeded",
    "packets-lost-ttl-expired",
    "tcp-flags",
    "region",
    "flow-direction",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
];
/// What the second field of such a record says.
const TRANSIT_GATEWAY: &str = "TransitGateway";
/// What stands where there is no value.
const NOTHING: &str = "-";

/// The names of a file's fields; empty before a line that names them.
#[derive(Default)]
pub(super) struct Fields(Vec<String>);

impl Fields {
    /// Reads a line that names the fields; `None` when it is a line of values.
    fn parse(words: &[&str]) -> Option<Self> {
        let is_name = |word: &&str| matches!(plain(word), "srcaddr" | "pkt-srcaddr" | "pkt_srcaddr");
        let name = |word: &&str| plain(word).replace('_', "-");
        words.iter().any(is_name).then(|| Self(words.iter().map(name).collect()))
    }

    /// The names for a line of values.
    fn of(&self, words: &[&str]) -> Vec<&str> {
        let is_of_gateway = || words.contains(&TRANSIT_GATEWAY);
        match self.0.as_slice() {
            [] if is_of_gateway() => TRANSIT_GATEWAY_FIELDS.to_vec(),
            [] => DEFAULT_FIELDS.to_vec(),
            named => named.iter().map(String::as_str).collect(),
        }
    }
}

/// A name as it stands in the definition of a flow log is `${name}`.
fn plain(word: &str) -> &str {
    word.trim_start_matches("${").trim_end_matches('}')
}

/// Maps one record.
pub(super) fn map(text: &str, fields: &mut Fields, reporter: Option<&str>) -> Result<Mapped<'static>, Rejected> {
    if !text.starts_with('{') {
        return map_line(text, fields, reporter);
    }
    match cloudwatch::in_object(text) {
        Some(Message::Logged(line)) => map_line(line.trim(), fields, reporter),
        Some(Message::HealthCheck) => Ok(Mapped::Skipped(Skipped::HealthCheck)),
        None => Err(Rejected::missing("message")),
    }
}

fn map_line(text: &str, fields: &mut Fields, reporter: Option<&str>) -> Result<Mapped<'static>, Rejected> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let Some(named) = Fields::parse(&words) {
        *fields = named;
        return Ok(Mapped::Skipped(Skipped::Header));
    }
    let line = Line::new(&words, fields)?;
    if matches!(line.text("log-status"), Some("NODATA" | "SKIPDATA")) {
        return Ok(Mapped::Skipped(Skipped::NoFlow));
    }
    let (start, end) = (line.time("start")?, line.time("end")?);
    let in_log = line.text("interface-id").or_else(|| line.text("tgw-id")).unwrap_or(REPORTER);
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
    Ok(Mapped::Event(Draft { id, time: Some(start), data: Cow::Owned(to_text(&data)?) }))
}

/// A line of values, each with its name.
struct Line<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Line<'a> {
    fn new(words: &[&'a str], fields: &'a Fields) -> Result<Self, Rejected> {
        let names = fields.of(words);
        let values = cloudwatch::without_prefix(words, names.len());
        if names.len() != values.len() {
            let problem = format!(
                "has {} fields, but {} are named; of a format of your own, put a line with the names of its fields first",
                values.len(),
                names.len()
            );
            return Err(Rejected::field("line", problem));
        }
        Ok(Self(names.into_iter().zip(values.iter().copied()).collect()))
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
        let number: u64 = self.number(name)?.ok_or_else(|| Rejected::missing(name))?;
        #[expect(clippy::cast_precision_loss, reason = "exact for every time that can be written")]
        times::of_number(number as f64).map_err(|_| Rejected::field(name, "must be seconds since 1970"))
    }

    fn endpoint(&self, address_name: &str, port_name: &str) -> Result<Endpoint, Rejected> {
        let text = self.text(address_name).or_else(|| self.text(&format!("pkt-{address_name}")));
        let text = text.ok_or_else(|| Rejected::missing(address_name))?;
        let ip: IpAddr = text.parse().map_err(|_| Rejected::field(address_name, format!("{text:?} is no address")))?;
        let port = self.number(port_name)?.unwrap_or_default();
        Ok(Endpoint { address: Some(addresses::endpoint(ip, port)), ..Endpoint::default() })
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
