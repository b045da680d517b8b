//! Direct-link spaces and the links of files in them.

use serde_json::json;

use super::Call;
use crate::drive::{Kind, ROOT};
use crate::ops::cdn;
use crate::reply::{Refusal, Reply};

pub(crate) fn enable(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    switch(call, true)
}

pub(crate) fn disable(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    switch(call, false)
}

fn switch(call: &mut Call<'_>, on: bool) -> Result<Reply, Refusal> {
    let id = call.args.int("fileID");
    if id == ROOT {
        return Err(Refusal::rule("the root folder cannot be a direct-link space"));
    }
    let node = call.live_entry(id)?;
    let (name, parent) = (node.name.clone(), node.parent);
    if !node.is_folder() {
        return Err(Refusal::rule("a direct-link space must be a folder"));
    }
    if on && parent != ROOT && !call.lenient() {
        return Err(Refusal::rule("a direct-link space must lie directly below the root folder"));
    }
    if let Some(node) = call.state.drive.node_mut(id) {
        node.kind = Kind::Folder { direct_link: on };
    }
    Ok(Reply::data(json!({"filename": name})))
}

pub(crate) fn url(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let node = call.live_entry(call.args.int("fileID"))?;
    if node.is_folder() {
        return Err(Refusal::rule("a folder has no direct link"));
    }
    if !cdn::is_in_direct_link_space(&call.state.drive, node.id) {
        return Err(Refusal::rule("direct-link space is not enabled"));
    }
    Ok(Reply::data(json!({"url": cdn::direct_url(call, node.id)})))
}
