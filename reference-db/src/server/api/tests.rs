//! The router in process, against its description: what is documented is there, what is there is documented, and every
//! answer met in a broad scenario is as described.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::http::Request as HttpRequest;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::clock::{DotSet, Hlc, VersionVector};
use crate::config::{NodeConfig, NodeSettings};
use crate::datum::Datum;
use crate::event::{Change, Effect, Event, Key};
use crate::message::{Body as Content, Boot, Message};
use crate::misdirected::Misdirected;
use crate::mode::Mode;
use crate::node::Node;
use crate::request::SyncState;
use crate::server::host::{Host, now};
use crate::settings::ClusterSettings;
use crate::storage::MemoryDisk;
use crate::topology::Epoch;

/// One node of two behind the router, the other played by the test; and which answers were met.
struct Tester {
    router: Router,
    jobs: Jobs,
    description: Value,
    met: BTreeMap<String, usize>,
}

impl Tester {
    fn new(name: &str, mode: Mode) -> Tester {
        Tester::of(name, ClusterSettings { mode, ..ClusterSettings::default() })
    }

    fn of(name: &str, cluster: ClusterSettings) -> Tester {
        let members = ["A", "B"].map(|name| NodeName::new(name).unwrap()).to_vec();
        let name = NodeName::new(name).unwrap();
        let config = NodeConfig::new(NodeSettings { cluster, ..NodeSettings::new(name, members) }).unwrap();
        let (node, outputs) = Node::recover(config, now(), []).unwrap();
        let (jobs, _) = Host::start(node, Box::new(MemoryDisk::default()), outputs, BTreeMap::new()).unwrap();
        let description = serde_json::from_str(about::OPENAPI).unwrap();
        Tester {
            router: router(
                jobs.clone(),
                name,
                [(NodeName::new("A").unwrap(), "a.example:1".to_owned())].into(),
            ),
            jobs,
            description,
            met: BTreeMap::new(),
        }
    }

    /// Sends `PUT /v1/kv/{key} key=x header: value | body`, holds the answer to its description, and gives its status,
    /// outcome, headers and body.
    async fn check(&mut self, request: &str, expected: &str) -> Value {
        let (head, body) = request.split_once(" | ").unwrap_or((request, ""));
        let mut words = head.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let (template, concrete) = template(path);
        let mut http = HttpRequest::builder().method(method).uri(concrete);
        for header in words {
            let (name, value) = header.split_once('=').unwrap();
            http = http.header(name, value.replace('_', " "));
        }
        let http = http.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(http).await.unwrap();
        let status = response.status().as_u16();
        let outcome = response.headers()["refdb-outcome"].to_str().unwrap().to_owned();
        assert_eq!(response.headers()["refdb-node"].to_str().unwrap().len(), 1);
        assert_eq!(response.headers()["content-type"], "application/json");
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(format!("{status} {outcome}"), expected, "{request}: {body}");
        self.validate(&template, method, status, &body);
        body
    }

