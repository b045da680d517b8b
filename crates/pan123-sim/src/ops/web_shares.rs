//! The account's own shares, by the calls of the web page; everybody reads them on the share face.

use serde_json::{Value, json};

use super::Call;
use super::files::MOST_IDS;
use super::shares::Traffic;
use crate::args::{Kind, Param, Place};
use crate::clock::{local, parse_local, parse_rfc3339, rfc3339};
use crate::reply::{Refusal, Reply};
use crate::shares::{Sale, Share, ShareOptions, Standing};

pub(crate) fn create(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    drive(call)?;
    let ids = shared_ids(call)?;
    for id in &ids {
        call.live_entry(*id)?;
    }
    let name = name(call)?.ok_or_else(|| bad("`shareName` is empty"))?.to_owned();
    let password = call.args.text("sharePwd").to_owned();
    if password.chars().count() > 4 {
        return Err(Refusal::new(400, "提取码最大为4位"));
    }
    let (expires, traffic) = (expiry(call, call.args.text("expiration"))?, traffic(call)?);
    let sale = sale(call)?;
    let takes_tips = flag(call, "isReward")?;
    let options = ShareOptions {
        password,
        expires,
        traffic_switch: traffic.switch.unwrap_or(1),
        traffic_limit: traffic.limit.unwrap_or_default(),
        ..ShareOptions::default()
    };
    let share = call.state.make_share(name, ids, options);
    (share.sale, share.takes_tips) = (sale, takes_tips.unwrap_or_default());
    Ok(Reply::data(json!({"ShareKey": share.key, "ShareId": share.id})))
}

/// The reference has ids joined with commas; other clients send a list of them.
fn shared_ids(call: &Call<'_>) -> Result<Vec<i64>, Refusal> {
    let whole = |value: &Value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    let ids: Option<Vec<i64>> = match call.args.value("fileIdList") {
        Some(Value::String(text)) if call.lenient() => text.split(',').map(|id| id.trim().parse().ok()).collect(),
        Some(Value::String(text)) => text.split(',').map(|id| id.parse().ok()).collect(),
        Some(Value::Array(ids)) if call.lenient() => ids.iter().map(whole).collect(),
        Some(id @ Value::Number(_)) if call.lenient() => id.as_i64().map(|id| vec![id]),
        _ => None,
    };
    ids.filter(|ids| (1..=MOST_IDS).contains(&ids.len()))
        .ok_or_else(|| bad(&format!("`fileIdList` is not up to {MOST_IDS} ids joined with commas")))
}

/// The name, if one is given that is not empty.
fn name<'a>(call: &Call<'a>) -> Result<Option<&'a str>, Refusal> {
    match call.args.opt_text("shareName") {
        Some(name) if name.trim().is_empty() => Err(bad("`shareName` is empty")),
        name => Ok(name),
    }
}

/// The moment at which a share is to expire; `None` is never.
fn expiry(call: &Call<'_>, text: &str) -> Result<Option<i64>, Refusal> {
    let read = parse_rfc3339(text).or_else(|| {
        let zoned = text.strip_suffix(['Z', 'z']).map(|moment| format!("{moment}+00:00"));
        let kindly = || parse_local(text).map(Some).or_else(|| parse_rfc3339(&zoned?));
        call.lenient().then(kindly).flatten()
    });
    match read {
        None => Err(bad("`expiration` is not YYYY-MM-DDThh:mm:ss with a zone")),
        Some(Some(expires)) if expires <= call.now => Err(bad("`expiration` is over")),
        Some(expires) => Ok(expires),
    }
}

fn traffic(call: &Call<'_>) -> Result<Traffic, Refusal> {
    Traffic::read(call).map_err(|refusal| refusal.with_code(400))
}

/// What makes a share a paid one; the price is in fen.
fn sale(call: &Call<'_>) -> Result<Option<Sale>, Refusal> {
    if !call.args.bool("isPayShare") {
        return Ok(None);
    }
    match call.args.int("payAmount") {
        fen @ 1.. => Ok(Some(Sale { price: fen as f64 / 100.0, orders: 0, income: 0.0 })),
        _ => Err(bad("`payAmount` of a paid share is not from 1")),
    }
}

fn flag(call: &Call<'_>, name: &str) -> Result<Option<bool>, Refusal> {
    match call.args.opt_int(name) {
        None => Ok(None),
        Some(value @ (0 | 1)) => Ok(Some(value == 1)),
        Some(_) => Err(bad(&format!("`{name}` is neither 0 nor 1"))),
    }
}

pub(crate) fn list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    page(call, false)
}

pub(crate) fn payment_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    page(call, true)
}

/// One page; the cursor is the last id of the page before.
fn page(call: &mut Call<'_>, paid: bool) -> Result<Reply, Refusal> {
    drive(call)?;
    let limit = call.page_limit().map_err(|refusal| refusal.with_code(400))?;
    let lenient = call.lenient();
    match call.args.opt_text("orderBy") {
        None | Some("fileId") => {}
        Some(_) if lenient => {}
        Some(_) => return Err(bad("`orderBy` is not fileId")),
    }
    let rising = match call.args.opt_text("orderDirection") {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) if lenient => false,
        Some(_) => return Err(bad("`orderDirection` is neither asc nor desc")),
    };
    let search = call.args.text("SearchData");
    let listed = |share: &&Share| share.sale.is_some() == paid && share.standing != Standing::Cancelled;
    let mut found: Vec<&Share> =
        call.state.shares.all().filter(listed).filter(|share| share.name.contains(search)).collect();
    if !rising {
        found.reverse();
    }
    let total = found.len();
    let known = |id: i64| call.state.shares.all().any(|share| share.id == id);
    let after = match (call.args.text("next"), call.args.text("next").trim().parse()) {
        ("" | "0", _) => None,
        (_, cursor) if lenient => cursor.ok().filter(|id| known(*id)),
        (_, Ok(id)) => Some(id),
        (_, Err(_)) => return Err(bad("`next` is no cursor")),
    };
    if lenient && after.is_none() {
        // Without a cursor the page's number is all there is.
        let before = usize::try_from(call.args.int("Page")).unwrap_or_default().saturating_sub(1);
        found.drain(..before.saturating_mul(limit).min(total));
    }
    found.retain(|share| after.is_none_or(|last| if rising { share.id > last } else { share.id < last }));
    let more = found.len() > limit;
    found.truncate(limit);
    // The cursor -1 follows the last page, and so nothing follows it.
    if after == Some(-1) {
        found.clear();
    }
    let next = found.last().filter(|_| more).map_or_else(|| "-1".to_owned(), |share| share.id.to_string());
    let rows: Vec<Value> = found.into_iter().map(|share| row(call, share)).collect();
    Ok(Reply::data(json!({"Next": next, "Total": total, "InfoList": rows})))
}

