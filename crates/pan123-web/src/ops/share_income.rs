//! What shares bring in: the price of fetching from them, and tips.

use pan123_core::{
    Effect, Result, operation,
    shares::{JoinedIds, ShareId},
};

use super::{
    post,
    shares::{Switch, check_some},
};

operation! {
    /// Sets what guests pay for fetching from shares, by volume.
    ///
    /// Protocol: `web.yaml`, `share.commission_set`.
    pub struct SetCommission -> () = post("web/share.commission_set", "/api/share/update").effect(Effect::Same);
    {
        /// The shares; at least one.
        json "shareIds": shares: JoinedIds<ShareId>,
        /// The price in fen (hundredths of a yuan); 0 switches it off.
        json "noLoginStdAmount": price_in_fen: u32,
    }

    fn validate(&self) -> Result<()> {
        check_some(self.shares.ids())
    }
}

operation! {
    /// Lets visitors of shares give tips, or no more.
    ///
    /// Protocol: `web.yaml`, `share.reward_set`.
    pub struct SetReward -> () = post("web/share.reward_set", "/api/restful/goapi/v1/share/reward/status").effect(Effect::Same);
    {
        /// The shares; at least one.
        json "ids": shares: Vec<ShareId>,
        /// Whether tips may be given.
        json "isReward": on: Switch,
    }

    fn validate(&self) -> Result<()> {
        check_some(&self.shares)
    }
}