    fn validate(&mut self, template: &str, method: &str, status: u16, body: &Value) {
        let operation = &self.description["paths"][template][method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        assert!(response.is_object(), "{method} {template} {status} is not documented");
        for header in response["headers"].as_object().unwrap().values() {
            assert!(header["$ref"].is_string());
        }
        let mut schema = response["content"]["application/json"]["schema"].clone();
        schema["components"] = self.description["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{method} {template} {status}: {errors:?} in {body}");
        *self.met.entry(format!("{method} {template} {status}")).or_default() += 1;
    }

    /// Lets the node hear of a concurrent write by its peer.
    fn concurrent_write(&self, key: &str, value: i64) {
        let dot: crate::Dot = "B:1".parse().unwrap();
        let change = Change::Write { value: Datum::integer(value), covers: Default::default() };
        let effects = [Effect { key: Key::from(key), change }].into();
        let hlc = Hlc { millis: 1, count: 0 };
        let event = Event { dot, hlc, deps: VersionVector::new(), effects };
        let body = Content::Push { events: vec![event.into()] };
        let message = Message {
            origin: dot.origin,
            boot: Boot(1),
            applied: Default::default(),
            state: SyncState::InSync,
            epoch: Epoch { term: 0, number: 0, by: NodeName::new("A").unwrap() },
            promised: 0,
            sent_at: now(),
            echo: None,
            body,
        };
        assert!(self.jobs.deliver(dot.origin.node, vec![message]));
    }
}

/// The documented path to which a path belongs, and the path without the mark of its key.
fn template(path: &str) -> (String, String) {
    let bare = path.split('?').next().unwrap();
    let template = match bare.strip_prefix("/v1/kv/") {
        Some(key) if key.ends_with("/ops") => "/v1/kv/{key}/ops".to_owned(),
        Some(_) => "/v1/kv/{key}".to_owned(),
        None => bare.to_owned(),
    };
    (template, path.to_owned())
}

#[test]
fn the_description_names_every_path_and_no_other() {
    let description: Value = serde_json::from_str(about::OPENAPI).unwrap();
    let documented: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    let mut paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    assert!(paths.is_sorted());
    let mut documented: Vec<&str> = documented.into_iter().map(String::as_str).collect();
    documented.sort_unstable();
    paths.sort_unstable();
    assert_eq!(paths, documented);
}

#[tokio::test]
async fn the_description_names_every_method_and_no_other() {
    let tester = Tester::new("A", Mode::Lww);
    for (path, item) in tester.description["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete", "patch"] {
            let uri = path.replace("{key}", "k");
            let request = HttpRequest::builder().method(method.to_uppercase().as_str()).uri(&uri);
            let response = tester.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let answers = response.status() != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(answers, item[method].is_object(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let mut met = BTreeMap::new();
    for tester in [
        plain().await,
        siblings().await,
        merged().await,
        follower().await,
        misdirected(Misdirected::Redirect, 307).await,
        misdirected(Misdirected::Reject, 421).await,
        stopped().await,
    ] {
        met.extend(tester.met);
    }
    let description: Value = serde_json::from_str(about::OPENAPI).unwrap();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in
            item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters")
        {
            for status in operation["responses"].as_object().unwrap().keys() {
                let answer = format!("{} {path} {status}", method.to_uppercase());
                assert!(met.contains_key(&answer), "{answer} is documented and was never met");
            }
        }
    }
}

async fn plain() -> Tester {
    let mut tester = Tester::new("A", Mode::Lww);
    for path in
        ["/healthz", "/readyz", "/v1/digest", "/v1/status", "/v1/openapi.json", "/v1/keys", "/v1/topology"]
            .into_iter()
            .chain(["/v1/leader", "/v1/discarded"])
    {
        tester.check(&format!("GET {path}"), "200 applied").await;
    }
    tester.check("GET /v1/keys?consistency=quorum", "400 not-applied").await;
    tester.check("GET /v1/kv/x", "404 applied").await;
    tester.check("GET /v1/kv/x refdb-consistency=strong", "400 not-applied").await;
    let written = tester.check(r#"PUT /v1/kv/x | {"value": 1}"#, "200 applied").await;
    let version = written["version"].as_str().unwrap();
    let read = tester.check("GET /v1/kv/x", "200 applied").await;
    assert_eq!((read["value"].as_i64(), read["version"].as_str()), (Some(1), Some(version)));
    tester.check(&format!(r#"PUT /v1/kv/x if-match="{version}" | {{"value": [1]}}"#), "200 applied").await;
    tester.check(&format!(r#"PUT /v1/kv/x if-match="{version}" | {{"value": 3}}"#), "409 not-applied").await;
    tester.check(r#"PUT /v1/kv/x if-none-match=* | {"value": 3}"#, "409 not-applied").await;
    tester.check(r#"POST /v1/kv/x/ops | {"op":"append","value":2}"#, "200 applied").await;
    tester.check(r#"POST /v1/kv/x/ops | {"op":"increment","by":2}"#, "422 not-applied").await;
    tester.check(r#"POST /v1/kv/x/ops | {"op":"cas","from":1,"to":2}"#, "409 not-applied").await;
    tester.check(r#"POST /v1/kv/n/ops | {"op":"cas","from":null,"to":2}"#, "200 applied").await;
    tester
        .check(r#"POST /v1/kv/n/ops | {"op":"increment","by":9223372036854775807}"#, "422 not-applied")
        .await;
    let ops = r#"[{"f":"read","key":"x"},{"f":"append","key":"x","value":3},{"f":"read","key":"x"},{"f":"read","key":"no"}]"#;
    let committed = tester.check(&format!(r#"POST /v1/txn | {{"ops":{ops}}}"#), "200 applied").await;
    assert_eq!(committed["results"][2]["value"], serde_json::json!([1, 2, 3]));
    assert_eq!(committed["results"][3], serde_json::json!({ "value": null }));
    let ops = r#"[{"f":"write","key":"x","value":0},{"f":"cas","key":"n","from":7,"to":8}]"#;
    tester.check(&format!(r#"POST /v1/txn | {{"ops":{ops}}}"#), "409 not-applied").await;
    tester.check(r#"POST /v1/txn | {"ops":[{"f":"read","key":"x"}]}"#, "200 applied").await;
    tester.check("DELETE /v1/kv/x if-match=\"A:999\"", "409 not-applied").await;
    tester.check("DELETE /v1/kv/x", "200 applied").await;
    tester.check("GET /v1/kv/x", "404 applied").await;
    malformed(&mut tester).await;
    in_session(&mut tester).await;
    relinked(&mut tester).await;
    tester
}

async fn in_session(tester: &mut Tester) {
    let token = answer::to_token;
    let dot = |text: &str| DotSet::of([text.parse().unwrap()]);
    let nothing = token(&DotSet::new());
    tester.check(&format!(r#"PUT /v1/kv/s refdb-session={nothing} | {{"value": 1}}"#), "200 applied").await;
    // What only another node has does not come in time.
    let unseen = format!("refdb-session={} refdb-wait-ms=0", token(&dot("B:7")));
    tester.check(&format!("GET /v1/keys {unseen}"), "412 not-applied").await;
    tester.check(&format!("GET /v1/kv/s {unseen}"), "412 not-applied").await;
    tester.check(&format!(r#"PUT /v1/kv/s {unseen} | {{"value": 1}}"#), "412 not-applied").await;
    tester.check(&format!("DELETE /v1/kv/s {unseen}"), "412 not-applied").await;
    tester
        .check(&format!(r#"POST /v1/kv/s/ops {unseen} | {{"op":"add","value":1}}"#), "412 not-applied")
        .await;
    let ops = r#"{"ops":[{"f":"read","key":"s"}]}"#;
    tester.check(&format!("POST /v1/txn {unseen} | {ops}"), "412 not-applied").await;
    tester
        .check(&format!("GET /v1/kv/s refdb-session={nothing} refdb-wait-ms=soon"), "400 not-applied")
        .await;
    tester.check("GET /v1/kv/s refdb-session=zz", "400 not-applied").await;
}

async fn relinked(tester: &mut Tester) {
    tester.check("POST /v1/promote | {}", "422 not-applied").await;
    let changed = tester.check(r#"PUT /v1/topology | {"topology":"ring"}"#, "200 applied").await;
    assert_eq!(changed["links"], serde_json::json!(["A>B", "B>A"]));
    tester.check(r#"PUT /v1/topology | {"topology":"custom","links":["A>B"]}"#, "422 not-applied").await;
    tester.check(r#"PUT /v1/topology | {"topology":"custom","links":["A-B"]}"#, "200 applied").await;
    for nodes in [r#"["A","C"]"#, r#"["A","A"]"#, "[]"] {
        tester.check(&format!(r#"PUT /v1/topology | {{"nodes":{nodes}}}"#), "422 not-applied").await;
    }
    for body in
        [r#"{"topology":"circle"}"#, r#"{"links":["A"]}"#, r#"{"nodes":["a b"]}"#, r#"{"shape":1}"#, ""]
    {
        tester.check(&format!("PUT /v1/topology | {body}"), "400 not-applied").await;
    }
    tester.check(r#"PUT /v1/topology | {"topology":"star","nodes":["B"]}"#, "200 applied").await;
    assert_eq!(tester.check("GET /v1/topology", "200 applied").await["epoch"], 3);
    // What takes no part says so, and can be linked in again.
    tester.check("GET /readyz", "503 not-applied").await;
    tester.check(r#"PUT /v1/kv/x | {"value": 1}"#, "503 not-applied").await;
    tester.check("GET /v1/kv/x refdb-consistency=local", "404 applied").await;
    tester.check(r#"PUT /v1/topology | {"nodes":["A","B"]}"#, "200 applied").await;
    tester.check("GET /readyz", "200 applied").await;
}

async fn malformed(tester: &mut Tester) {
    let long = format!(r#"PUT /v1/kv/{} | {{"value": 1}}"#, "k".repeat(1025));
    let nested = format!(r#"PUT /v1/kv/x | {{"value": {}{}}}"#, "[".repeat(100), "]".repeat(100));
    for request in [
        &long,
        &nested,
        "PUT /v1/kv/x | {\"value\": ",
        "PUT /v1/kv/x | {}",
        "PUT /v1/kv/x | {\"value\": 1, \"ttl\": 3}",
        "PUT /v1/kv/x | {\"value\": 9223372036854775808}",
        "PUT /v1/kv/%ff | {\"value\": 1}",
        "PUT /v1/kv/x if-match=yesterday | {\"value\": 1}",
        "PUT /v1/kv/x if-none-match=\"A:1\" | {\"value\": 1}",
        "PUT /v1/kv/x if-none-match=* if-match=\"A:1\" | {\"value\": 1}",
        "PUT /v1/kv/x refdb-context=xyz | {\"value\": 1}",
        "DELETE /v1/kv/x if-match=",
        "POST /v1/kv/x/ops | {\"op\":\"append\"}",
        "POST /v1/kv/x/ops | {\"op\":\"write\",\"value\":1}",
        "POST /v1/kv/x/ops | {\"op\":\"increment\",\"by\":1.5}",
        "POST /v1/kv/x/ops | {\"op\":\"append\",\"value\":1,\"key\":\"y\"}",
        "POST /v1/kv/x/ops | {\"value\":1}",
        "POST /v1/txn | {\"ops\":[]}",
        "POST /v1/txn | {\"ops\":[{\"f\":\"read\"}]}",
        "POST /v1/txn | {\"ops\":[{\"f\":\"push\",\"key\":\"x\"}]}",
        "POST /v1/txn | []",
    ] {
        tester.check(request, "400 not-applied").await;
    }
    let big = "1".repeat(1024 * 1024 + 1);
    for request in
        ["PUT /v1/kv/x", "POST /v1/kv/x/ops", "POST /v1/txn", "PUT /v1/topology", "POST /v1/promote"]
    {
        tester.check(&format!("{request} | {big}"), "413 not-applied").await;
    }
    for (uri, status) in [("/", 404), ("/v1/kv/", 404), ("/v1/kv/a/b", 404)] {
        let request = HttpRequest::builder().uri(uri).body(Body::empty()).unwrap();
        let response = tester.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{uri}");
        assert_eq!(response.headers()["refdb-outcome"], "not-applied");
    }
}

async fn siblings() -> Tester {
    let mut tester = Tester::new("A", Mode::Siblings);
    tester.check(r#"PUT /v1/kv/x | {"value": 1}"#, "200 applied").await;
    tester.concurrent_write("x", 2);
    let both = tester.check("GET /v1/kv/x", "300 applied").await;
    assert_eq!(both["siblings"].as_array().unwrap().len(), 2);
    tester.check(r#"POST /v1/txn | {"ops":[{"f":"read","key":"x"}]}"#, "200 applied").await;
    let context = both["context"].as_str().unwrap();
    tester.check(&format!(r#"PUT /v1/kv/x refdb-context={context} | {{"value": 3}}"#), "200 applied").await;
    assert_eq!(tester.check("GET /v1/kv/x", "200 applied").await["value"], 3);
    tester
}

async fn merged() -> Tester {
    let mut tester = Tester::new("A", Mode::Crdt);
    tester.check(r#"POST /v1/kv/c/ops | {"op":"increment","by":-3}"#, "200 applied").await;
    assert_eq!(tester.check("GET /v1/kv/c", "200 applied").await["value"], -3);
    tester.check(r#"POST /v1/kv/s/ops | {"op":"add","value":"a"}"#, "200 applied").await;
    tester.check(r#"POST /v1/kv/s/ops | {"op":"remove","value":"a"}"#, "200 applied").await;
    tester.check("GET /v1/kv/s", "404 applied").await;
    tester.check(r#"PUT /v1/kv/c | {"value": 1}"#, "422 not-applied").await;
    tester.check(r#"DELETE /v1/kv/c if-match="A:1""#, "422 not-applied").await;
    tester
}

async fn follower() -> Tester {
    let mut tester = Tester::new("B", Mode::SingleLeader);
    tester.check("GET /readyz", "503 not-applied").await;
    tester.check(r#"PUT /v1/kv/x | {"value": 1}"#, "503 not-applied").await;
    tester.check("GET /v1/kv/x", "503 not-applied").await;
    tester.check("GET /v1/kv/x refdb-consistency=local", "404 applied").await;
    // It leads from here on, and has to catch up with the other first.
    assert_eq!(tester.check("GET /v1/leader", "200 applied").await["leader"], "A");
    tester.check(r#"POST /v1/promote | {"force":1}"#, "400 not-applied").await;
    let promoted = tester.check(r#"POST /v1/promote | {"force":true}"#, "200 applied").await;
    assert_eq!((promoted["term"].as_u64(), promoted["nodes"][0].as_str()), (Some(1), Some("B")));
    assert_eq!(tester.check("GET /v1/leader", "200 applied").await["leader"], "B");
    tester
}

async fn misdirected(misdirected: Misdirected, status: u16) -> Tester {
    let mode = Mode::SingleLeader;
    let mut tester = Tester::of("B", ClusterSettings { mode, misdirected, ..ClusterSettings::default() });
    let expected = format!("{status} not-applied");
    for request in [
        "GET /v1/keys",
        "GET /v1/kv/x",
        r#"PUT /v1/kv/x | {"value": 1}"#,
        "DELETE /v1/kv/x",
        r#"POST /v1/kv/x/ops | {"op":"append","value":1}"#,
        r#"POST /v1/txn | {"ops":[{"f":"read","key":"x"}]}"#,
    ] {
        tester.check(request, &expected).await;
    }
    tester.check("GET /v1/kv/x refdb-consistency=local", "404 applied").await;
    let request = HttpRequest::builder().uri("/v1/kv/a%20b?consistency=default");
    let response = tester.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["refdb-leader"], "A");
    let location = response.headers().get("location").map(|location| location.to_str().unwrap());
    let there = (misdirected == Misdirected::Redirect)
        .then_some("http://a.example:1/v1/kv/a%20b?consistency=default");
    assert_eq!(location, there);
    tester
}

async fn stopped() -> Tester {
    let mut tester = Tester::new("A", Mode::Lww);
    tester.jobs.stop();
    for path in
        ["/v1/digest", "/v1/discarded", "/v1/keys", "/v1/kv/x", "/v1/leader", "/v1/status", "/v1/topology"]
    {
        tester.check(&format!("GET {path}"), "503 not-applied").await;
    }
    tester.check("DELETE /v1/kv/x", "503 unknown").await;
    tester.check("POST /v1/promote | {}", "503 unknown").await;
    tester.check(r#"PUT /v1/topology | {"topology":"star"}"#, "503 unknown").await;
    tester.check(r#"PUT /v1/kv/x | {"value": 1}"#, "503 unknown").await;
    tester.check(r#"POST /v1/kv/x/ops | {"op":"add","value":1}"#, "503 unknown").await;
    tester.check(r#"POST /v1/txn | {"ops":[{"f":"delete","key":"x"}]}"#, "503 unknown").await;
    tester
}
