//! One file a table: its columns, how a row is read, how it is written.

pub(crate) mod cart;
pub(crate) mod catalogue;
pub(crate) mod event;
pub(crate) mod hold;
pub(crate) mod level;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod tenant;
