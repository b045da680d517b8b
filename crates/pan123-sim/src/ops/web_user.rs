//! The account, as the web API shows it.

use serde_json::{Value, json};

use super::web_shares::bad;
use super::{Call, files};
use crate::clock::{local, rfc3339};
use crate::logins::Noted;
use crate::reply::{Refusal, Reply};
use crate::simulator::{EMAIL, UID, USERNAME};
use crate::token::WEB;

pub(crate) fn info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let used: u64 = call.state.drive.all().map(|node| node.size()).sum();
    let files = call.state.drive.all().filter(|node| !node.is_folder()).count();
    Ok(Reply::data(json!({
        "UID": UID,
        "Nickname": call.state.logins.nickname,
        "Passport": USERNAME.parse::<i64>().unwrap_or_default(),
        "Mail": EMAIL,
        "HeadImage": "",
        "SpaceUsed": used,
        "SpacePermanent": 2_199_023_255_552_u64,
        "SpaceTemp": 0,
        "SpaceTempExpr": local(call.now),
        "FileCount": files,
        "Vip": false,
        "VipLevel": 0,
        "VipExpire": "",
        "VipExplain": "",
        "DirectTraffic": 0,
        "ShareTraffic": 0,
        "StraightLink": false,
        "OpenLink": 0,
        "SafeBoxFileId": files::safebox_folder(call.state).unwrap_or_default(),
        "BackupFileInfo": {"BackupFileId": 0, "MobileTerminalBackupFileName": "", "DesktopTerminalBackupFileName": ""},
        "IsAuthentication": true,
        "IsBlockShare": false,
        "UserVipDetailInfos": [],
        "UserVipDetail": {"VipStatus": 0, "UserVipDetailInfos": [], "UserVipExpiredDetailInfos": []},
        "BindWechat": false,
    })))
}

/// A free account without packages.
pub(crate) fn report_info(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({"vipType": 0, "vipSub": 0, "packType": 0, "developSub": 0})))
}

/// One row for each login that is live; nobody has written down what the service's rows hold.
pub(crate) fn device_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let live = call.state.tokens.live_for(WEB, call.now).into_iter();
    let rows: Vec<Value> =
        live.map(|(serial, expires)| json!({"id": serial, "deviceName": "web", "expire": rfc3339(expires)})).collect();
    Ok(Reply::data(json!({"list": rows})))
}

/// One row for each login that succeeded; of these rows, too, nothing is known.
pub(crate) fn use_history(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let row = |noted: &Noted| json!({"loginAt": rfc3339(noted.unix), "loginType": noted.way});
    let rows: Vec<Value> = call.state.logins.history.iter().rev().map(row).collect();
    Ok(Reply::data(json!({"list": rows})))
}

pub(crate) fn modify_info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    if call.args.text("event") != "userDataOperate" && !call.lenient() {
        return Err(bad("`event` is not userDataOperate"));
    }
    if let Some(nickname) = call.args.opt_text("nickname") {
        nickname.clone_into(&mut call.state.logins.nickname);
    }
    Ok(Reply::data(Value::Null))
}

pub(crate) fn referral_info(_: &mut Call<'_>) -> Result<Reply, Refusal> {
    Ok(Reply::data(json!({})))
}
