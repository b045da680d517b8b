//! The account's own shares: free and paid ones, made, listed, and their traffic settings changed.

use serde_json::{Value, json};

use super::Call;
use super::files::MOST_IDS;
use crate::clock::local;
use crate::reply::{Refusal, Reply};
use crate::shares::{Sale, Share, ShareOptions};

pub(crate) fn create(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let days = match call.args.int("shareExpire") {
        days @ (0 | 1 | 7 | 30) => days,
        _ => return Err(Refusal::rule("`shareExpire` is none of 1, 7, 30 and 0")),
    };
    let password = call.args.text("sharePwd").to_owned();
    if password.chars().count() > 4 {
        return Err(Refusal::new(1, "提取码最大为4位"));
    }
    if !password.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::rule("`sharePwd` has other characters than letters and digits"));
    }
    let expires = (days > 0).then(|| call.now + days * 24 * 3600);
    let share = make(call, ShareOptions { password, expires, ..ShareOptions::default() })?;
    Ok(Reply::data(json!({"shareID": share.id, "shareKey": share.key})))
}

pub(crate) fn create_paid(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let price = call.args.int("payAmount");
    if !(1..=1000).contains(&price) {
        return Err(Refusal::rule("`payAmount` is not within 1 to 1000 yuan"));
    }
    if !matches!(call.args.opt_int("isReward"), None | Some(0 | 1)) {
        return Err(Refusal::rule("`isReward` is neither 0 nor 1"));
    }
    let share = make(call, ShareOptions::default())?;
    share.sale = Some(Sale { price: price as f64, orders: 0, income: 0.0 });
    Ok(Reply::data(json!({"shareID": share.id, "shareKey": share.key})))
}

fn make<'a>(call: &'a mut Call<'_>, options: ShareOptions) -> Result<&'a mut Share, Refusal> {
    let name = call.args.text("shareName").to_owned();
    let forbidden = ['"', '\\', '/', ':', '*', '?', '|', '>', '<'];
    if name.trim().is_empty() || name.chars().count() >= 35 || name.contains(forbidden) {
        return Err(Refusal::new(1, r#"分享名称须小于35个字符且不能包含特殊字符："\/:*?|><"#));
    }
    let lenient = call.lenient();
    let read = |id: &str| if lenient { id.trim().parse().ok() } else { id.parse().ok() };
    let ids: Option<Vec<i64>> = call.args.text("fileIDList").split(',').map(read).collect();
    let Some(ids) = ids.filter(|ids| ids.len() <= MOST_IDS) else {
        return Err(Refusal::rule(format!("`fileIDList` is not up to {MOST_IDS} ids joined with commas")));
    };
    for id in &ids {
        call.live_entry(*id)?;
    }
    let traffic = Traffic::read(call)?;
    let options = ShareOptions {
        traffic_switch: traffic.switch.unwrap_or(1),
        traffic_limit: traffic.limit.unwrap_or_default(),
        ..options
    };
    Ok(call.state.make_share(name, ids, options))
}

/// The three settings that can also be changed later.
pub(super) struct Traffic {
    pub(super) switch: Option<i64>,
    /// The outer `None` leaves the limit as it is, the inner one takes it away.
    pub(super) limit: Option<Option<u64>>,
}

impl Traffic {
    pub(super) fn apply(&self, share: &mut Share) {
        share.traffic_switch = self.switch.unwrap_or(share.traffic_switch);
        share.traffic_limit = self.limit.unwrap_or(share.traffic_limit);
    }

    pub(super) fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let switch = call.args.opt_int("trafficSwitch");
        if !switch.is_none_or(|switch| (1..=4).contains(&switch)) {
            return Err(Refusal::rule("`trafficSwitch` is not within 1 to 4"));
        }
        let bytes = call.args.opt_int("trafficLimit").map(u64::try_from).transpose();
        let bytes = bytes.map_err(|_| Refusal::rule("`trafficLimit` is negative"))?;
        let limit = match (call.args.opt_int("trafficLimitSwitch"), bytes) {
            (None, _) => None,
            (Some(1), _) => Some(None),
            (Some(2), Some(bytes)) => Some(Some(bytes)),
            (Some(2), None) => return Err(Refusal::rule("`trafficLimitSwitch` is 2 without a `trafficLimit`")),
            (Some(_), _) => return Err(Refusal::rule("`trafficLimitSwitch` is neither 1 nor 2")),
        };
        Ok(Self { switch, limit })
    }
}

pub(crate) fn list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    page(call, |share| share.sale.is_none(), shown)
}

