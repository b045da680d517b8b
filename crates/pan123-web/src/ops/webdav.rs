//! WebDAV accounts: passwords by which other programs reach the drive.

use pan123_core::{Effect, Error, Meta, Operation, RawJson, Reply, Result, Secret, operation};

use super::{get, post};

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[CreateWebDavAccount::META, ListWebDavAccounts::META, DeleteWebDavAccount::META];

operation! {
    /// Makes a WebDAV account for one program. The service chooses the password.
    ///
    /// The answer is the service's JSON, kept secret as it holds the password; no source names its members.
    ///
    /// Protocol: `web.yaml`, `webdav.account_create`.
    pub struct CreateWebDavAccount => Secret =
        post("web/webdav.account_create", "/api/restful/goapi/v1/webdav/account/create");
    {
        /// What the account is for, such as the name of a program.
        json "app": label: String,
    }

    fn validate(&self) -> Result<()> {
        if self.label.trim().is_empty() {
            return Err(Error::invalid("the label of a WebDAV account is empty"));
        }
        Ok(())
    }

    fn decode(&self, reply: Reply) -> Result<Secret> {
        secret(reply)
    }
}

operation! {
    /// Lists the WebDAV accounts.
    ///
    /// The answer is the service's JSON, kept secret as it may hold passwords; no source names its members.
    ///
    /// Protocol: `web.yaml`, `webdav.account_list`.
    pub struct ListWebDavAccounts => Secret =
        get("web/webdav.account_list", "/api/restful/goapi/v1/webdav/account/list");
    {}

    fn decode(&self, reply: Reply) -> Result<Secret> {
        secret(reply)
    }
}

operation! {
    /// Ends a WebDAV account.
    ///
    /// Protocol: `web.yaml`, `webdav.account_delete`.
    pub struct DeleteWebDavAccount -> () =
        get("web/webdav.account_delete", "/api/restful/goapi/v1/webdav/account/del").effect(Effect::Same);
    {
        /// The account's number in the list.
        query "id": id: i64,
    }
}

fn secret(reply: Reply) -> Result<Secret> {
    reply.data().map(|answer: RawJson| Secret::from(answer.as_json()))
}
