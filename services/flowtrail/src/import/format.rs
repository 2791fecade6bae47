//! The formats: what each is called, how its records stand in a file, which events they become.

use model::log::{AccountId, Subject};
use model::{audit, traffic};

use super::draft::{Mapped, Rejected};
use super::seal::Sealer;
use super::{audit as audit_items, aws_cloudtrail, aws_vpc_flow, traffic as traffic_items, zeek_conn};

/// What the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Zeek's conn.log: as Zeek writes it by default (tabs, #fields), or as JSON, one object a line.
    ZeekConn,
    /// AWS CloudTrail records: of a bucket, of lookup-events, as EventBridge, CloudWatch and Firehose deliver them.
    AwsCloudtrail,
    /// AWS VPC flow logs as text: version 2, of transit gateways, or with a first line that names the fields; also by
    /// way of CloudWatch and Firehose.
    AwsVpcFlow,
    /// Flowtrail's own traffic reports; what GET /api/events/network-traffic answers; the traffic events of Flowtrail's
    /// and NetBird's archives.
    Traffic,
    /// Flowtrail's own audit events; what the audit lists of NetBird, InstaVM and vRNI answer; the audit events of
    /// Flowtrail's and NetBird's archives.
    Audit,
}

impl Format {
    /// Whether its records become traffic reports; else they become audit events.
    pub(super) fn is_traffic(self) -> bool {
        match self {
            Self::ZeekConn | Self::AwsVpcFlow | Self::Traffic => true,
            Self::AwsCloudtrail | Self::Audit => false,
        }
    }

    /// Whether records may say less than the events of their ids, as those of lists do.
    pub(super) fn may_say_less(self) -> bool {
        match self {
            Self::Audit => true,
            Self::ZeekConn | Self::AwsCloudtrail | Self::AwsVpcFlow | Self::Traffic => false,
        }
    }

    /// The names of the arrays that services put such records into, inside of an object.
    pub(super) fn lists(self) -> &'static [&'static str] {
        match self {
            Self::ZeekConn | Self::Traffic => &["data", "items", "Records"],
            // Of vRNI, the last one.
            Self::Audit => &["data", "items", "Records", "results"],
            // CloudTrail's files, `lookup-events`, subscriptions and `filter-log-events` of CloudWatch Logs.
            Self::AwsCloudtrail => &["Records", "Events", "logEvents", "events", "data", "items"],
            Self::AwsVpcFlow => &["logEvents", "events"],
        }
    }

    /// The CloudEvents' source, which an audit event without a source of its own shows.
    fn source(self) -> &'static str {
        match self {
            Self::ZeekConn => "zeek-conn",
            Self::AwsCloudtrail => "aws-cloudtrail",
            Self::AwsVpcFlow => "aws-vpc-flow",
            Self::Traffic | Self::Audit => "import",
        }
    }

    /// The one subject of an import. A message holds the events of many reporters, so its last token can be none of
    /// them: it is the source, and every report names its reporter itself.
    pub(super) fn subject(self, account: &AccountId) -> Subject {
        if self.is_traffic() {
            Subject::traffic(account, self.source())
        } else {
            Subject::audit(account, self.source())
        }
    }

    pub(super) fn sealer(self, account: &AccountId) -> Sealer {
        let kind = if self.is_traffic() { traffic::REPORTED } else { audit::RECORDED };
        Sealer::new(self.subject(account), self.source(), kind)
    }
}

/// Maps the records of one file.
pub(super) struct Mapper<'a> {
    format: Format,
    reporter: Option<&'a str>,
    vpc_fields: aws_vpc_flow::Fields,
    zeek_header: zeek_conn::Header,
}

impl<'a> Mapper<'a> {
    pub(super) fn new(format: Format, reporter: Option<&'a str>) -> Self {
        let (vpc_fields, zeek_header) = (aws_vpc_flow::Fields::default(), zeek_conn::Header::default());
        Self { format, reporter, vpc_fields, zeek_header }
    }

    /// Maps a record, which need not be an event.
    pub(super) fn map<'t>(&mut self, text: &'t str) -> Result<Mapped<'t>, Rejected> {
        // serde would also read a struct from an array of its fields.
        if text.starts_with('[') {
            return Err(Rejected::Form("must be a JSON object"));
        }
        match self.format {
            Format::ZeekConn => zeek_conn::map(text, &mut self.zeek_header, self.reporter),
            Format::AwsCloudtrail => aws_cloudtrail::map(text),
            Format::AwsVpcFlow => aws_vpc_flow::map(text, &mut self.vpc_fields, self.reporter),
            Format::Traffic => traffic_items::map(text, self.reporter),
            Format::Audit => audit_items::map(text),
        }
    }
}
