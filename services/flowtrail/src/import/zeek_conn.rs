//! Zeek's connection log (`conn.log`): as Zeek writes it by default, values separated by tabs below lines that begin
//! with `#`; and as JSON, one object a line, as `LogAscii::use_json=T` or a shipper writes it.
//!
//! | Zeek | Flowtrail |
//! |---|---|
//! | `uid` | `flow_id`; with `zeek:` before it the event id. Without one: a hash of the line |
//! | `@system`, `_system_name` | `reporter_id`; else `zeek`, because a file's name changes when it is rotated or copied |
//! | `ts` (seconds, milliseconds, or RFC 3339, also with `+0100`) | the event's time, and that of `TYPE_START` |
//! | `ts` + `duration` | the time of `TYPE_END`; none without a duration |
//! | `conn_state` `REJ` | `TYPE_DROP` at `ts`, in place of both: no connection came about |
//! | `id.orig_h`, `id.orig_p` | `source.address`; also written `id_orig_h`, `id_orig_p`, or in an object `id` |
//! | `id.resp_h`, `id.resp_p` | `destination.address`; likewise |
//! | `proto`; `ip_proto` where given | `protocol`: tcp 6, udp 17, icmp 1 or over IPv6 58, unknown_transport 0 |
//! | both ports, of ICMP | `icmp`; the addresses then have port 0 |
//! | `orig_bytes`, else `orig_ip_bytes` | `tx_bytes`: payload, where Zeek saw it, else with headers |
//! | `resp_bytes`, else `resp_ip_bytes` | `rx_bytes` |
//! | `orig_pkts`, `resp_pkts` | `tx_packets`, `rx_packets` |
//! | `local_orig`, `local_resp` | `direction`: `EGRESS` when only the first is true, `INGRESS` when only the second, else unknown |
//! | `_path`, `@stream`, `@path`, `#path` other than `conn` | nothing: the record is skipped, as it is of another log |
//!
//! All other states than `REJ` are a start and, with a duration, an end: for one-way traffic such as a UDP broadcast
//! `S0` (no answer seen) is nothing bad.

mod connection;
mod tsv;

use std::borrow::Cow;

use model::json;

use self::connection::{Connection, InLog, LogName, NOT_CONN};
use super::draft::{Draft, Mapped, Rejected, id_of_text, to_text};
use super::skipped::Skipped;

pub(super) use self::tsv::Header;

/// Maps one line; `reporter` stands above what the log says.
pub(super) fn map(text: &str, header: &mut Header, reporter: Option<&str>) -> Result<Mapped<'static>, Rejected> {
    if text.starts_with('#') {
        return header.read(text).map(|()| Mapped::Skipped(Skipped::Header));
    }
    if text.starts_with('{') {
        return map_json(text, reporter);
    }
    if let Some(log) = header.other_log() {
        return Ok(Mapped::Skipped(Skipped::OtherLog(log.to_owned())));
    }
    if !header.names_fields() {
        return Err(Rejected::field("line", "is no JSON, and no line with #fields stands before it"));
    }
    draft(text, &header.connection(text)?, reporter)
}

fn map_json(text: &str, reporter: Option<&str>) -> Result<Mapped<'static>, Rejected> {
    let skipped = |log: &str| Ok(Mapped::Skipped(Skipped::OtherLog(log.to_owned())));
    let connection: Connection = match json::read_part(text.as_bytes()) {
        Ok(connection) => connection,
        // A record of another log may have a field of the same name and another kind.
        Err(wrong) => {
            let log: InLog = serde_json::from_str(text).unwrap_or_default();
            return log.name().and_then(LogName::other).map_or(Err(wrong.into()), skipped);
        }
    };
    let log = connection.log();
    if let Some(other) = log.and_then(LogName::other) {
        return skipped(other);
    }
    if log.is_none() && !connection.is_of_conn_log() {
        return Err(Rejected::field("record", NOT_CONN));
    }
    draft(text, &connection, reporter)
}

fn draft(text: &str, connection: &Connection, reporter: Option<&str>) -> Result<Mapped<'static>, Rejected> {
    let (time, data) = connection.report(reporter)?;
    let id = data.flow_id.as_ref().map_or_else(|| id_of_text("zeek-conn", text), |uid| format!("zeek:{uid}"));
    Ok(Mapped::Event(Draft { id, time: Some(time), data: Cow::Owned(to_text(&data)?) }))
}

#[cfg(test)]
mod tests;
