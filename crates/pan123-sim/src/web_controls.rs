//! What a test can ask of the web API's logins and uploads.

use bytes::Bytes;

use crate::content::{Content, md5_hex};
use crate::drive::{Kind, Node, ROOT, is_name};
use crate::logins::QrAction;
use crate::simulator::{EMAIL, SMS_CODE, Simulator};

impl Simulator {
    /// The account's e-mail address, with which a password login works as with the name.
    #[must_use]
    pub fn email(&self) -> &str {
        EMAIL
    }

    /// The code that every SMS would bring.
    #[must_use]
    pub fn sms_code(&self) -> &str {
        SMS_CODE
    }

    /// The ids of the QR sessions that wait for a phone.
    #[must_use]
    pub fn qr_sessions(&self) -> Vec<String> {
        let state = self.shared.state();
        state.logins.waiting(state.clock.now())
    }

    /// Does with a QR session what a phone does; sessions end by themselves after a minute of the simulator's clock.
    ///
    /// # Panics
    ///
    /// When no session of that id is waiting.
    #[track_caller]
    pub fn qr(&self, session: &str, action: QrAction) {
        assert!(self.shared.qr(session, action), "no QR session `{session}` is waiting");
    }

    /// Whether uploads of the web API are answered with keys to the storage, as older servers do, and not with a session.
    pub fn hand_out_keys(&self, on: bool) {
        self.shared.state().storage.hands_out_keys = on;
    }

    /// Puts another file of the same name beside the one at a path, which the service allows; gives its id.
    ///
    /// What looks for the path finds the new one.
    ///
    /// # Panics
    ///
    /// When the path cannot be: it is empty, has a forbidden name, or its folder is not there.
    #[track_caller]
    pub fn put_twin(&self, path: &str, bytes: impl Into<Bytes>) -> i64 {
        let bytes = bytes.into();
        let (md5, size) = (md5_hex(&bytes), bytes.len() as u64);
        let mut state = self.shared.state();
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if above.is_empty() { Some(ROOT) } else { state.drive.find(above).map(|node| node.id) };
        let Some(parent) = parent.filter(|id| is_name(name) && state.drive.is_live_folder(*id)) else {
            panic!("`{path}` cannot be made")
        };
        state.store(&md5, Content::whole(bytes));
        let (id, now, kind) = (state.new_id(), state.clock.now(), Kind::File { md5, size });
        let name = name.to_owned();
        state.drive.insert(Node { id, parent, name, created: now, updated: now, trashed: false, late: 0, kind });
        id
    }
}
