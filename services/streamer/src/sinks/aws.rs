//! What Amazon's services share: credentials, signatures, the names of errors.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Request, RequestBuilder};

use super::http::quoted;
use crate::opened::{ConfigError, Opened};
use crate::sink::Failure;

/// Signs requests to one service in one region.
#[derive(Debug)]
pub(super) struct Signer {
    credentials: Credentials,
    region: String,
    service: Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    Firehose,
}

impl Signer {
    pub(super) fn new(config: &Opened, service: Service) -> Result<Self, ConfigError> {
        let pairs = [("access_key", "secret_key"), ("access_key_id", "secret_access_key")];
        let pair = pairs.iter().find_map(|(id, secret)| Some((config.text(id)?, config.secret(secret)?)));
        let (id, secret) = pair.ok_or_else(|| ConfigError::new("secret_key", "is required, with its access_key"))?;
        let session = config.secret("session_token").map(|token| token.reveal().to_owned());
        let credentials = Credentials::new(id, secret.reveal(), session, None, "flowtrail");
        Ok(Self { credentials, region: config.required("region")?.to_owned(), service })
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// Where the service is when no endpoint is named.
    pub(super) fn host(&self) -> String {
        let service = self.service.name();
        let domain = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("{service}.{}.{domain}", self.region)
    }

    /// The request with its signature, which is good for some minutes around the time of the clock.
    pub(super) fn sign(&self, client: &Client, request: RequestBuilder) -> Result<RequestBuilder, Failure> {
        let mut request = request.build().map_err(|_| Failure::stop("no request can be made of the configuration"))?;
        let headers = self.signature(&request).map_err(|()| Failure::stop("the request cannot be signed"))?;
        request.headers_mut().extend(headers);
        Ok(RequestBuilder::from_parts(client.clone(), request))
    }

    fn signature(&self, request: &Request) -> Result<Vec<(HeaderName, HeaderValue)>, ()> {
        let identity = self.credentials.clone().into();
        let micros = u64::try_from(runtime::clock::now_micros()).unwrap_or_default();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service.name())
            .time(UNIX_EPOCH + Duration::from_micros(micros))
            .settings(self.service.settings())
            .build()
            .map_err(drop)?
            .into();
        let given: Vec<(&str, &str)> =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.url().as_str(),
            given.into_iter(),
            SignableBody::Bytes(body),
        );
        let (instructions, _) = sign(signable.map_err(drop)?, &parameters).map_err(drop)?.into_parts();
        let header = |(name, value): (&str, &str)| {
            Ok((HeaderName::try_from(name).map_err(drop)?, HeaderValue::try_from(value).map_err(drop)?))
        };
        instructions.headers().map(header).collect()
    }
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Firehose => "firehose",
        }
    }

    /// S3 takes paths as they are and wants the digest of the body in a header of its own.
    fn settings(self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self == Self::S3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }
}

/// The name of an error as a service gave it: a word, and nothing else of what it answered.
pub(super) fn error_name(text: &str) -> Option<&str> {
    let name = text.rsplit('#').next().unwrap_or(text).split(':').next().unwrap_or_default();
    let is_word = !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then_some(name)
}

/// `<Code>` of an error document.
pub(super) fn error_code(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    let code = text.split_once("<Code>")?.1.split_once("</Code>")?.0;
    error_name(code)
}

/// `<Message>` of an error document, as people may be shown it.
pub(super) fn error_message(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let message = text.split_once("<Message>")?.1.split_once("</Message>")?.0;
    // `&amp;` last: what it stands for begins no other.
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    quoted(&entities.iter().fold(message.to_owned(), |message, (entity, sign)| message.replace(entity, sign)))
}

/// What is wrong, where credentials are.
pub(super) fn credentials_problem(name: &str) -> Option<&'static str> {
    Some(match name {
        "SignatureDoesNotMatch" | "InvalidSignatureException" => "the secret key does not belong to the access key",
        "InvalidAccessKeyId" | "UnrecognizedClientException" => "the access key is not known",
        "InvalidToken" | "InvalidClientTokenId" => "the session token or access key is not known",
        "ExpiredToken" | "ExpiredTokenException" => "the session token has expired",
        "AccessDenied" | "AccessDeniedException" => "the policy of the access key does not allow it",
        "RequestTimeTooSkewed" | "RequestExpired" => "the clock of this machine is wrong",
        "IncompleteSignature" | "MissingAuthenticationToken" | "NotAuthorized" => "the credentials are not complete",
        _ => return None,
    })
}
