/**
 * The platforms and the keys of their configurations, as docs/delivery.md has them. The service's description of its API
 * names platforms and keys, but neither which are secret nor what they may be: that is said here. A stored key that is not
 * named here stays as it is.
 */

export interface Field {
  readonly key: string;
  /** Another name that the platform takes for the same; shown where it is the one that is stored. */
  readonly alias?: string;
  readonly label: string;
  readonly kind: "text" | "secret" | "headers" | "families" | "template" | "choice";
  readonly isNeeded?: boolean;
  readonly hint?: string;
  readonly example?: string;
  /** Of a choice, besides none. */
  readonly choices?: readonly string[];
  /** What most do without. */
  readonly isRare?: boolean;
}

export interface Platform {
  readonly name: string;
  readonly label: string;
  readonly about: string;
  /** The keys that say where events go, first the one that says it best. */
  readonly destination: readonly string[];
  readonly fields: readonly Field[];
}

const EVENTS: readonly Field[] = [
  { key: "events", label: "Events", kind: "families", hint: "Reads are records of who looked at events." },
  {
    key: "filter",
    label: "Filter",
    kind: "text",
    example: "status:failure -ip:10.0.0.0/8",
    hint: "In the language of the search. Empty: all events that are chosen above.",
  },
];

const HEADERS: Field = { key: "headers", label: "Headers", kind: "headers", hint: "Sent with every request. Values are never shown again." };

const CREDENTIALS: readonly Field[] = [
  { key: "region", label: "Region", kind: "text", isNeeded: true, example: "eu-central-1" },
  { key: "access_key_id", alias: "access_key", label: "Access key ID", kind: "text", isNeeded: true },
  { key: "secret_access_key", alias: "secret_key", label: "Secret access key", kind: "secret", isNeeded: true },
];

const AMAZON_RARE: readonly Field[] = [
  { key: "session_token", label: "Session token", kind: "secret", hint: "Of temporary credentials.", isRare: true },
  { key: "endpoint", label: "Endpoint", kind: "text", hint: "Another address than Amazon's.", example: "https://storage.example.com", isRare: true },
];

