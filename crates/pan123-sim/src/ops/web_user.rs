//! The account, as the web API shows it.

use serde_json::json;

use super::Call;
use crate::clock::local;
use crate::reply::{Refusal, Reply};
use crate::simulator::{UID, USERNAME};

pub(crate) fn info(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let used: u64 = call.state.drive.all().map(|node| node.size()).sum();
    let files = call.state.drive.all().filter(|node| !node.is_folder()).count();
    Ok(Reply::data(json!({
        "UID": UID,
        "Nickname": "sim",
        "Passport": USERNAME.parse::<i64>().unwrap_or_default(),
        "Mail": "",
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
        "SafeBoxFileId": 0,
        "BackupFileInfo": {"BackupFileId": 0, "MobileTerminalBackupFileName": "", "DesktopTerminalBackupFileName": ""},
        "IsAuthentication": true,
        "IsBlockShare": false,
        "UserVipDetailInfos": [],
        "UserVipDetail": {"VipStatus": 0, "UserVipDetailInfos": [], "UserVipExpiredDetailInfos": []},
        "BindWechat": false,
    })))
}
