//! Shares: what the Open Platform makes and lists, and what the share face shows to everybody.

use crate::drive::ROOT;
use crate::seed;
use crate::simulator::UID;

/// How a share that a test makes is to be; the default is public, permanent and free, and its files need a login.
///
/// ```
/// use pan123_sim::{Guests, ShareOptions};
///
/// let options = ShareOptions::default().password("aB12").guests(Guests::UpTo(100 << 20));
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they are given to `Simulator::share`"]
pub struct ShareOptions {
    pub(crate) name: Option<String>,
    pub(crate) password: String,
    pub(crate) expires: Option<i64>,
    pub(crate) owner: i64,
    pub(crate) guests: Guests,
    pub(crate) traffic_switch: i64,
    pub(crate) traffic_limit: Option<u64>,
    pub(crate) paging: Paging,
}

/// What somebody without a login may download from a share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guests {
    /// Nothing: code 5112, as since late 2025.
    #[default]
    Nothing,
    /// Files of at most so many bytes; larger ones answer code 401, as before that.
    UpTo(u64),
    /// Everything.
    Everything,
}

/// Which of the two described ways of paging a share's lists follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// The cursor if one is given, else the page number.
    #[default]
    Both,
    /// Only the page number counts; the cursor is handed out, but means nothing.
    Page,
    /// Only the cursor counts.
    Cursor,
}

impl Default for ShareOptions {
    fn default() -> Self {
        Self {
            name: None,
            password: String::new(),
            expires: None,
            owner: UID,
            guests: Guests::Nothing,
            traffic_switch: 1,
            traffic_limit: None,
            paging: Paging::Both,
        }
    }
}

impl ShareOptions {
    /// The share's name; that of the first entry by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The share password; its case does not matter to those who give it.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = password.into();
        self
    }

    /// The moment at which it expires, in Unix seconds.
    pub fn expires(mut self, unix: i64) -> Self {
        self.expires = Some(unix);
        self
    }

    /// The account that owns it, from which the key begins; the simulator's own by default.
    pub fn owner(mut self, uid: i64) -> Self {
        self.owner = uid;
        self
    }

    /// What may be downloaded without a login.
    pub fn guests(mut self, guests: Guests) -> Self {
        self.guests = guests;
        self
    }

    /// The owner's traffic switch: 1 off, 2 for guests, 3 for users over their quota, 4 for both.
    pub fn traffic_switch(mut self, switch: i64) -> Self {
        self.traffic_switch = switch;
        self
    }

    /// How many bytes the owner pays for; beyond them the traffic switch is as good as off.
    pub fn traffic_limit(mut self, bytes: u64) -> Self {
        self.traffic_limit = Some(bytes);
        self
    }

    /// How its lists are paged.
    pub fn paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }
}

/// A share of the simulated account, however it was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredShare {
    /// The id on the wire.
    pub id: i64,
    /// The key, which the share's address ends in.
    pub key: String,
    /// The name.
    pub name: String,
    /// The password, empty when there is none.
    pub password: String,
    /// The ids of the files and folders in it.
    pub file_ids: Vec<i64>,
    /// When it expires, in Unix seconds; `None` when it does not.
    pub expires: Option<i64>,
    /// 1 off, 2 guests, 3 users over their quota, 4 both.
    pub traffic_switch: i64,
    /// How many bytes the owner pays for, if there is a limit.
    pub traffic_limit: Option<u64>,
    /// The price in yuan; `None` when the share is free.
    pub price: Option<f64>,
    /// How many files were downloaded from it.
    pub downloads: u64,
    /// How many entries were saved from it.
    pub saves: u64,
    /// What guests pay for traffic, in fen; 0 when they pay nothing.
    pub guest_price: i64,
    /// Whether its readers may give a tip.
    pub takes_tips: bool,
}

/// A share as the service knows it.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) owner: i64,
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) entries: Vec<i64>,
    pub(crate) expires: Option<i64>,
    pub(crate) standing: Standing,
    pub(crate) guests: Guests,
    pub(crate) paging: Paging,
    pub(crate) traffic_switch: i64,
    pub(crate) traffic_limit: Option<u64>,
    /// Bytes that the owner's traffic paid for.
    pub(crate) charged: u64,
    pub(crate) previews: u64,
    pub(crate) downloads: u64,
    pub(crate) saves: u64,
    pub(crate) sale: Option<Sale>,
    pub(crate) guest_price: i64,
    pub(crate) takes_tips: bool,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Cancelled,
    /// Turned down by the service's review.
    Blocked,
}

/// What belongs to a paid share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sale {
    pub(crate) price: f64,
    pub(crate) orders: i64,
    pub(crate) income: f64,
}

