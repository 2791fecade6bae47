//! What the person who starts the servers is told when they are at work.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use runtime::settings::Settings;

use crate::nats_url;

/// One line when the roles of `run` are at work.
pub(crate) fn announce(api: Option<&str>, metrics: Option<SocketAddr>) {
    let metrics = metrics.map(|address| format!(", metrics at http://{address}/metrics")).unwrap_or_default();
    match api {
        Some(api) => say(&format!("ready, the API is at {api}{metrics}\n")),
        None => say(&format!("ready{metrics}\n")),
    }
}

/// Prints to the person who started us. They may be gone, which is no reason to stop.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What runs where, and what to try first.
pub(crate) fn greet(settings: &Settings, own_server: Option<u32>, api: Option<&str>, metrics: Option<SocketAddr>) {
    let metrics = metrics.map(|address| format!("\n  Metrics  http://{address}/metrics")).unwrap_or_default();
    let api = api.unwrap_or_default();
    let page =
        if gateway::HAS_PAGE { format!("{api}/explorer") } else { "none: this was built without Node 20".to_owned() };
    let data = settings.data_dir.display();
    let token: PathBuf = settings.data_dir.join("admin.token");
    let token = token.display();
    let nats = match own_server {
        Some(pid) => {
            let (shown, file) = (nats_url::without_password(settings.nats_port), nats_url::file(&settings.data_dir));
            format!("{shown}  (own server, pid {pid}; its URL with the password is in {})", file.display())
        }
        // The URL itself may hold a password.
        None => "the server that FLOWTRAIL_NATS_URL names".to_owned(),
    };
    say(&format!(
        "
Flowtrail {version} is ready.

  API    {api}  (described at {api}/docs)
  Page   {page}
  NATS   {nats}
  Data   {data}
  Token  {token}  (account main, all scopes){metrics}

Try:

  TOKEN=$(cat {token})
  curl -H \"Authorization: Token $TOKEN\" {api}/api/events/audit
  curl -H \"Authorization: Token $TOKEN\" '{api}/api/events/network-traffic?page_size=5'
  curl -H \"Authorization: Token $TOKEN\" {api}/api/events/audit \\
       -d '{{\"event_type\":\"door.open\",\"actor_id\":\"alice\",\"resource_id\":\"lab\"}}'

Ctrl-C stops everything.
",
        version = env!("CARGO_PKG_VERSION"),
    ));
}
