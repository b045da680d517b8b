//! The Open Platform's uploads, and the storage that takes their slices.

use super::{Auth, Route, Run, call, form, json, plain};
use crate::args::{Kind, Param};
use crate::face::Face;
use crate::ops::{upload_v1, upload_v2};

const ANNOUNCED: &[Param] = &[
    json("parentFileID", Kind::Int),
    json("filename", Kind::Text),
    json("etag", Kind::Text),
    json("size", Kind::Int),
    json("duplicate", Kind::Int).optional(),
    json("containDir", Kind::Bool).optional(),
];

const TICKET: &[Param] = &[json("preuploadID", Kind::Text)];

pub(super) const UPLOAD_V1: &[Route] = &[
    plain("open/upload_v1.create", "POST", "/upload/v1/file/create", ANNOUNCED, upload_v1::create),
    plain(
        "open/upload_v1.get_upload_url",
        "POST",
        "/upload/v1/file/get_upload_url",
        &[json("preuploadID", Kind::Text), json("sliceNo", Kind::Int)],
        upload_v1::get_upload_url,
    ),
    plain(
        "open/upload_v1.list_upload_parts",
        "POST",
        "/upload/v1/file/list_upload_parts",
        TICKET,
        upload_v1::list_upload_parts,
    ),
    call("open/upload_v1.upload_complete", "POST", "/upload/v1/file/upload_complete", TICKET, Run::CompleteV1),
    call("open/upload_v1.upload_async_result", "POST", "/upload/v1/file/upload_async_result", TICKET, Run::AsyncResult),
];

pub(super) const STORAGE: &[Route] = &[
    call("open/upload_v1.put_slice", "PUT", "", &[], Run::PutSlice).on(Face::Storage).auth(Auth::Nothing),
    call("open/oss.put_slice", "PUT", "", &[], Run::PutSlice).on(Face::Storage).auth(Auth::Nothing),
];

pub(super) const UPLOAD_V2: &[Route] = &[
    plain("open/upload_v2.create", "POST", "/upload/v2/file/create", ANNOUNCED, upload_v2::create),
    call(
        "open/upload_v2.slice",
        "POST",
        "/upload/v2/file/slice",
        &[form("preuploadID", Kind::Text), form("sliceNo", Kind::Int), form("sliceMD5", Kind::Text)],
        Run::Slice,
    )
    .on(Face::Upload),
    call("open/upload_v2.upload_complete", "POST", "/upload/v2/file/upload_complete", TICKET, Run::Complete),
    plain("open/upload_v2.domain", "GET", "/upload/v2/file/domain", &[], upload_v2::domain),
    call(
        "open/upload_v2.single_create",
        "POST",
        "/upload/v2/file/single/create",
        &[
            form("parentFileID", Kind::Int),
            form("filename", Kind::Text),
            form("etag", Kind::Text),
            form("size", Kind::Int),
            form("duplicate", Kind::Int).optional(),
            form("containDir", Kind::Bool).optional(),
        ],
        Run::SingleCreate,
    )
    .on(Face::Upload),
    plain(
        "open/upload_v2.sha1_reuse",
        "POST",
        "/upload/v2/file/sha1_reuse",
        &[
            json("parentFileID", Kind::Int),
            json("filename", Kind::Text),
            json("sha1", Kind::Text),
            json("size", Kind::Int),
            json("duplicate", Kind::Int).optional(),
        ],
        upload_v2::sha1_reuse,
    ),
];
