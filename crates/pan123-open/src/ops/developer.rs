//! The developer's settings: which addresses may not use direct links.

use std::net::IpAddr;

use pan123_core::{Effect, Error, Meta, Result, open_enum, operation, wire};
use serde::Deserialize;

/// The most addresses that the IP blacklist may hold.
///
/// The service's page and most clients say 2000, one says 500. Protocol: `open-services.yaml`,
/// `developer.forbid_ip_update`.
pub const MOST_BLOCKED_IPS: usize = 2000;

operation! {
    /// Reads the IP blacklist of direct links and whether it is on. It needs the developer benefit.
    ///
    /// Protocol: `open-services.yaml`, `developer.forbid_ip_list`.
    pub struct ReadIpBlacklist -> IpBlacklist =
        Meta::get("open/developer.forbid_ip_list", "/api/v1/developer/config/forbide-ip/list");
    {}
}

/// The addresses that may not use direct links, as [`ReadIpBlacklist`] gives them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an IP blacklist")]
#[non_exhaustive]
pub struct IpBlacklist {
    /// The addresses. They are read strictly, so that a list which is changed and written back loses none.
    #[serde(default, rename = "ipList", alias = "IpList", deserialize_with = "wire::or_default")]
    pub ips: Vec<IpAddr>,
    /// Whether the list is on.
    #[serde(rename = "status", alias = "Status")]
    pub state: BlacklistState,
}

operation! {
    /// Switches the IP blacklist of direct links on or off. It needs the developer benefit.
    ///
    /// Protocol: `open-services.yaml`, `developer.forbid_ip_switch`.
    pub struct SwitchIpBlacklist -> Switched =
        Meta::post("open/developer.forbid_ip_switch", "/api/v1/developer/config/forbide-ip/switch").effect(Effect::Same);
    {
        /// What it shall be.
        json "Status": to: BlacklistState,
    }

    fn validate(&self) -> Result<()> {
        match self.to {
            BlacklistState::Unknown(code) => {
                Err(Error::invalid(format!("the blacklist is switched to 1 (on) or 2 (off), not to {code}")))
            }
            _ => Ok(()),
        }
    }
}

open_enum! {
    /// Whether the IP blacklist is on.
    pub enum BlacklistState {
        /// It is on.
        On = 1,
        /// It is off.
        Off = 2,
    }
}

/// What became of a [`SwitchIpBlacklist`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "whether it was done")]
#[non_exhaustive]
pub struct Switched {
    /// Whether it was done.
    #[serde(rename = "Done", alias = "done", deserialize_with = "wire::truth")]
    pub done: bool,
}

operation! {
    /// Replaces the whole IP blacklist of direct links. It needs the developer benefit.
    ///
    /// Nothing is added to what was there: read the list first to add to it. No addresses clear it. It takes effect
    /// when the list is on, see [`SwitchIpBlacklist`].
    ///
    /// Protocol: `open-services.yaml`, `developer.forbid_ip_update`.
    pub struct ReplaceIpBlacklist -> () =
        Meta::post("open/developer.forbid_ip_update", "/api/v1/developer/config/forbide-ip/update").effect(Effect::Same);
    {
        /// The addresses; up to [`MOST_BLOCKED_IPS`], all of them IPv4.
        json "IpList": ips: Vec<IpAddr>,
    }

    fn validate(&self) -> Result<()> {
        let count = self.ips.len();
        if count > MOST_BLOCKED_IPS {
            return Err(Error::invalid(format!(
                "the blacklist holds at most {MOST_BLOCKED_IPS} addresses, these are {count}"
            )));
        }
        match self.ips.iter().find(|ip| !ip.is_ipv4()) {
            Some(ip) => Err(Error::invalid(format!("the blacklist holds IPv4 addresses only, and not {ip}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use pan123_core::Operation;

    use super::*;

    #[test]
    fn only_on_and_off_are_sent() {
        for (code, fits) in [(1, true), (2, true), (0, false), (3, false)] {
            assert_eq!(SwitchIpBlacklist::new(BlacklistState::from_code(code)).validate().is_ok(), fits, "{code}");
        }
    }

    #[test]
    fn at_most_2000_addresses_of_the_older_kind_are_sent() {
        let ip = IpAddr::from(Ipv4Addr::new(203, 0, 113, 7));
        for (count, fits) in [(0, true), (1, true), (2000, true), (2001, false)] {
            assert_eq!(ReplaceIpBlacklist::new(vec![ip; count]).validate().is_ok(), fits, "{count}");
        }
        let error = ReplaceIpBlacklist::new(vec![ip; 2001]).validate().unwrap_err();
        assert_eq!(error.to_string(), "the blacklist holds at most 2000 addresses, these are 2001");
        let error = ReplaceIpBlacklist::new([ip, Ipv6Addr::LOCALHOST.into()]).validate().unwrap_err();
        assert_eq!(error.to_string(), "the blacklist holds IPv4 addresses only, and not ::1");
    }
}
