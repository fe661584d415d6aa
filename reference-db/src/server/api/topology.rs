//! Who sends to whom, and linking the nodes anew.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use serde_json::json;

use super::Api;
use super::answer::Answer;
use super::ask::Content;
use crate::request::{self, Ask, Consistency, Request};
use crate::topology::{Edge, Graph, Layout};

/// `/v1/topology`
pub(super) fn layout() -> MethodRouter<Api> {
    get(read).put(change)
}

async fn read(State(api): State<Api>) -> Response {
    ask(&api, Ask::Layout).await
}

async fn change(State(api): State<Api>, content: Content) -> Response {
    match content.relink() {
        Ok(change) => ask(&api, Ask::Relink(change)).await,
        Err(answer) => answer.into_response(api.node),
    }
}

async fn ask(api: &Api, ask: Ask) -> Response {
    api.ask(Request::new(ask, Consistency::Local), laid_out).await
}

/// A layout, to whatever question.
pub(super) fn laid_out(response: request::Response) -> Answer {
    match response {
        request::Response::Layout { layout, links } => shown(&layout, &links),
        other => Answer::unexpected(&other),
    }
}

/// With the links that the shape comes to, one way each.
fn shown(layout: &Layout, links: &Graph) -> Answer {
    let Layout { epoch, topology, nodes, .. } = layout;
    let body = json!({
        "term": epoch.term, "epoch": epoch.number, "by": epoch.by, "topology": topology, "nodes": nodes,
        "links": links.edges.iter().map(Edge::to_string).collect::<Vec<_>>(),
    });
    Answer::applied(StatusCode::OK, &body)
}
