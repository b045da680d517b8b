//! The developer's IP blacklist, which holds for direct links.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::Call;
use crate::reply::{Refusal, Reply};

/// The addresses that may not fetch direct links, while it is on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blacklist {
    addresses: BTreeSet<Ipv4Addr>,
    on: bool,
}

impl Blacklist {
    pub(crate) fn forbids(&self, peer: Option<IpAddr>) -> bool {
        self.on && peer.is_some_and(|peer| matches!(peer, IpAddr::V4(peer) if self.addresses.contains(&peer)))
    }
}

pub(crate) fn forbid_ip_list(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let blacklist = &call.state.blacklist;
    let addresses: Vec<String> = blacklist.addresses.iter().map(Ipv4Addr::to_string).collect();
    let addresses =
        if call.shared.config.quirks && addresses.is_empty() { Value::Null } else { Value::from(addresses) };
    Ok(Reply::data(json!({"ipList": addresses, "status": if blacklist.on { 1 } else { 2 }})))
}

pub(crate) fn forbid_ip_switch(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    call.state.blacklist.on = match call.args.int("Status") {
        1 => true,
        2 => false,
        _ => return Err(Refusal::rule("`Status` is neither 1 nor 2")),
    };
    Ok(Reply::data(json!({"Done": true})))
}

/// Replaces the whole list.
pub(crate) fn forbid_ip_update(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let given = call.args.texts("IpList");
    if given.len() > MOST_ADDRESSES {
        return Err(Refusal::rule(format!("`IpList` holds more than {MOST_ADDRESSES} addresses")));
    }
    let addresses: Result<BTreeSet<Ipv4Addr>, _> = given.into_iter().map(str::parse).collect();
    call.state.blacklist.addresses =
        addresses.map_err(|_| Refusal::rule("an element of `IpList` is not an IPv4 address"))?;
    Ok(Reply::data(json!({})))
}

const MOST_ADDRESSES: usize = 2000;