export const PLATFORMS: readonly Platform[] = [
  {
    name: "generic_http",
    label: "Web hook",
    about: "Any HTTP receiver: one POST an event, or batches.",
    destination: ["url"],
    fields: [
      { key: "url", label: "URL", kind: "text", isNeeded: true, example: "https://hooks.example.com/flowtrail", hint: "Once stored, only its host is shown." },
      HEADERS,
      { key: "signing_secret", label: "Signing secret", kind: "secret", example: "whsec_…", hint: "whsec_ and base64: signs every request, as Standard Webhooks do." },
      ...EVENTS,
      { key: "format", label: "Format", kind: "choice", choices: ["netbird", "document"], hint: "netbird: NetBird's body. document: all of an event.", isRare: true },
      { key: "batch", label: "Batch", kind: "choice", choices: ["ndjson", "array"], hint: "Up to 1,000 events a request; array where they are signed.", isRare: true },
      { key: "body_template", label: "Body template", kind: "template", example: '{"text": "{{.Message}}"}', hint: "JSON in which {{.Message}} and the like stand for values; not with the format document.", isRare: true },
      { key: "signing_secret_previous", label: "Previous signing secret", kind: "secret", hint: "Signs too, while receivers change over.", isRare: true },
    ],
  },
  {
    name: "datadog",
    label: "Datadog",
    about: "Its intake of logs.",
    destination: ["site", "api_url"],
    fields: [
      { key: "api_key", label: "API key", kind: "secret", isNeeded: true },
      {
        key: "site",
        label: "Site",
        kind: "choice",
        choices: [
          "datadoghq.com",
          "us3.datadoghq.com",
          "us5.datadoghq.com",
          "ap1.datadoghq.com",
          "ap2.datadoghq.com",
          "uk1.datadoghq.com",
          "datadoghq.eu",
          "ddog-gov.com",
          "us2.ddog-gov.com",
        ],
        hint: "This, or the API's URL.",
      },
      { key: "api_url", label: "API URL", kind: "text", example: "https://http-intake.logs.datadoghq.eu/api/v2/logs", hint: "The intake's whole address, where it is no site of the list." },
      ...EVENTS,
    ],
  },
  {
    name: "s3",
    label: "S3",
    about: "Objects of NDJSON or Parquet in a bucket of Amazon S3, or of what speaks its protocol.",
    destination: ["bucket_name"],
    fields: [
      { key: "bucket_name", label: "Bucket", kind: "text", isNeeded: true, example: "audit-trail" },
      { key: "prefix", label: "Prefix", kind: "text", example: "logs/flowtrail", hint: "Stands before every object's name." },
      ...CREDENTIALS,
      { key: "format", label: "Format", kind: "choice", choices: ["ndjson", "parquet"], hint: "Without a choice: ndjson." },
      ...EVENTS,
      { key: "batch_seconds", label: "Seconds of a batch", kind: "text", example: "300", hint: "How long events are collected, 1 to 900.", isRare: true },
      { key: "path_style", label: "Bucket in the path", kind: "choice", choices: ["true", "false"], isRare: true },
      { key: "object_lock_mode", label: "Object Lock", kind: "choice", choices: ["GOVERNANCE", "COMPLIANCE"], hint: "Objects cannot be deleted, in a bucket with Object Lock.", isRare: true },
      { key: "object_lock_days", label: "Days of the lock", kind: "text", example: "365", isRare: true },
      ...AMAZON_RARE,
    ],
  },
  {
    name: "firehose",
    label: "Firehose",
    about: "A delivery stream of Amazon Data Firehose.",
    destination: ["stream_name"],
    fields: [{ key: "stream_name", label: "Delivery stream", kind: "text", isNeeded: true }, ...CREDENTIALS, ...EVENTS, ...AMAZON_RARE],
  },
  {
    name: "otlp",
    label: "OpenTelemetry",
    about: "A collector, or what speaks its protocol, over HTTP.",
    destination: ["url"],
    fields: [
      { key: "url", label: "URL", kind: "text", isNeeded: true, example: "https://collector.example.com:4318", hint: "/v1/logs is appended. Once stored, only its host is shown." },
      HEADERS,
      ...EVENTS,
    ],
  },
  {
    name: "syslog",
    label: "Syslog",
    about: "A syslog server, RFC 5424 over TCP.",
    destination: ["address"],
    fields: [
      { key: "address", label: "Address", kind: "text", isNeeded: true, example: "logs.example.com:6514", hint: "Host and port." },
      ...EVENTS,
      { key: "framing", label: "Framing", kind: "choice", choices: ["octet_counting", "newline"], hint: "How messages are told apart. Without a choice: octet_counting.", isRare: true },
      { key: "max_message_bytes", label: "Bytes of a message", kind: "text", example: "8192", hint: "What the server takes at most, 1024 to 1,048,576.", isRare: true },
      { key: "tls", label: "TLS", kind: "choice", choices: ["true", "false"], hint: "Off only where the operator allows it.", isRare: true },
    ],
  },
  {
    name: "splunk_hec",
    label: "Splunk",
    about: "Its HTTP event collector.",
    destination: ["url"],
    fields: [
      { key: "url", label: "URL", kind: "text", isNeeded: true, example: "https://splunk.example.com:8088", hint: "/services/collector/event is appended." },
      { key: "token", label: "Token", kind: "secret", isNeeded: true },
      ...EVENTS,
      { key: "index", label: "Index", kind: "text", hint: "Empty: the token's.", isRare: true },
      { key: "source", label: "Source", kind: "text", example: "flowtrail", isRare: true },
      { key: "sourcetype", label: "Source type", kind: "text", example: "flowtrail:audit", isRare: true },
    ],
  },
];

/** The platform of that name, if this page knows it. */
export function platformOf(name: string): Platform | undefined {
  return PLATFORMS.find((platform) => platform.name === name);
}
