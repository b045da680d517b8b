//! What a test can ask of the web API's logins and uploads.

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
}
