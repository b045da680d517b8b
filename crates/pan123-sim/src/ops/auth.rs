//! Tokens of the Open Platform for the developer's own account.

use serde_json::json;

use super::Call;
use crate::clock::rfc3339;
use crate::reply::{Refusal, Reply};
use crate::simulator::{CLIENT_ID, CLIENT_SECRET, UID};

pub(crate) fn access_token(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let client = call.args.text("clientID");
    if client != CLIENT_ID || call.args.text("clientSecret") != CLIENT_SECRET {
        return Err(Refusal::new(401, "client id or client secret is wrong"));
    }
    let config = &call.shared.config;
    let lifetime = i64::try_from(config.token_lifetime.as_secs()).unwrap_or(i64::MAX);
    let (token, expires) = call.state.tokens.issue(client, UID, call.now, lifetime, config.seed);
    Ok(Reply::data(json!({"accessToken": token, "expiredAt": rfc3339(expires)})))
}
