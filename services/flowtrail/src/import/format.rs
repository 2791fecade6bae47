//! The formats: what each is called, how its records stand in a file, which events they become.

use model::log::{AccountId, Subject};
use model::{audit, traffic};

use super::draft::{Draft, Rejected};
use super::scan::Layout;
use super::seal::Sealer;
use super::{audit as audit_items, aws_cloudtrail, aws_vpc_flow, traffic as traffic_items, zeek_conn};

/// What the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Zeek's conn.log as JSON, one object a line.
    ZeekConn,
    /// AWS CloudTrail records: {"Records":[..]}, an array, or one object a line.
    AwsCloudtrail,
    /// AWS VPC flow logs as text: version 2, or with a first line that names the fields.
    AwsVpcFlow,
    /// Flowtrail's own traffic reports, or what GET /api/events/network-traffic answers.
    Traffic,
    /// Flowtrail's own audit events, or what the audit lists of NetBird and InstaVM answer.
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

    pub(super) fn layout(self) -> Layout {
        match self {
            Self::AwsVpcFlow => Layout::Lines,
            Self::ZeekConn | Self::AwsCloudtrail | Self::Traffic | Self::Audit => Layout::Json,
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
}

impl<'a> Mapper<'a> {
    pub(super) fn new(format: Format, reporter: Option<&'a str>) -> Self {
        Self { format, reporter, vpc_fields: aws_vpc_flow::Fields::default() }
    }

    /// `None`: there is no event in this record, and nothing wrong with it.
    pub(super) fn map<'t>(&mut self, text: &'t str) -> Result<Option<Draft<'t>>, Rejected> {
        // serde would also read a struct from an array of its fields.
        if self.format.layout() == Layout::Json && text.starts_with('[') {
            return Err(Rejected::Form("must be a JSON object"));
        }
        match self.format {
            Format::ZeekConn => zeek_conn::map(text, self.reporter).map(Some),
            Format::AwsCloudtrail => aws_cloudtrail::map(text).map(Some),
            Format::AwsVpcFlow => aws_vpc_flow::map(text, &mut self.vpc_fields, self.reporter),
            Format::Traffic => traffic_items::map(text, self.reporter).map(Some),
            Format::Audit => audit_items::map(text).map(Some),
        }
    }
}
