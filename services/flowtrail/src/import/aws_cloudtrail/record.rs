//! A record as CloudTrail writes it, and the audit event that it becomes.

use std::collections::BTreeMap;

use model::audit::Fields;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::addresses;
use super::super::draft::{Rejected, to_text};
use super::super::item::Item;
use super::resource::{Resource, resource};
use super::status::Outcome;

/// A record; what is passed on as a whole stays the text that it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record<'a> {
    #[serde(rename = "eventID")]
    pub(super) event_id: Option<String>,
    event_time: Option<Timestamp>,
    #[serde(rename = "@timestamp")]
    timestamp: Option<Timestamp>,
    event_source: Option<String>,
    event_name: Option<String>,
    event_type: Option<String>,
    event_category: Option<String>,
    aws_region: Option<String>,
    recipient_account_id: Option<String>,
    read_only: Option<bool>,
    error_code: Option<String>,
    error_message: Option<String>,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: Option<String>,
    user_agent: Option<String>,
    #[serde(rename = "requestID")]
    request_id: Option<String>,
    #[serde(rename = "sharedEventID")]
    shared_event_id: Option<String>,
    #[serde(borrow)]
    user_identity: Option<&'a RawValue>,
    #[serde(borrow)]
    resources: Option<&'a RawValue>,
    #[serde(borrow)]
    request_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    response_elements: Option<&'a RawValue>,
    #[serde(borrow)]
    additional_event_data: Option<&'a RawValue>,
    #[serde(borrow)]
    service_event_details: Option<&'a RawValue>,
    #[serde(borrow)]
    insight_details: Option<&'a RawValue>,
}

/// The data of the event. The parts of the payload are passed on as they stand.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    recorded: Fields,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    event_payload: BTreeMap<&'static str, &'a RawValue>,
}

impl<'a> Record<'a> {
    /// Whether it is one: digests and covers have neither.
    pub(super) fn is_record(&self) -> bool {
        self.event_name.is_some() || self.insight_details.is_some()
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        self.event_time.or(self.timestamp)
    }

    /// The data as JSON text.
    pub(super) fn data(self) -> Result<String, Rejected> {
        let event_payload = self.payload();
        let insight = self.insight_details.and_then(object);
        let recorded = match insight {
            Some(insight) if self.event_name.is_none() => self.insight(&insight),
            Some(_) | None => self.call(),
        };
        to_text(&Data { recorded, event_payload })
    }

    /// A call, a sign-in, or what a service did by itself.
    fn call(mut self) -> Fields {
        let name = self.event_name.take().unwrap_or_default();
        let (code, message) = (self.error_code.take().and_then(filled), self.error_message.take().and_then(filled));
        let (identity, request) = (self.user_identity.and_then(object), self.request_parameters.and_then(object));
        let (response, details) =
            (self.response_elements.and_then(object), self.service_event_details.and_then(object));
        let Resource { kind, id } = resource(self.service(), self.resources, request.as_ref());
        let actor = Actor::of(identity.as_ref(), self.additional_event_data.and_then(object).as_ref());
        let outcome = Outcome { code: code.as_deref(), message: message.as_deref() };
        Fields {
            event_type: Some(self.qualified(&name)),
            status: Some(outcome.status(&name, [response.as_ref(), details.as_ref()]).to_owned()),
            actor_type: actor.kind,
            actor_id: actor.id,
            actor_name: actor.name,
            resource_type: kind,
            resource_id: id,
            error_message: message.clone().or_else(|| code.clone()),
            ..self.common(code.as_deref())
        }
    }

