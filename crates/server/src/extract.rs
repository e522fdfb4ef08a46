//! Paths and queries as they are read: what cannot be read is refused as everything else is.

use std::error::Error as _;

use axum::extract::FromRequestParts;
use http::request::Parts;
use ledgerline_api::code::Code;
use serde::de::DeserializeOwned;

use crate::error::{Failure, Result};

/// The parameters of a path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        let unread = |_| Failure::new(Code::InvalidRequest, "the path is not UTF-8");
        path.map(|axum::extract::Path(path)| Self(path)).map_err(unread)
    }
}

/// The parameters behind a path.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(query)| Self(query)).map_err(|rejection| {
            let why = rejection.source().map(ToString::to_string).unwrap_or_default();
            Failure::new(Code::InvalidRequest, format!("the parameters cannot be read: {why}"))
        })
    }
}