impl Share {
    pub(crate) fn is_open(&self, now: i64) -> bool {
        self.standing == Standing::Open && self.expires.is_none_or(|expires| expires > now)
    }

    /// Whether the owner pays for this download, by guests or by users over their quota.
    pub(crate) fn owner_pays(&self, for_guest: bool, bytes: u64) -> bool {
        let switched_on = self.traffic_switch == 4 || self.traffic_switch == if for_guest { 2 } else { 3 };
        switched_on && self.traffic_limit.is_none_or(|limit| self.charged.saturating_add(bytes) <= limit)
    }

    pub(crate) fn stored(&self) -> StoredShare {
        StoredShare {
            id: self.id,
            key: self.key.clone(),
            name: self.name.clone(),
            password: self.password.clone(),
            file_ids: self.entries.clone(),
            expires: self.expires,
            traffic_switch: self.traffic_switch,
            traffic_limit: self.traffic_limit,
            price: self.sale.map(|sale| sale.price),
            downloads: self.downloads,
            saves: self.saves,
            guest_price: self.guest_price,
            takes_tips: self.takes_tips,
        }
    }
}

/// All shares, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares(Vec<Share>);

impl Shares {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Share> {
        self.0.iter()
    }

    pub(crate) fn by_key(&self, key: &str) -> Option<&Share> {
        self.0.iter().find(|share| share.key == key)
    }

    pub(crate) fn by_key_mut(&mut self, key: &str) -> Option<&mut Share> {
        self.0.iter_mut().find(|share| share.key == key)
    }

    /// Forgets those that nobody can open any more.
    pub(crate) fn clear_dead(&mut self, now: i64) {
        self.0.retain(|share| share.is_open(now));
    }

    pub(crate) fn by_id_mut(&mut self, id: i64) -> Option<&mut Share> {
        self.0.iter_mut().find(|share| share.id == id)
    }
}

impl crate::state::State {
    /// Shares what is at some paths, `/` being all that lies in the root, and gives the key; or the path where nothing is.
    pub(crate) fn share_paths(&mut self, paths: &[&str], options: ShareOptions) -> Result<String, String> {
        let mut entries = Vec::new();
        for path in paths {
            if path.trim_matches('/').is_empty() {
                let all = self.drive.children_after(ROOT, i64::MIN).filter(|node| !node.trashed);
                entries.extend(all.map(|node| node.id));
            } else {
                entries.push(self.drive.find(path).map(|node| node.id).ok_or_else(|| (*path).to_owned())?);
            }
        }
        let first = entries.first().and_then(|id| self.drive.node(*id));
        let name = first.map_or_else(|| "share".to_owned(), |node| node.name.clone());
        Ok(self.make_share(name, entries, options).key.clone())
    }

    /// Makes a share of entries that are there.
    pub(crate) fn make_share(&mut self, name: String, entries: Vec<i64>, options: ShareOptions) -> &mut Share {
        let (id, now) = (self.new_id(), self.clock.now());
        let key = format!("{}-{}", owner_prefix(options.owner), seed::word(&mut self.random, 5));
        let share = Share {
            id,
            key,
            owner: options.owner,
            name: options.name.unwrap_or(name),
            password: options.password,
            entries,
            expires: options.expires,
            standing: Standing::Open,
            guests: options.guests,
            paging: options.paging,
            traffic_switch: options.traffic_switch,
            traffic_limit: options.traffic_limit,
            charged: 0,
            previews: 0,
            downloads: 0,
            saves: 0,
            sale: None,
            guest_price: 0,
            takes_tips: false,
            created: now,
            updated: now,
        };
        let shares = &mut self.shares.0;
        shares.push(share);
        let last = shares.len() - 1;
        &mut shares[last]
    }
}

/// The owner's account id as share keys begin with it: base 62, least significant digit first.
pub(crate) fn owner_prefix(uid: i64) -> String {
    let mut prefix = String::new();
    let mut rest = uid.unsigned_abs();
    loop {
        prefix.push(char::from(ALPHABET[(rest % 62) as usize]));
        rest /= 62;
        if rest == 0 {
            return prefix;
        }
    }
}

const ALPHABET: &[u8; 62] = b"Tvd3hHA9QEkom14xpfaBJIMwgFYGPXn2sWCNORDr80KuUSl7bZcetizL5q6yVj";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_begin_with_the_owners_id() {
        let vectors: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../../fixtures/vectors/owner-ids.json")).unwrap();
        assert_eq!(vectors.len(), 8);
        for vector in vectors {
            assert_eq!(owner_prefix(vector["uid"].as_i64().unwrap()), vector["prefix"].as_str().unwrap());
        }
    }
}
