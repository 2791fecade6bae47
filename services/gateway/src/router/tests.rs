use super::*;

#[test]
fn every_route_but_the_health_checks_needs_a_token() {
    for route in routes() {
        let is_health = ["/healthz", "/readyz"].contains(&route.path);
        assert_eq!(route.access == Access::Open, is_health, "{} {}", route.method, route.path);
    }
}
