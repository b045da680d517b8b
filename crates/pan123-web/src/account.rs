//! The account of a client: who it is, and the end of its login.

use pan123_core::{AccountId, ErrorKind, Hosts, Result, RetryPolicy, Tokens};

use crate::{
    Client,
    claims::Claims,
    ops::{app, auth, user},
};

impl Client {
    /// Returns the account's profile, its space and its membership.
    ///
    /// # Errors
    ///
    /// Those of every call.
    pub async fn user_info(&self) -> Result<user::Account> {
        self.send(user::UserInfo::new()).await
    }

    /// Returns the account's id: as the token says, or else asked from the service.
    ///
    /// # Errors
    ///
    /// Those of [`user_info`](Self::user_info).
    pub async fn account_id(&self) -> Result<AccountId> {
        match Claims::of(self.tokens().get().await?.access()).account() {
            Some(id) => Ok(id),
            None => self.user_info().await.map(|account| account.id),
        }
    }

    /// Ends the login: the service is told, once, and the token is forgotten, also in the store, whatever it answers.
    ///
    /// A client without a token does not log in for it. One with a password logs in again at the next call.
    ///
    /// # Errors
    ///
    /// What the network or the service gave, but for a token that had ended already.
    pub async fn logout(&self) -> Result<()> {
        let tokens = self.tokens();
        let Some(token) = tokens.kept().await? else {
            return Ok(());
        };
        // Not by the client's own keeper: a token that is refused must not be replaced to be given up.
        let held = Tokens::held(token.clone(), self.pipeline().runtime().clone());
        let pipeline = self.pipeline().with_tokens(Some(held));
        let told = pipeline.send_with(&auth::Logout::new(), &RetryPolicy::none()).await;
        tokens.forget(&token).await?;
        told.or_else(|error| if error.kind() == ErrorKind::Unauthorized { Ok(()) } else { Err(error) })
    }

    /// Lets requests be made again after a login challenge, when a person has dealt with it, such as by logging in once on
    /// the website from this network. Until then they all fail with [`ErrorKind::LoginChallenge`].
    pub fn reset_challenge(&self) {
        self.tokens().reset_challenge();
    }

    /// Asks where the service is at present, and puts the answer in front of this client's hosts, for a new client.
    ///
    /// Of use when every known host answers with a page. Only hosts in [`KNOWN_DOMAINS`](app::KNOWN_DOMAINS) are believed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProtocolChanged`] when none of the hosts that the service names is known.
    pub async fn current_hosts(&self) -> Result<Hosts> {
        self.send(app::DynamicDomains::new()).await?.hosts(self.pipeline().hosts())
    }
}
