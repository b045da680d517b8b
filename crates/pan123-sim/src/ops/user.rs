//! The account.

use serde_json::{Value, json};

use super::Call;
use crate::clock::local;
use crate::reply::{Refusal, Reply};
use crate::simulator::{UID, USERNAME};

pub(crate) fn info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let used: u64 = call.state.drive.all().map(|node| node.size()).sum();
    let (from, to) = (local(call.now - YEAR / 2), local(call.now + YEAR / 2));
    // Without benefits the members that describe them are null, and one is a text.
    let plain = call.shared.config.quirks;
    let of_members = |value: Value| if plain { Value::Null } else { value };
    Ok(Reply::data(json!({
        "uid": UID,
        "nickname": "sim",
        "headImage": "https://cdn.example/head.jpg",
        "passport": USERNAME,
        "mail": "",
        "spaceUsed": used,
        "spacePermanent": 2_199_023_255_552_u64,
        "spaceTemp": 0,
        "spaceTempExpr": if plain { json!("") } else { json!(0) },
        "vip": !plain,
        "directTraffic": 10_737_418_240_u64,
        "isHideUID": false,
        "httpsCount": 0,
        "vipInfo": of_members(json!([{"vipLevel": 1, "vipLabel": "VIP", "startTime": from, "endTime": to}])),
        "developerInfo": of_members(json!({"startTime": from, "endTime": to})),
    })))
}

const YEAR: i64 = 365 * 24 * 3600;
