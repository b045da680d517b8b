//! The forms in which operations and the service's numbered kinds are written: one short block that reads like its
//! protocol entry.

/// Writes an operation: the type, its constructor and setters, and its [`Operation`](crate::Operation) implementation.
///
/// Each field names where it goes (`query`, `json`, `form`, `form_file`; `json_secret` and `query_secret` for a
/// [`Secret`](crate::Secret); `local` for what is not sent), its name on the wire and its name and type in Rust. A
/// field that goes to two places, or under two spellings, names both with a bar between them. The blocks are
///
/// - the required fields, which make up `new`;
/// - `fixed`: what is sent and never differs, such as a `type` that is always 1, as place, name on the wire and value;
/// - `defaults`: fields that are always sent, with a setter and the value they have until it is called;
/// - `optional`: fields with a setter that are left out of the request until it is called.
///
/// Further items of the trait may follow. A type is a name, or a name with one type in angle brackets; `new` and the
/// setters take whatever converts into it, and numbers as they are.
///
/// The type behind `->` is read from the envelope's `data`; `()` expects nothing. Behind `=>` it stands for
/// itself and `decode` must be among the further items.
///
/// # Example
///
/// ```
/// use pan123_core::{FileId, Meta, name, operation};
///
/// operation! {
///     /// Renames one file or folder.
///     pub struct Rename -> () = Meta::put("open/file.rename", "/api/v1/file/name");
///     {
///         /// The file or folder.
///         json "fileId": id: FileId,
///         /// Its new name.
///         json "fileName": name: String,
///     }
///     fn validate(&self) -> pan123_core::Result<()> {
///         name::check(&self.name)
///     }
/// }
///
/// operation! {
///     /// Lists a folder.
///     pub struct List -> Vec<FileId> = Meta::get("mine/list", "/api/v1/list");
///     {
///         /// The folder.
///         query "parentFileId" | query "parentFileID": folder: FileId,
///     }
///     fixed {
///         query "type": 1,
///     }
///     defaults {
///         /// Sets the number of entries on a page, 1 to 100.
///         query "limit": page_size: u32 = 100,
///         /// Keeps trashed entries.
///         local: include_trashed: bool = false,
///     }
///     optional {
///         /// Looks for a name.
///         query "searchData": keyword: String,
///     }
/// }
///
/// let rename = Rename::new(FileId::new(1), "b.txt");
/// assert_eq!(format!("{rename:?}"), r#"Rename { id: FileId(1), name: "b.txt" }"#);
/// let list = List::new(FileId::ROOT).page_size(20).keyword("b");
/// assert_ne!(list, List::new(FileId::ROOT));
/// ```
#[macro_export]
macro_rules! operation {
    (
        $(#[$doc:meta])*
        pub struct $name:ident -> () = $meta:expr;
        $($rest:tt)*
    ) => {
        $crate::operation! { @split [$(#[$doc])*] $name (()) ($meta)
            [fn decode(&self, reply: $crate::Reply) -> $crate::Result<()> { reply.nothing() }] $($rest)* }
    };
    (
        $(#[$doc:meta])*
        pub struct $name:ident -> $output:ty = $meta:expr;
        $($rest:tt)*
    ) => {
        $crate::operation! { @split [$(#[$doc])*] $name ($output) ($meta)
            [fn decode(&self, reply: $crate::Reply) -> $crate::Result<$output> { reply.data() }] $($rest)* }
    };
    (
        $(#[$doc:meta])*
        pub struct $name:ident => $output:ty = $meta:expr;
        $($rest:tt)*
    ) => {
        $crate::operation! { @split [$(#[$doc])*] $name ($output) ($meta) [] $($rest)* }
    };
    (@split $doc:tt $name:ident $output:tt ($meta:expr) $decode:tt
        { $($required:tt)* } fixed { $($fixed:tt)* } $($rest:tt)*
    ) => {
        $crate::operation! { @split $doc $name $output ($meta; $($fixed)*) $decode { $($required)* } $($rest)* }
    };
    (@split $doc:tt $name:ident $output:tt $meta:tt $decode:tt
        { $($required:tt)* } defaults { $($default:tt)* } optional { $($optional:tt)* } $($items:item)*
    ) => {
        $crate::operation! { @write $doc $name $output $meta $decode
            { $($required)* } { $($default)* } { $($optional)* } $($items)* }
    };
    (@split $doc:tt $name:ident $output:tt $meta:tt $decode:tt
        { $($required:tt)* } defaults { $($default:tt)* } $($items:item)*
    ) => {
        $crate::operation! { @write $doc $name $output $meta $decode
            { $($required)* } { $($default)* } {} $($items)* }
    };
    (@split $doc:tt $name:ident $output:tt $meta:tt $decode:tt
        { $($required:tt)* } optional { $($optional:tt)* } $($items:item)*
    ) => {
        $crate::operation! { @write $doc $name $output $meta $decode
            { $($required)* } {} { $($optional)* } $($items)* }
    };
    (@split $doc:tt $name:ident $output:tt $meta:tt $decode:tt
        { $($required:tt)* } $($items:item)*
    ) => {
        $crate::operation! { @write $doc $name $output $meta $decode
            { $($required)* } {} {} $($items)* }
    };
    (@write [$($doc:tt)*] $name:ident ($output:ty)
        ($meta:expr $(; $($fplace:ident $fwire:literal : $fvalue:expr),* $(,)?)?) [$($decode:tt)*]
        { $( $(#[$rdoc:meta])* $($rplace:ident $($rwire:literal)?)|+ : $rfield:ident : $rtype:ident $(<$rarg:ty>)? ),* $(,)? }
        { $( $(#[$ddoc:meta])* $($dplace:ident $($dwire:literal)?)|+ : $dfield:ident : $dtype:ident $(<$darg:ty>)? = $default:expr ),* $(,)? }
        { $( $(#[$odoc:meta])* $($oplace:ident $($owire:literal)?)|+ : $ofield:ident : $otype:ident $(<$oarg:ty>)? ),* $(,)? }
        $($items:item)*
    ) => {
        $($doc)*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $rfield: $rtype $(<$rarg>)?, )*
            $( $dfield: $dtype $(<$darg>)?, )*
            $( $ofield: Option<$otype $(<$oarg>)?>, )*
        }

        impl $name {
            /// Makes the request from what it must hold; everything optional is left out.
            ///
            $( #[doc = concat!("- `", stringify!($rfield), "`:")] $(#[$rdoc])* )*
            #[allow(clippy::new_without_default, clippy::too_many_arguments, reason = "an operation has the fields that it has")]
            pub fn new($( $rfield: $crate::operation!(@argument $rtype $(<$rarg>)?) ),*) -> Self {
                Self {
                    $( $rfield: $rfield.into(), )*
                    $( $dfield: $default, )*
                    $( $ofield: None, )*
                }
            }

            $(
                $(#[$ddoc])*
                #[must_use]
                pub fn $dfield(mut self, $dfield: $crate::operation!(@argument $dtype $(<$darg>)?)) -> Self {
                    self.$dfield = $dfield.into();
                    self
                }
            )*

            $(
                $(#[$odoc])*
                #[must_use]
                pub fn $ofield(mut self, $ofield: $crate::operation!(@argument $otype $(<$oarg>)?)) -> Self {
                    self.$ofield = Some($ofield.into());
                    self
                }
            )*
        }

        impl $crate::Operation for $name {
            type Output = $output;
            const META: $crate::Meta = $meta;

            #[allow(unused_variables, reason = "an operation without fields writes nothing")]
            fn encode(&self, request: &mut $crate::Request) {
                $( $( $crate::operation! { @put request (&self.$rfield) $rplace $($rwire)? } )+ )*
                $( $( $crate::operation! { @put request ($fvalue) $fplace $fwire } )* )?
                $( $( $crate::operation! { @put request (&self.$dfield) $dplace $($dwire)? } )+ )*
                $( if let Some(value) = &self.$ofield {
                    $( $crate::operation! { @put request (value) $oplace $($owire)? } )+
                } )*
            }

            $($decode)*
            $($items)*
        }
    };
    // A literal has no type of its own to convert from, so numbers are taken as they are.
    (@argument bool) => { bool };
    (@argument i32) => { i32 };
    (@argument i64) => { i64 };
    (@argument u8) => { u8 };
    (@argument u32) => { u32 };
    (@argument u64) => { u64 };
    (@argument $type:ident $(<$inner:ty>)?) => { impl Into<$type $(<$inner>)?> };
    (@put $request:ident ($value:expr) local) => {};
    (@put $request:ident ($value:expr) $place:ident $wire:literal) => {
        $request.$place($wire, $value);
    };
}

/// Writes an enum for a number of the service, which keeps the numbers that nobody has seen yet.
///
/// `Unknown(i64)` is added, and so are `from_code`, `code`, and reading and writing as a number by serde, on
/// which the calling crate must depend.
///
/// # Example
///
/// ```
/// pan123_core::open_enum! {
///     /// What an entry is.
///     pub enum Kind {
///         /// A file.
///         File = 0,
///         /// A folder.
///         Folder = 1,
///     }
/// }
///
/// assert_eq!(serde_json::from_str::<Kind>("\"1\"").unwrap(), Kind::Folder);
/// assert_eq!(Kind::from_code(7), Kind::Unknown(7));
/// assert_eq!(Kind::Folder.code(), 1);
/// ```
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $( $(#[$vdoc:meta])* $variant:ident = $code:literal ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$vdoc])* $variant, )*
            /// A number that the protocol reference does not name.
            Unknown(i64),
        }

        impl $name {
            /// Makes the value from the service's number.
            pub const fn from_code(code: i64) -> Self {
                match code {
                    $( $code => Self::$variant, )*
                    _ => Self::Unknown(code),
                }
            }

            /// Returns the service's number.
            pub const fn code(self) -> i64 {
                match self {
                    $( Self::$variant => $code, )*
                    Self::Unknown(code) => code,
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.code())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                $crate::wire::integer(deserializer).map(Self::from_code)
            }
        }
    };
}
