//! The HTTP API on the client port. `openapi.json` describes it, and a test holds it to that.
//!
//! Every answer says in `RefDB-Outcome` whether the request took effect: `applied`, `not-applied` or `unknown`. A
//! client that gets no answer at all has to take it for `unknown`.

mod about;
mod answer;
mod ask;
mod kv;
mod leader;
mod topology;
mod txn;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::MethodRouter;

use super::host::Jobs;
use crate::names::NodeName;
use crate::refusal::{Outcome, Refusal};
use crate::request::{self, Request};
use answer::Answer;

/// The longest body of a request.
const BODY_MAX: usize = 1024 * 1024;

/// What a handler needs.
#[derive(Debug, Clone)]
pub(super) struct Api {
    jobs: Jobs,
    node: NodeName,
    /// Where other nodes serve clients.
    clients: Arc<BTreeMap<NodeName, String>>,
}

/// A path, and the handlers of its methods.
struct Route {
    path: &'static str,
    handlers: fn() -> MethodRouter<Api>,
}

/// Every path, sorted.
static ROUTES: &[Route] = &[
    Route { path: "/healthz", handlers: about::health },
    Route { path: "/readyz", handlers: about::readiness },
    Route { path: "/v1/digest", handlers: about::digest },
    Route { path: "/v1/discarded", handlers: leader::discarded },
    Route { path: "/v1/keys", handlers: about::keys },
    Route { path: "/v1/kv/{key}", handlers: kv::value },
    Route { path: "/v1/kv/{key}/ops", handlers: kv::operations },
    Route { path: "/v1/leader", handlers: leader::leader },
    Route { path: "/v1/openapi.json", handlers: about::openapi },
    Route { path: "/v1/promote", handlers: leader::promotion },
    Route { path: "/v1/status", handlers: about::status },
    Route { path: "/v1/topology", handlers: topology::layout },
    Route { path: "/v1/txn", handlers: txn::transactions },
];

pub(super) fn router(jobs: Jobs, node: NodeName, clients: BTreeMap<NodeName, String>) -> Router {
    let add = |router: Router<Api>, route: &Route| router.route(route.path, (route.handlers)());
    ROUTES
        .iter()
        .fold(Router::new(), add)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn(redirect))
        .with_state(Api { jobs, node, clients: clients.into() })
}

impl Api {
    /// Asks the node; its answer is given to `show`.
    async fn ask(&self, request: Request, show: impl FnOnce(request::Response) -> Answer) -> Response {
        let write = request.ask.is_write();
        let answer = match self.jobs.ask(request).await {
            Some(request::Response::Refused(refusal)) => {
                let mut response = Answer::refused(&refusal).into_response(self.node);
                if let Some(elsewhere) = self.elsewhere(&refusal) {
                    response.extensions_mut().insert(elsewhere);
                }
                return response;
            }
            Some(request::Response::InSession { seen, response }) => show(*response).in_session(&seen),
            Some(response) => show(response),
            None => {
                let outcome = if write { Outcome::Unknown } else { Outcome::NotApplied };
                let mend = "start the node again, and read before you repeat a write";
                Answer::error(StatusCode::SERVICE_UNAVAILABLE, outcome, "node has stopped", mend)
            }
        };
        answer.into_response(self.node)
    }

    /// Where the same request would be answered, if it is known.
    fn elsewhere(&self, refusal: &Refusal) -> Option<Elsewhere> {
        match refusal {
            Refusal::Misdirected { to, redirect: true } => self.clients.get(to).cloned().map(Elsewhere),
            _ => None,
        }
    }
}

/// Stands in a response whose client is to ask elsewhere.
#[derive(Debug, Clone)]
struct Elsewhere(String);

/// A redirect names the whole address, and only here is it known what was asked.
async fn redirect(request: axum::extract::Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let mut response = next.run(request).await;
    if let Some(Elsewhere(address)) = response.extensions_mut().remove()
        && let Ok(location) = HeaderValue::try_from(format!("http://{address}{path}"))
    {
        response.headers_mut().insert("location", location);
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    }
    response
}

async fn no_such_path(State(api): State<Api>) -> Response {
    let mend = "see /v1/openapi.json; a key in a path is percent-encoded and not empty";
    let answer = Answer::error(StatusCode::NOT_FOUND, Outcome::NotApplied, "path does not exist", mend);
    answer.into_response(api.node)
}

async fn no_such_method(State(api): State<Api>) -> Response {
    let mend = "see /v1/openapi.json";
    let error = "path does not take this method";
    Answer::error(StatusCode::METHOD_NOT_ALLOWED, Outcome::NotApplied, error, mend).into_response(api.node)
}

#[cfg(test)]
mod tests;
