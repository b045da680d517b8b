//! The safe box: a folder that is listed only after a password.

use pan123_core::{Effect, Error, FileId, Result, Secret, operation};

use super::post;

/// How many digits the password of the safe box has.
const DIGITS: usize = 6;

operation! {
    /// Unlocks the safe box for this login.
    ///
    /// Which folder it is, the account's information tells. How long it stays open is not known.
    ///
    /// Protocol: `web.yaml`, `file.safe_box_unlock`.
    ///
    /// # Errors
    ///
    /// [`Api`](pan123_core::ErrorKind::Api) with the service's text, as far as is known, for a wrong password.
    pub struct UnlockSafeBox -> () =
        post("web/file.safe_box_unlock", "/api/restful/goapi/v1/file/safe_box/auth/unlockbox").effect(Effect::Same);
    {
        /// The password: six digits.
        json_secret "password": password: Secret,
    }
    optional {
        /// Names the locked folder. One client that works does, another does not.
        query "fileId": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        let password = self.password.expose();
        if password.len() != DIGITS || !password.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::invalid(format!("the password of the safe box has {DIGITS} digits")));
        }
        self.folder.map_or(Ok(()), FileId::check_entry)
    }
}

operation! {
    /// Locks the safe box again.
    ///
    /// Protocol: `web.yaml`, `file.safe_box_lock`.
    pub struct LockSafeBox -> () =
        post("web/file.safe_box_lock", "/api/restful/goapi/v1/file/safe_box/auth/lock").effect(Effect::Same);
    {}
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn a_password_has_six_digits() {
        for (password, ok) in [("123456", true), ("12345", false), ("1234567", false), ("12345a", false), ("", false)] {
            assert_eq!(UnlockSafeBox::new(password).validate().is_ok(), ok, "{password}");
        }
        assert!(UnlockSafeBox::new("123456").folder(FileId::ROOT).validate().is_err());
        assert!(!format!("{:?}", UnlockSafeBox::new("123456")).contains("123456"));
    }
}
