//! Refused reads say as of when, and which request they answer, in every dialect.

use axum::http::Method;
use model::access::Scope;

use super::world::World;

const AUDIT: &str = "/api/events/audit";
const VRNI: &str = "/api/ni/logs/audit";

#[tokio::test]
async fn every_refused_read_says_as_of_when_it_is_and_which_request_it_answers() {
    let world = World::start().await;
    world.account("main");
    let all = world.token("main", &[Scope::Admin]);
    let none = world.token("main", &[]);
    world.integration("main", 2);
    let (get, post) = (Method::GET, Method::POST);
    let reads = [
        (&get, AUDIT, "?limit=x", 400),
        (&get, "/api/events/network-traffic", "?page=0", 400),
        (&get, "/api/event-streaming/9", "", 404),
        (&get, "/v1/audit/events/none", "", 404),
        (&get, "/v1/audit/events", "?limit=0", 422),
        (&get, "/v1/audit/events", "?cursor=!!", 400),
        (&post, VRNI, "?", 400),
    ];
    for (method, path, query, status) in reads {
        for (token, expected) in [(&all, status), (&none, 403), (&"ft_unknown".to_owned(), 401)] {
            let body = if method == post { "{" } else { "" };
            let answer = world.put(method.clone(), token, &format!("{path}{query}"), body).await;
            assert_eq!(answer.status.as_u16(), expected, "{path}{query}");
            // What was asked for decides a 404, who asks every other one.
            let decides = match (expected, path) {
                (404, "/api/event-streaming/9") => "FLOWTRAIL_INTEGRATION:",
                (404, _) => "FLOWTRAIL_AUDIT:",
                _ => "FLOWTRAIL_ACCESS:",
            };
            let as_of = answer.header("flowtrail-as-of").unwrap_or_default();
            assert!(as_of.starts_with(decides), "{expected} {path}{query}: {as_of:?}");
            assert_eq!(answer.header("flowtrail-lag-ms"), Some("0"), "{expected} {path}{query}");
            assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()), "{expected} {path}{query}");
        }
    }
}

#[tokio::test]
async fn a_refused_write_says_nothing_about_a_read() {
    let world = World::start().await;
    let token = world.token("main", &[Scope::AuditRead]);
    let answer = world.put(Method::POST, &token, AUDIT, "{}").await;
    assert_eq!((answer.status.as_u16(), answer.header("flowtrail-as-of")), (403, None));
    assert!(answer.header("x-request-id").is_some());
}