fn row(call: &Call<'_>, share: &Share) -> Value {
    let quirks = call.shared.config.quirks;
    let url = format!("{}/s/{}", call.shared.urls.share, share.key);
    let ids: Vec<String> = share.entries.iter().map(i64::to_string).collect();
    json!({
        "ShareId": share.id,
        "ShareKey": share.key,
        "SharePwd": share.password,
        "ShareName": share.name,
        "FileIdList": ids.join(","),
        "Expiration": share.expires.map_or_else(|| FOREVER.to_owned(), rfc3339),
        "Expired": !share.is_open(call.now),
        "Status": i32::from(share.standing != Standing::Open),
        "DownloadCount": share.downloads,
        "PreviewCount": share.previews,
        "SaveCount": share.saves,
        "CreateAt": if quirks { local(share.created) } else { rfc3339(share.created) },
        "UpdateAt": rfc3339(share.updated),
        "ShareUrl": url,
        "shareLinkList": if quirks { Value::Null } else { json!({"list": [url]}) },
    })
}

/// Ends shares for everybody; those of the other kind stay.
pub(crate) fn cancel(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    drive(call)?;
    let paid = call.args.bool("isPayShare");
    let items = call.items("shareInfoList", &[Param::new("shareId", Place::Json, Kind::Int)])?;
    let mut ids: Vec<i64> = items.iter().map(|item| item.int("shareId")).collect();
    let kind = |id: i64| call.state.shares.all().find(|share| share.id == id).map(|share| share.sale.is_some());
    ids.retain(|id| call.lenient() || kind(*id) == Some(paid));
    let now = call.now;
    change(call, ids, |share| (share.standing, share.updated) = (Standing::Cancelled, now))
}

pub(crate) fn update(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (name, traffic, now) = (name(call)?.map(str::to_owned), traffic(call)?, call.now);
    let expires = call.args.opt_text("expiration").map(|text| expiry(call, text)).transpose()?;
    change(call, vec![call.args.int("shareId")], |share| {
        if let Some(name) = &name {
            share.name.clone_from(name);
        }
        share.expires = expires.unwrap_or(share.expires);
        traffic.apply(share);
        share.updated = now;
    })
}

pub(crate) fn traffic_set(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let (traffic, now) = (traffic(call)?, call.now);
    change(call, vec![call.args.int("shareId")], |share| {
        traffic.apply(share);
        share.updated = now;
    })
}

/// Lenient mode also takes the name `ids`, and a list.
pub(crate) fn commission_set(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let fen = call.args.int("noLoginStdAmount");
    if fen < 0 {
        return Err(bad("`noLoginStdAmount` is negative"));
    }
    let ids = match call.args.value("shareIds") {
        Some(Value::String(text)) => text.split(',').map(|id| id.trim().parse().ok()).collect(),
        Some(Value::Array(ids)) if call.lenient() => ids.iter().map(Value::as_i64).collect(),
        Some(Value::Number(id)) if call.lenient() => Some(id.as_i64().into_iter().collect()),
        _ => None,
    };
    let ids: Vec<i64> = ids.ok_or_else(|| bad("`shareIds` is not ids joined with commas"))?;
    change(call, ids, |share| share.guest_price = fen)
}

pub(crate) fn reward_set(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let takes_tips = flag(call, "isReward")?.unwrap_or_default();
    change(call, call.args.ints("ids"), |share| share.takes_tips = takes_tips)
}

pub(crate) fn clear_expired(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.state.shares.clear_dead(call.now);
    Ok(Reply::data(Value::Null))
}

/// Changes shares that are in the lists; unknown ones are skipped, unless all are.
fn change(call: &mut Call<'_>, ids: Vec<i64>, change: impl Fn(&mut Share)) -> Result<Reply, Refusal> {
    let mut known = 0;
    for id in ids {
        if let Some(share) = call.state.shares.by_id_mut(id).filter(|share| share.standing != Standing::Cancelled) {
            change(share);
            known += 1;
        }
    }
    if known == 0 { Err(Refusal::rule("unknown shareId")) } else { Ok(Reply::data(Value::Null)) }
}

/// There is one drive, number 0.
pub(super) fn drive(call: &Call<'_>) -> Result<(), Refusal> {
    match call.args.opt_int("driveId") {
        Some(drive) if drive != 0 && !call.lenient() => Err(bad("`driveId` is not 0")),
        _ => Ok(()),
    }
}

/// A parameter that is wrong.
pub(super) fn bad(rule: &str) -> Refusal {
    Refusal::rule(rule).with_code(400)
}

/// What a share that never expires shows.
const FOREVER: &str = "9999-12-31T23:59:59+08:00";