    /// An Insights event: unusual activity that starts or ends. Nobody did it.
    fn insight(self, insight: &Item<'_>) -> Fields {
        let text = |name| insight.text(name);
        let kind = text("insightType").unwrap_or_else(|| "Insight".to_owned());
        let has_started = text("state").as_deref() == Some("Start");
        let error_code = text("errorCode");
        let mut meta = self.meta(error_code.as_deref());
        for (name, member) in [("event_source", "eventSource"), ("event_name", "eventName"), ("insight_state", "state")]
        {
            if let Some(value) = text(member) {
                meta.insert(name.to_owned(), value.into());
            }
        }
        let status = if has_started { "started" } else { "success" };
        Fields {
            event_type: Some(format!("cloudtrail.{kind}")),
            status: Some(status.to_owned()),
            meta: Some(meta.into()),
            ..self.common(error_code.as_deref())
        }
    }

    /// What every record may have.
    fn common(self, error_code: Option<&str>) -> Fields {
        let meta = self.meta(error_code).into();
        let ip_address = self.source_ip_address.map(|address| addresses::respelled(&address).unwrap_or(address));
        Fields {
            meta: Some(meta),
            ip_address,
            user_agent: self.user_agent,
            request_id: self.request_id,
            correlation_id: self.shared_event_id,
            ..Fields::default()
        }
    }

    fn meta(&self, error_code: Option<&str>) -> Map<String, Value> {
        let texts = [
            ("aws_region", self.aws_region.as_deref()),
            ("event_source", self.event_source.as_deref()),
            ("aws_event_type", self.event_type.as_deref()),
            ("event_category", self.event_category.as_deref()),
            ("aws_account", self.recipient_account_id.as_deref()),
            ("error_code", error_code),
        ];
        let mut meta = Map::new();
        for (name, text) in texts {
            if let Some(text) = text {
                meta.insert(name.to_owned(), text.into());
            }
        }
        if let Some(read_only) = self.read_only {
            meta.insert("read_only".to_owned(), Value::from(read_only));
        }
        meta
    }

    /// `ec2` of `ec2.amazonaws.com`.
    fn service(&self) -> &str {
        let source = self.event_source.as_deref().unwrap_or_default();
        source.strip_suffix(".amazonaws.com").unwrap_or(source)
    }

    fn qualified(&self, name: &str) -> String {
        match self.service() {
            "" => name.to_owned(),
            service => format!("{service}.{name}"),
        }
    }

    fn payload(&self) -> BTreeMap<&'static str, &'a RawValue> {
        let parts = [
            ("user_identity", self.user_identity),
            ("request_parameters", self.request_parameters),
            ("response_elements", self.response_elements),
            ("additional_event_data", self.additional_event_data),
            ("service_event_details", self.service_event_details),
            ("insight_details", self.insight_details),
            ("resources", self.resources),
        ];
        parts.into_iter().filter_map(|(name, part)| Some((name, part?))).collect()
    }
}

/// Who called.
#[derive(Default)]
struct Actor {
    kind: Option<String>,
    id: Option<String>,
    name: Option<String>,
}

impl Actor {
    fn of(identity: Option<&Item<'_>>, additional: Option<&Item<'_>>) -> Self {
        let signing_in = || additional.and_then(|data| data.text("UserName"));
        let Some(identity) = identity else { return Self { name: signing_in(), ..Self::default() } };
        let text = |name| identity.text(name);
        // Of a person of IAM Identity Center nothing else tells one from another of the same account.
        let person = || identity.object("onBehalfOf")?.text("userId");
        let issuer = || identity.object("sessionContext")?.object("sessionIssuer")?.text("userName");
        let id = text("arn").or_else(|| text("principalId")).or_else(person).or_else(|| text("invokedBy"));
        let id = id.or_else(|| text("userName")).or_else(|| text("accountId")).or_else(|| text("type"));
        let name = text("userName").or_else(issuer).or_else(|| text("invokedBy")).or_else(signing_in);
        Self { kind: text("type"), id, name }
    }
}

fn object(value: &RawValue) -> Option<Item<'_>> {
    if value.get().starts_with('{') { Item::parse(value.get()).ok() } else { None }
}

/// CloudTrail writes `""` for no error, too.
fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
