//! The form in which operations are written: one short block that reads like its protocol entry.

/// Writes an operation: the type, its constructor and setters, and its [`Operation`](crate::Operation) implementation.
///
/// Each field names where it goes (`query`, `json`, `form`; `json_secret` and `query_secret` for a
/// [`Secret`](crate::Secret)), its name on the wire and its name and type in Rust. Fields of the first block are
/// required and make up `new`; those of the second are optional, have a setter, and are left out of the request
/// until it is called. Further items of the trait may follow.
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
/// let rename = Rename::new(FileId::new(1), "b.txt");
/// assert_eq!(format!("{rename:?}"), r#"Rename { id: FileId(1), name: "b.txt" }"#);
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
    (@split [$($doc:tt)*] $name:ident ($output:ty) ($meta:expr) [$($decode:tt)*]
        { $( $(#[$rdoc:meta])* $rplace:ident $rwire:literal : $rfield:ident : $rtype:ty ),* $(,)? }
        optional { $( $(#[$odoc:meta])* $oplace:ident $owire:literal : $ofield:ident : $otype:ty ),* $(,)? }
        $($items:item)*
    ) => {
        $($doc)*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $rfield: $rtype, )*
            $( $ofield: Option<$otype>, )*
        }

        impl $name {
            /// Makes the request from what it must hold; everything optional is left out.
            ///
            $( #[doc = concat!("- `", stringify!($rfield), "`:")] $(#[$rdoc])* )*
            #[allow(clippy::new_without_default, clippy::too_many_arguments, reason = "an operation has the fields that it has")]
            pub fn new($( $rfield: impl Into<$rtype> ),*) -> Self {
                Self {
                    $( $rfield: $rfield.into(), )*
                    $( $ofield: None, )*
                }
            }

            $(
                $(#[$odoc])*
                #[must_use]
                pub fn $ofield(mut self, $ofield: impl Into<$otype>) -> Self {
                    self.$ofield = Some($ofield.into());
                    self
                }
            )*
        }

        impl $crate::Operation for $name {
            type Output = $output;
            const META: $crate::Meta = $meta;

            fn encode(&self, request: &mut $crate::Request) {
                $( request.$rplace($rwire, &self.$rfield); )*
                $( if let Some(value) = &self.$ofield { request.$oplace($owire, value); } )*
            }

            $($decode)*
            $($items)*
        }
    };
    (@split [$($doc:tt)*] $name:ident ($output:ty) ($meta:expr) [$($decode:tt)*]
        { $($required:tt)* }
        $($items:item)*
    ) => {
        $crate::operation! { @split [$($doc)*] $name ($output) ($meta) [$($decode)*] { $($required)* } optional {} $($items)* }
    };
}
