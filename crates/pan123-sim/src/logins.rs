//! Logging in to the web API: QR sessions, codes of WeChat, challenges, and what is known of the account.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::content::md5_hex;
use crate::seed;

/// What a phone does with a QR session of the login page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QrAction {
    /// The service's own app scans the code, and does not yet say yes.
    Scan,
    /// The app says yes: the next poll brings a token.
    Confirm,
    /// WeChat says yes: the poll says so without a token, and a code can be fetched that a login takes.
    ConfirmByWechat,
    /// The phone says no.
    Refuse,
    /// The session ends at once, as it does by itself after a minute.
    Expire,
}

impl QrAction {
    /// Reads the name by which the admin face knows an action.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "scan" => Some(Self::Scan),
            "confirm" => Some(Self::Confirm),
            "confirm_by_wechat" => Some(Self::ConfirmByWechat),
            "refuse" => Some(Self::Refuse),
            "expire" => Some(Self::Expire),
            _ => None,
        }
    }
}

/// How far a QR session is; the numbers are those on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Waiting = 0,
    Scanned = 1,
    Refused = 2,
    Confirmed = 3,
    Expired = 4,
}

/// A QR code that is shown somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    made: i64,
    stage: Stage,
    /// 4 WeChat, 7 the service's own app, 0 not known.
    pub(crate) platform: i64,
    /// What WeChat gives when it confirms.
    pub(crate) wx_code: String,
    /// The token that a confirmed session was given.
    pub(crate) token: Option<String>,
}

impl Session {
    /// How far it is; a session that is not confirmed ends after a minute.
    pub(crate) fn stage(&self, now: i64) -> Stage {
        match self.stage {
            Stage::Waiting | Stage::Scanned if now >= self.made.saturating_add(SESSION_LIFETIME) => Stage::Expired,
            stage => stage,
        }
    }
}

/// A login that was noted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    pub(crate) unix: i64,
    pub(crate) way: &'static str,
}

/// All that logging in leaves behind, but for the tokens.
#[derive(Clone, Debug)]
pub(crate) struct Logins {
    sessions: BTreeMap<String, Session>,
    /// The codes of WeChat that were not yet used.
    wx_codes: HashSet<String>,
    /// The challenges that are open, and when an SMS was sent for them.
    challenges: HashMap<String, Option<i64>>,
    challenged: u64,
    pub(crate) history: Vec<Noted>,
    pub(crate) nickname: String,
}

impl Default for Logins {
    fn default() -> Self {
        Self {
            sessions: BTreeMap::new(),
            wx_codes: HashSet::new(),
            challenges: HashMap::new(),
            challenged: 0,
            history: Vec::new(),
            nickname: "sim".to_owned(),
        }
    }
}

impl Logins {
    /// Makes a session and gives its id.
    pub(crate) fn open(&mut self, random: &mut u64, now: i64) -> String {
        let hex = md5_hex(&seed::next(random).to_le_bytes());
        let id = format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]);
        let session = Session { made: now, stage: Stage::Waiting, platform: 0, wx_code: String::new(), token: None };
        self.sessions.insert(id.clone(), session);
        id
    }

    pub(crate) fn session(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.get_mut(id)
    }

    /// The ids of the sessions that wait for a phone.
    pub(crate) fn waiting(&self, now: i64) -> Vec<String> {
        let waits = |session: &Session| matches!(session.stage(now), Stage::Waiting | Stage::Scanned);
        self.sessions.iter().filter(|(_, session)| waits(session)).map(|(id, _)| id.clone()).collect()
    }

    /// Does with a session what a phone does; false when there is none that waits.
    pub(crate) fn act(&mut self, id: &str, action: QrAction, random: &mut u64, now: i64) -> bool {
        let code = seed::word(random, 24);
        self.change(id, action, code, now)
    }

    /// As [`act`](Self::act), with the code that WeChat is to give.
    pub(crate) fn change(&mut self, id: &str, action: QrAction, wx_code: String, now: i64) -> bool {
        let waits = |session: &&mut Session| matches!(session.stage(now), Stage::Waiting | Stage::Scanned);
        let Some(session) = self.sessions.get_mut(id).filter(waits) else { return false };
        match action {
            QrAction::Scan => (session.stage, session.platform) = (Stage::Scanned, APP),
            QrAction::Confirm => (session.stage, session.platform) = (Stage::Confirmed, APP),
            QrAction::ConfirmByWechat => {
                (session.stage, session.platform) = (Stage::Confirmed, WECHAT);
                session.wx_code.clone_from(&wx_code);
                self.wx_codes.insert(wx_code);
            }
            QrAction::Refuse => session.stage = Stage::Refused,
            QrAction::Expire => session.stage = Stage::Expired,
        }
        true
    }

    /// Uses a code of WeChat up.
    pub(crate) fn take_wx_code(&mut self, code: &str) -> bool {
        self.wx_codes.remove(code)
    }

    /// Demands another way of logging in, and gives the mark that opens the one by SMS.
    pub(crate) fn challenge(&mut self, seed: u64) -> String {
        self.challenged += 1;
        let mark = md5_hex(format!("{seed}|challenge|{}", self.challenged).as_bytes());
        self.challenges.insert(mark.clone(), None);
        mark
    }

    /// Sends an SMS for a challenge; false when there is no such challenge.
    pub(crate) fn send_sms(&mut self, mark: &str, now: i64) -> bool {
        self.challenges.get_mut(mark).map(|sent| *sent = Some(now)).is_some()
    }

    /// When the SMS for a challenge was sent.
    pub(crate) fn sms_sent(&self, mark: &str) -> Option<i64> {
        self.challenges.get(mark).copied().flatten()
    }

    pub(crate) fn end_challenge(&mut self, mark: &str) {
        self.challenges.remove(mark);
    }
}

/// How many seconds a QR session waits.
const SESSION_LIFETIME: i64 = 60;
/// The number of the service's own app, of those that scan.
pub(crate) const APP: i64 = 7;
/// The number of WeChat.
pub(crate) const WECHAT: i64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_nobody_confirms_ends_after_a_minute() {
        let (mut logins, mut random) = (Logins::default(), 1);
        let id = logins.open(&mut random, 100);
        assert_eq!(logins.session(&id).unwrap().stage(159), Stage::Waiting);
        assert_eq!(logins.session(&id).unwrap().stage(160), Stage::Expired);
        assert!(!logins.act(&id, QrAction::Confirm, &mut random, 160));
        let id = logins.open(&mut random, 200);
        assert!(logins.act(&id, QrAction::Confirm, &mut random, 200));
        assert_eq!(logins.session(&id).unwrap().stage(900), Stage::Confirmed);
        assert!(!logins.act(&id, QrAction::Refuse, &mut random, 200));
    }

    #[test]
    fn a_code_of_wechat_is_good_once() {
        let (mut logins, mut random) = (Logins::default(), 1);
        let id = logins.open(&mut random, 0);
        assert!(logins.act(&id, QrAction::ConfirmByWechat, &mut random, 0));
        let code = logins.session(&id).unwrap().wx_code.clone();
        assert!(logins.take_wx_code(&code));
        assert!(!logins.take_wx_code(&code) && !logins.take_wx_code(""));
    }
}