pub(crate) fn list_paid(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    page(
        call,
        |share| share.sale.is_some(),
        |call, share| {
            let mut item = shown(call, share);
            if let (Value::Object(fields), Some(sale)) = (&mut item, share.sale) {
                fields.remove("sharePwd");
                fields.extend([
                    ("payAmount".to_owned(), amount(sale.price)),
                    ("amount".to_owned(), amount(sale.income)),
                    ("orderCnt".to_owned(), json!(sale.orders)),
                    ("auditStatus".to_owned(), json!(0)),
                    ("createAt".to_owned(), json!(local(share.created))),
                    ("updateAt".to_owned(), json!(local(share.updated))),
                ]);
            }
            item
        },
    )
}

/// Yuan with decimals only where there are some.
fn amount(yuan: f64) -> Value {
    if yuan.fract() == 0.0 { json!(yuan as i64) } else { json!(yuan) }
}

/// One page, by id: the cursor is the last id of the page before.
fn page(
    call: &mut Call<'_>,
    wanted: fn(&Share) -> bool,
    show: fn(&Call<'_>, &Share) -> Value,
) -> Result<Reply, Refusal> {
    let limit = call.page_limit()?;
    let after = call.args.opt_int("lastShareId").unwrap_or_default();
    let mut found = call.state.shares.all().filter(|share| wanted(share) && share.id > after).peekable();
    let mut shares = Vec::new();
    let mut last = -1;
    while let Some(share) = found.next() {
        shares.push(show(call, share));
        if shares.len() == limit {
            last = if found.peek().is_some() { share.id } else { -1 };
            break;
        }
    }
    let list = if call.shared.config.quirks && shares.is_empty() { Value::Null } else { Value::from(shares) };
    Ok(Reply::data(json!({"lastShareId": last, "shareList": list})))
}

fn shown(call: &Call<'_>, share: &Share) -> Value {
    json!({
        "shareId": share.id,
        "shareKey": share.key,
        "shareName": share.name,
        "expiration": share.expires.map_or_else(|| FOREVER.to_owned(), local),
        "expired": i32::from(!share.is_open(call.now)),
        "sharePwd": share.password,
        "trafficSwitch": share.traffic_switch,
        "trafficLimitSwitch": if share.traffic_limit.is_some() { 2 } else { 1 },
        "trafficLimit": share.traffic_limit.unwrap_or_default(),
        "bytesCharge": share.charged,
        "previewCount": share.previews,
        "downloadCount": share.downloads,
        "saveCount": share.saves,
    })
}

pub(crate) fn update(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    change(call, false)
}

pub(crate) fn update_paid(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    change(call, true)
}

fn change(call: &mut Call<'_>, paid: bool) -> Result<Reply, Refusal> {
    let ids = call.ids("shareIdList", MOST_IDS)?;
    let traffic = Traffic::read(call)?;
    let mut known = 0;
    for id in ids {
        let Some(share) = call.state.shares.by_id_mut(id).filter(|share| share.sale.is_some() == paid) else {
            continue;
        };
        known += 1;
        traffic.apply(share);
        share.updated = call.now;
    }
    if known == 0 { Err(Refusal::rule("unknown shareId")) } else { Ok(Reply::data(Value::Null)) }
}

/// What a share that never expires shows.
const FOREVER: &str = "2099-12-31 08:00:00";
