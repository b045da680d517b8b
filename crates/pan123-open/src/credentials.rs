//! Where the Open Platform's tokens come from: the client id and secret of an app.

use pan123_core::{BoxFuture, Pipeline, Result, Secret, Token, TokenSource};

use crate::ops::auth::AccessToken;

/// Trades a client id and secret for an access token that lasts 30 days.
///
/// Three tokens of a client id are live at a time; a fourth kicks out the oldest. So a token is kept, shared, and
/// asked for again only when it is about to end or was refused.
///
/// Protocol: `open-files.yaml`, `flow.token_developer`.
#[derive(Debug)]
pub(crate) struct AppCredentials {
    client_id: String,
    client_secret: Secret,
    /// A pipeline without a token: the call for a token must never ask for one itself.
    pipeline: Pipeline,
}

impl AppCredentials {
    pub(crate) fn new(client_id: String, client_secret: Secret, pipeline: Pipeline) -> Self {
        Self { client_id, client_secret, pipeline }
    }
}

impl TokenSource for AppCredentials {
    fn fetch<'a>(&'a self, _previous: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
        Box::pin(async move {
            self.pipeline.send(&AccessToken::new(self.client_id.as_str(), self.client_secret.clone())).await
        })
    }
}
