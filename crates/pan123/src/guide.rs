//! Guides, and a map of all operations. They are there in the documentation only.

/// Guides in English.
pub mod en {
    #[doc = include_str!("../guide/en/choosing.md")]
    pub mod choosing {}

    #[doc = include_str!("../guide/en/credentials.md")]
    pub mod credentials {}

    #[doc = include_str!("../guide/en/transfers.md")]
    pub mod transfers {}

    #[doc = include_str!("../guide/en/errors.md")]
    pub mod errors {}

    #[doc = include_str!("../guide/en/rate-limits.md")]
    pub mod rate_limits {}

    #[doc = include_str!("../guide/en/settings.md")]
    pub mod settings {}

    #[doc = include_str!("../guide/en/testing.md")]
    pub mod testing {}

    #[doc = include_str!("../guide/en/policies.md")]
    pub mod policies {}

    #[doc = include_str!("../guide/en/migrating.md")]
    pub mod migrating {}
}

/// 中文指南。代码与英文版相同，只在那里编译一次。
#[cfg(not(doctest))]
pub mod zh {
    #[doc = include_str!("../guide/zh/choosing.md")]
    pub mod choosing {}

    #[doc = include_str!("../guide/zh/credentials.md")]
    pub mod credentials {}

    #[doc = include_str!("../guide/zh/transfers.md")]
    pub mod transfers {}

    #[doc = include_str!("../guide/zh/errors.md")]
    pub mod errors {}

    #[doc = include_str!("../guide/zh/rate-limits.md")]
    pub mod rate_limits {}

    #[doc = include_str!("../guide/zh/settings.md")]
    pub mod settings {}

    #[doc = include_str!("../guide/zh/testing.md")]
    pub mod testing {}

    #[doc = include_str!("../guide/zh/policies.md")]
    pub mod policies {}

    #[doc = include_str!("../guide/zh/migrating.md")]
    pub mod migrating {}
}

#[doc = include_str!("../guide/operations.md")]
pub mod operations {}
