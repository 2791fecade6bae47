//! A row of the table of routes: from it come the router, the description of the API, the table of scopes, and a test
//! that asks every route with every kind of token.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::access::caller::Needs;
use crate::app::App;
use crate::describe::Operation;
use crate::describe::operation::Parameter;
use crate::http::ignored::Known;

/// One method of one path.
pub(crate) struct Route {
    /// With GET comes HEAD, where the dialect knows it.
    pub(crate) method: Method,
    /// With its parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    /// What the description of the API says of it.
    pub(crate) operation: Operation,
    pub(crate) answer: MethodRouter<App>,
}

impl Route {
    /// The parameters that its query may have.
    pub(crate) fn parameters(&self) -> Known {
        self.operation.parameters.iter().filter_map(Parameter::name_in_query).collect()
    }

    /// Answers HEAD too, without the body.
    pub(crate) fn get<H, T>(path: &'static str, needs: Needs, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self { method: Method::GET, path, needs, operation, answer: get(handler) }
    }

    pub(crate) fn post<H, T>(path: &'static str, needs: Needs, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self { method: Method::POST, path, needs, operation, answer: post(handler) }
    }

    pub(crate) fn put<H, T>(path: &'static str, needs: Needs, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self { method: Method::PUT, path, needs, operation, answer: put(handler) }
    }

    pub(crate) fn delete<H, T>(path: &'static str, needs: Needs, handler: H, operation: Operation) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        Self { method: Method::DELETE, path, needs, operation, answer: delete(handler) }
    }
}
